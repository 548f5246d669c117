"""Start the real processes, wait for them in bounded time, and leave none behind."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = [
    "BIN",
    "ROOT",
    "Process",
    "alive",
    "environment",
    "free_port",
    "killing",
    "must_skip",
    "require",
    "unmeasured",
    "until",
]

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("VENV", ROOT / ".venv"))
BIN = (BIN if BIN.is_absolute() else ROOT / BIN) / "bin"

T = TypeVar("T")

_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "JAVA_HOME")
# Below the range from which the system takes the ports of outgoing connections.
_PORTS = range(20_000, 32_000)

_KILLER = '''\
"""Kill this process's group when a wanted line is logged, as a machine that goes away would."""

import logging
import os
import signal

_at, _times = os.environ["KILL_AT"], [int(os.environ["KILL_TIME"])]


def _kill(record):
    if record.getMessage().startswith(_at):
        _times[0] -= 1
        if not _times[0] and os.getpgrp() != int(os.environ["KILL_NEVER"]):
            os.killpg(os.getpgrp(), signal.SIGKILL)
    return True


# A filter of the logger itself: handlers are replaced when logging is configured.
logging.getLogger("tcdatalogger").addFilter(_kill)
'''


def must_skip(reason: str) -> None:
    """Skip the test; on the build server, where everything is there, fail it."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def require(tool: str) -> str:
    """Return a program's path; where it is absent the test is skipped, on the build server it fails."""
    found = shutil.which(tool)
    if found is None:
        must_skip(f"{tool} is not installed")
    return str(found)


def environment(**settings: str | None) -> dict[str, str]:
    """Return a process's whole environment: what the system needs, coverage's, and these settings.

    A setting that is None is not in it.
    """
    kept = {
        name: value for name, value in os.environ.items() if name in _KEPT or name.startswith("COVERAGE_")
    }
    return {name: value for name, value in (kept | settings).items() if value is not None}


def unmeasured() -> dict[str, str | None]:
    """Return the settings without which coverage measures nothing in a process.

    One that cannot end, or may not write, leaves half a file, which nobody can read.
    """
    return dict.fromkeys(name for name in os.environ if name.startswith("COVERAGE_"))


def killing(folder: Path, at: str, *, time: int = 1) -> dict[str, str | None]:
    """Return the settings that kill a process group when the time-th line beginning with ``at`` is logged."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sitecustomize.py").write_text(_KILLER, encoding="utf-8")
    return unmeasured() | {
        "PYTHONPATH": str(folder),
        "KILL_AT": at,
        "KILL_TIME": str(time),
        "KILL_NEVER": str(os.getpgrp()),
        "LOG_LEVEL": "DEBUG",
    }


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    for port in random.sample(_PORTS, 100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no free port in a hundred tries")


def alive(group: int) -> bool:
    """Say whether a process group still has a process."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def until(found: Callable[[], T], *, what: str, timeout: float = 20.0, pause: float = 0.05) -> T:
    """Return what ``found`` gives as soon as it is true; fail when the time is up."""
    deadline = time.monotonic() + timeout
    while True:
        value = found()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"after {timeout:.0f} s still not: {what} (last: {value!r})")
        time.sleep(pause)


class Process:
    """One process in a group of its own; its output goes to files, and its end ends the whole group."""

    #: The signal that asks it to end.
    ask = signal.SIGTERM

    def __init__(
        self, command: Sequence[str | Path], *, folder: Path, env: Mapping[str, str], cwd: Path = ROOT
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.stdout_file, self.stderr_file = folder / "stdout", folder / "stderr"
        with self.stdout_file.open("ab") as out, self.stderr_file.open("ab") as err:
            self._process = subprocess.Popen(
                [str(part) for part in command],
                cwd=cwd,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )

    @property
    def stdout(self) -> str:
        """Give what it has written to standard output."""
        return self.stdout_file.read_text(encoding="utf-8", errors="replace")

    @property
    def stderr(self) -> str:
        """Give what it has written to standard error."""
        return self.stderr_file.read_text(encoding="utf-8", errors="replace")

    @property
    def group(self) -> int:
        """Give the id of its process group, which is its own id."""
        return self._process.pid

    def wait(self, timeout: float = 30.0) -> int:
        """Return its exit code."""
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it did not end within {timeout:.0f} s:\n{self._tail()}") from None

    def listens(self, port: int, *, timeout: float = 30.0) -> None:
        """Wait until a port is served."""

        def connected() -> bool:
            if self._process.poll() is not None:
                code = self._process.returncode
                raise AssertionError(f"it ended with exit code {code} at start:\n{self._tail()}")
            with socket.socket() as probe:
                probe.settimeout(1)
                return probe.connect_ex(("127.0.0.1", port)) == 0

        until(connected, what=f"port {port} served", timeout=timeout, pause=0.03)

    def stop(self) -> None:
        """End it politely, then its group for good; show what it wrote, which pytest keeps for failures."""
        if self._process.poll() is None:
            self._process.send_signal(self.ask)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(5)
        self.kill()
        print(self._tail())

    def kill(self) -> None:
        """End the whole group at once, as a machine that goes away would."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.group, signal.SIGKILL)
        self._process.wait(10)

    def _tail(self) -> str:
        return f"--- standard output\n{self.stdout[-2000:]}\n--- standard error\n{self.stderr[-8000:]}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

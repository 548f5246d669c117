"""The BigQuery emulator as a process of its own, while a benchmark loads into it.

What it takes is not measured: it stands for Google.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.request import urlopen

from .family import end
from .processes import ROOT, ProcessError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["PROJECT", "NotInstalledError", "emulator"]

PROJECT = "proj"
_FOLDER = ROOT / os.environ.get("EMULATOR", ".venv-emulator")
# What its own command starts, with quicker look-ups; the time that the emulator takes is not measured.
_SERVE = ROOT / "tests" / "support" / "emulator" / "serve.py"
_PATIENCE = 60.0
# The shell ends it when its own input ends: also when this process is killed.
_UNTIL_INPUT_ENDS = '"$@" & read -r _; kill -9 $!; wait'


class NotInstalledError(RuntimeError):
    """Raise when the emulator is not on this machine."""


@contextmanager
def emulator(folder: Path) -> Iterator[str]:
    """Yield the host and port of an emulator that keeps its data in a folder.

    Raises:
        NotInstalledError: the emulator is not on this machine.
        ProcessError: it did not start.
    """
    if not (_FOLDER / ".ready").exists():
        raise NotInstalledError(f"{_FOLDER} is not there: `make emulator` makes it, with Python 3.13")
    port, other = _free_ports(2)
    command = [
        _FOLDER / "bin" / "python", _SERVE, "--host", "127.0.0.1", "--port", str(port),
        "--grpc-port", str(other), "--project", PROJECT, "--dataset", "none",
        "--data-dir", str(folder / "data"), "serve",
    ]  # fmt: skip
    folder.mkdir(parents=True)
    log = folder / "log"
    # Its engine looks for extensions below the home folder.
    env = {"PATH": os.environ["PATH"], "HOME": str(_FOLDER / "home")}
    with (
        log.open("wb") as output,
        subprocess.Popen(
            ["sh", "-c", _UNTIL_INPUT_ENDS, "sh", *command],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=env,
            process_group=0,
        ) as process,
    ):
        assert process.stdin is not None
        try:
            _until_it_answers(f"http://127.0.0.1:{port}/bigquery/v2/projects/{PROJECT}/datasets", log)
            yield f"127.0.0.1:{port}"
        finally:
            process.stdin.close()
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
            end(process.pid)


def _until_it_answers(url: str, log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        with suppress(URLError, OSError), urlopen(url, timeout=20):
            return
        if time.monotonic() > deadline:
            said = log.read_text(encoding="utf-8", errors="replace")
            raise ProcessError(f"the BigQuery emulator did not start:\n{said[-3000:]}")
        time.sleep(0.1)


def _free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()

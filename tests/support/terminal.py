"""The command as a person sees it: on a pseudo-terminal, whose every word is read."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from typing import TYPE_CHECKING, NamedTuple

from support.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["Seen", "on_terminal"]

# Makes standard input the controlling terminal, as a login does, so that Ctrl-C becomes a signal.
_LOGIN = (
    "import fcntl, os, sys, termios\n"
    "fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"
    "os.execv(sys.argv[1], sys.argv[1:])"
)
_CONTROL = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07]*\x07|[@-Z\\-_])")


class Seen(NamedTuple):
    """How a command ended, and what stood on the terminal; ``raw`` is with colours and cursor movements."""

    code: int
    raw: str

    @property
    def text(self) -> str:
        """Give the words alone."""
        return _CONTROL.sub("", self.raw).replace("\r\n", "\n").replace("\r", "\n")


def on_terminal(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    cwd: Path = ROOT,
    columns: int = 120,
    ctrl_c_after: str = "",
    ctrl_c_again: float = 60.0,
    timeout: float = 60.0,
) -> Seen:
    """Run a command to its end on a terminal of that width; type Ctrl-C once the given words are shown.

    A prompt may be shown a moment before it listens: as a person does, Ctrl-C is typed again when
    nothing has happened for ``ctrl_c_again`` seconds.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-IS", "-c", _LOGIN, *map(str, command)],
        cwd=cwd,
        env={**env, "TERM": "xterm-256color"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    shown = bytearray()
    typed = not ctrl_c_after
    deadline = time.monotonic() + timeout
    try:
        while part := _read(ours, deadline, ctrl_c_again if typed and ctrl_c_after else timeout):
            shown += part
            if not typed and ctrl_c_after.encode() in shown:
                os.write(ours, b"\x03")
                typed = True
        return Seen(process.wait(max(deadline - time.monotonic(), 1)), shown.decode(errors="replace"))
    except (TimeoutError, subprocess.TimeoutExpired):
        raise AssertionError(
            f"after {timeout:.0f} s it still ran:\n{shown.decode(errors='replace')}"
        ) from None
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)
        os.close(ours)


def _read(terminal: int, deadline: float, patience: float) -> bytes:
    """Return what was written next, nothing when the other side is closed; out of patience, type Ctrl-C."""
    while not select.select([terminal], [], [], max(min(deadline - time.monotonic(), patience), 0))[0]:
        if time.monotonic() >= deadline:
            raise TimeoutError
        os.write(terminal, b"\x03")
    try:
        return os.read(terminal, 65_536)
    except OSError:
        # Linux says so when nobody has the terminal open any more.
        return b""

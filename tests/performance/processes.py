"""Processes of their own, measured: CPU time with that of all that come from them, and peak memory."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from .family import adopting, end, reap

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["PEERS", "PRODUCT", "ROOT", "Outcome", "ProcessError", "run"]

ROOT = Path(__file__).resolve().parents[2]
#: The environment that TCdatalogger runs in; numpy is absent there, as in the cloud.
PRODUCT = str(ROOT / os.environ.get("VENV", ".venv") / "bin" / "python")
#: The environment of the peers, which is this process's.
PEERS = sys.executable


class ProcessError(RuntimeError):
    """Raise when a measured process ends with an error: nothing it says can be compared."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a process took, and all that came from it."""

    #: CPU seconds, user and system.
    cpu: float
    #: The most memory that one of them held, in MB.
    peak_mb: float
    printed: str
    found: Mapping[str, Any] = field(default_factory=dict)
    #: Seconds until the process ended; what it left behind may have gone on for longer.
    wall: float = 0.0


def run(command: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: Path = ROOT) -> Outcome:
    """Run a command to its end, and those that it leaves behind to theirs, and measure them all.

    Raises:
        ProcessError: it ended with an error.
        LeftBehindError: it has ended, and others that it started have not.
    """
    # A file takes what it prints: a pipe would end only with the last process that could write to it.
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors, adopting():
        began = time.perf_counter()
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            cwd=cwd,
            env=_environment(env),
            process_group=0,
        )
        try:
            # Not process.wait(): only wait4 tells what this child, of all, has taken.
            _, status, usage = os.wait4(process.pid, 0)
            wall = time.perf_counter() - began
            process.returncode = os.waitstatus_to_exitcode(status)
            usages = [usage, *reap(process.pid)]
        except KeyboardInterrupt:
            # Being in a group of its own, it has not heard the Ctrl-C.
            end(process.pid)
            raise
        if process.returncode:
            text = _text(errors).strip() or _text(output).strip()
            raise ProcessError(f"{' '.join(command)} ended with {process.returncode}:\n{text[-3000:]}")
        cpu = sum(one.ru_utime + one.ru_stime for one in usages)
        peak = max(one.ru_maxrss for one in usages) * 1024 / 1e6
        return Outcome(cpu, peak, _text(output), wall=wall)


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")


def _environment(more: Mapping[str, str] | None) -> dict[str, str]:
    # What is set on this machine must not decide what is measured.
    kept = ("PATH", "HOME", "LANG", "TMPDIR", "VENV")
    return {**{name: os.environ[name] for name in kept if name in os.environ}, **(more or {})}

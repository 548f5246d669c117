"""Processes of their own, measured: CPU time with their children's, and peak memory."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
    """What a process took: CPU seconds (user and system), the most memory in MB, what it printed."""

    cpu: float
    peak_mb: float
    printed: str
    found: Mapping[str, Any] = field(default_factory=dict)


def run(command: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: Path = ROOT) -> Outcome:
    """Run a command to its end and measure it.

    Raises:
        ProcessError: it ended with an error.
    """
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=cwd,
            env=_environment(env),
        )
        assert process.stdout is not None
        with process.stdout:
            printed = process.stdout.read().decode()
        # Not process.wait(): only wait4 tells what this child, of all, has taken.
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            errors.seek(0)
            text = errors.read().decode(errors="replace").strip()
            raise ProcessError(f"{' '.join(command)} ended with {process.returncode}:\n{text[-3000:]}")
    return Outcome(usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6, printed)


def _environment(more: Mapping[str, str] | None) -> dict[str, str]:
    # What is set on this machine must not decide what is measured.
    kept = ("PATH", "HOME", "LANG", "TMPDIR", "VENV")
    return {**{name: os.environ[name] for name in kept if name in os.environ}, **(more or {})}

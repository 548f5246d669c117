"""A stopwatch of CPU time, user and system, children that ended included."""

from __future__ import annotations

import resource
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Watch", "peak_mb"]


class Watch:
    """Counts the CPU time of this process while it runs."""

    def __init__(self) -> None:
        self._total = 0.0
        self._since: float | None = None

    @property
    def seconds(self) -> float:
        """Return what was counted so far."""
        return self._total + (0.0 if self._since is None else _cpu() - self._since)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count while inside."""
        self._since = _cpu()
        try:
            yield
        finally:
            self._total, self._since = self.seconds, None

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Count nothing while inside, if it was running."""
        if self._since is None:
            yield
            return
        self._total, self._since = self.seconds, None
        try:
            yield
        finally:
            self._since = _cpu()


def peak_mb() -> float:
    """Return the most memory that this process has held, in MB (10⁶ bytes)."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123 - no pathlib when unused
            line = next(line for line in status if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        # Elsewhere than on Linux. What the parent held when it forked may be in it.
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    return int(line.split()[1]) * 1024 / 1e6


def _cpu() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime

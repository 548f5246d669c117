"""A process and all that come from it: orphans too are waited for, and what they took is counted.

The usage that ``wait4`` gives holds only those below a process that it waited for itself. A server that
forks the processes which do the work ends after the one that started it: with its starter gone, it would
become the system's child, and all their CPU time would be lost.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import resource
    from collections.abc import Iterator

__all__ = ["LeftBehindError", "adopting", "end", "reap"]

_PR_SET_CHILD_SUBREAPER = 36
_PAUSE = 0.002


class LeftBehindError(RuntimeError):
    """Raise when a process has ended long ago, and others that came from it have not."""


@contextmanager
def adopting() -> Iterator[None]:
    """Become, while inside, the parent of processes below this one whose own parent ends.

    Only Linux knows that; elsewhere they become the system's, and what they take is not seen.
    """
    if sys.platform != "linux":
        yield
        return
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    if prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")
    try:
        yield
    finally:
        prctl(_PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def reap(group: int, *, patience: float = 10.0) -> list[resource.struct_rusage]:
    """Wait for all children of this process that are in a process group; return what each took.

    One that leaves the group (``setsid``) is not waited for.

    Raises:
        LeftBehindError: one runs on after so many seconds; all were killed.
    """
    usages = []
    deadline = time.monotonic() + patience
    while True:
        try:
            pid, _, usage = os.wait4(-group, os.WNOHANG)
        except ChildProcessError:
            return usages
        if pid:
            usages.append(usage)
        elif time.monotonic() > deadline:
            end(group)
            raise LeftBehindError(
                f"processes were left behind and ran on for {patience:g} s; they were killed"
            )
        else:
            time.sleep(_PAUSE)


def end(group: int) -> None:
    """Kill a process group, and wait until those in it that are this process's children are gone."""
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
    with suppress(ChildProcessError):
        while True:
            os.wait4(-group, 0)

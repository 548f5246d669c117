"""Take turns at writing a DuckDB file.

DuckDB lets one process write at a time, and refuses the others. Yet where one closes the file while another
opens it, or two make it, a committed transaction may be lost (seen with 2.0.0, in about one of 75 times that
four processes met). So each holds a lock of our own from before it opens the file until it is closed.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from shared.errors import StorageFailed, WarehouseBusy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["busy", "lock_file", "pause", "turn"]


def lock_file(database: Path) -> Path:
    """Return the file whose lock says whose turn it is; it stays, with the number of who had it last."""
    return database.with_name(f"{database.name}.lock")


def pause() -> None:
    """Wait for a moment, as long as others do not."""
    time.sleep(random.uniform(0.01, 0.1))  # noqa: S311 - jitter, not a secret


def busy(database: Path, holder: str, wait: float) -> WarehouseBusy:
    """Return the error of a turn that did not come within ``wait`` seconds."""
    return WarehouseBusy(
        f"{database} was held by {holder} for more than {wait:.0f} s",
        next_step="close the program that has the database open, or raise WAREHOUSE_WAIT",
    )


@contextmanager
def turn(database: Path, wait: float) -> Iterator[None]:
    """Hold the turn at a database, whose folder is there; the lock ends with the process, however that ends.

    Raises:
        WarehouseBusy: another had it for ``wait`` seconds.
        StorageFailed: the lock's file cannot be made.
    """
    deadline = time.monotonic() + wait
    file = lock_file(database)
    try:
        handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise StorageFailed(
            f"{file} cannot be made: {error.strerror}; nothing was written",
            next_step="set WAREHOUSE to a file that can be written",
        ) from error
    try:
        while not _locked(handle):
            if time.monotonic() > deadline:
                raise busy(database, _holder(handle), wait)
            pause()
        # For whoever waits, and no more: on a full disk nobody is told.
        with contextlib.suppress(OSError):
            os.ftruncate(handle, 0)
            os.pwrite(handle, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(handle)


def _holder(handle: int) -> str:
    number = os.pread(handle, 20, 0).decode("ascii", "replace")
    return f"process {number}" if number else "another process"


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

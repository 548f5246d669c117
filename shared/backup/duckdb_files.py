"""DuckDB files for backups: the database opened in its turn, and files that are there whole or not at all."""

from __future__ import annotations

import contextlib
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import duckdb

from shared.errors import FixConfiguration, StorageFailed
from shared.warehouse.turn import busy, pause, turn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from shared.errors import CollectError

__all__ = ["PART", "attach", "failed", "making", "opened", "remove"]

#: What is being made; a process that was killed leaves it, and a later backup removes it.
PART = ".part"


@contextmanager
def opened(database: Path, wait: float, *, writing: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a database as ``main_db`` when it is our turn; meanwhile no other process writes it.

    Raises:
        FixConfiguration: there is none, or it is no database.
        WarehouseBusy: another process held it for too long.
    """
    if not database.exists():
        raise FixConfiguration(
            f"there is no database at {database} yet",
            next_step="collect something first: `tcdatalogger run crimes`",
        )
    with (
        turn(database, wait) if writing else contextlib.nullcontext(),
        duckdb.connect(":memory:") as connection,
    ):
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"SET temp_directory = {_text(f'{database}.tmp')}")
        deadline = time.monotonic() + wait
        while True:
            try:
                attach(connection, database, "main_db", writing=writing)
                break
            except duckdb.IOException as error:
                if "lock" not in str(error).lower():
                    raise failed(database, error) from error
                if time.monotonic() > deadline:
                    raise busy(database, "another program", wait) from error
                pause()
        try:
            yield connection
        except (RuntimeError, duckdb.InterruptException) as error:
            # What DuckDB makes of Ctrl-C.
            if "interrupted" in str(error).lower():
                raise KeyboardInterrupt from error
            raise


def attach(connection: duckdb.DuckDBPyConnection, file: Path, name: str, *, writing: bool = False) -> None:
    """Open one more file under a name."""
    connection.execute(f"ATTACH {_text(str(file))} AS {name} ({'READ_WRITE' if writing else 'READ_ONLY'})")


@contextmanager
def making(connection: duckdb.DuckDBPyConnection, file: Path, name: str) -> Iterator[None]:
    """Open a new file under a name; it appears when all has gone well, with all that was written to it.

    Raises:
        StorageFailed: the disk refuses; nothing is left of the file.
    """
    part = file.with_name(f"{file.stem}.{os.getpid()}{PART}")
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        remove(part)
        attach(connection, part, name, writing=True)
        yield
        connection.execute(f"DETACH {name}")
        _to_disk(part)
        part.replace(file)
        _to_disk(file.parent)
    except duckdb.InterruptException:
        raise
    except (duckdb.Error, OSError) as error:
        raise failed(file, error) from error
    finally:
        # Open still if it did not go well.
        with contextlib.suppress(duckdb.Error):
            connection.execute(f"DETACH DATABASE IF EXISTS {name}")
        remove(part)


def remove(file: Path) -> None:
    """Remove a file and the log beside it, as far as they are there."""
    for one in (file, file.with_name(f"{file.name}.wal")):
        one.unlink(missing_ok=True)


def failed(file: Path, error: Exception) -> CollectError:
    """Return what a file's error means for a person."""
    said = (error.strerror or str(error)) if isinstance(error, OSError) else str(error).strip()
    if "not a valid DuckDB database file" in said or "serialized" in said:
        return FixConfiguration(
            f"{file} is not a database this DuckDB can read: {said.splitlines()[0]}",
            next_step="take another backup, or move the file away",
        )
    if "No space left" in said or "File too large" in said:
        return StorageFailed(
            f"no space left for {file}; nothing was changed, and nothing is left of what was begun",
            next_step="free some space and do it again",
        )
    return StorageFailed(f"{file}: {said}; nothing was changed", next_step="see to the disk and do it again")


def _text(value: str) -> str:
    """Return a text as SQL takes it literally."""
    return "'" + value.replace("'", "''") + "'"


def _to_disk(place: Path) -> None:
    handle = os.open(place, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

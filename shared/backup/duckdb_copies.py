"""The folder of a database's copies: what is in it, and what is past its time."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from datetime import time as time_of_day
from typing import TYPE_CHECKING, NamedTuple

import duckdb

from shared.backup import Snapshot
from shared.backup.duckdb_files import PART, attach, failed, remove
from shared.backup.retention import Kind, end, read_stem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date
    from pathlib import Path

__all__ = ["SUFFIX", "Copies", "Copy", "describe", "snapshot"]

SUFFIX = ".duckdb"
#: Seconds after which what is being made is taken for left behind.
_LEFT_BEHIND = 24 * 3600.0


class Copy(NamedTuple):
    """A copy's file, and what its name tells."""

    file: Path
    day: date
    kind: Kind


class Copies:
    """The copies of one database; ``told`` hears of those that cannot be read."""

    def __init__(self, database: Path, told: Callable[[str], None]) -> None:
        self.folder = database.with_name(f"{database.name}.backups")
        self._told = told

    def files(self) -> list[Copy]:
        """Return the copies, by the names that only a backup gives."""
        known = ((file, read_stem(file.stem)) for file in sorted(self.folder.glob(f"*{SUFFIX}")))
        return [Copy(file, *found) for file, found in known if found is not None]

    def read(self, copy: Copy) -> list[Snapshot]:
        """Return what a copy says it has; nothing if it cannot be read: the others may still serve."""
        with duckdb.connect(":memory:") as connection:
            try:
                attach(connection, copy.file, "copy_db")
                found = connection.execute(
                    "SELECT table_name, epoch_us(taken_at), row_count FROM copy_db._backup ORDER BY ALL"
                ).fetchall()
            except duckdb.CatalogException:
                self._told(f"left out: {copy.file} does not say what it has; it is no backup")
                return []
            except duckdb.Error as error:
                self._told(f"left out: {failed(copy.file, error).message}")
                return []
        return [
            snapshot(copy, name, datetime.fromtimestamp(at / 1_000_000, UTC), rows)
            for name, at, rows in found
            if not name.startswith("_")
        ]

    def tidy(self, now: datetime) -> None:
        """Remove the copies that are past their time, and what killed processes left."""
        for copy in self.files():
            first, last = (datetime.combine(copy.day, at, UTC) for at in (time_of_day.min, time_of_day.max))
            if end(copy.kind, first) > now:
                continue
            # Perhaps: the name has the day alone.
            if end(copy.kind, max((one.taken_at for one in self.read(copy)), default=last)) <= now:
                remove(copy.file)
        for file in self.folder.glob(f"*{PART}*"):
            if time.time() - file.stat().st_mtime > _LEFT_BEHIND:
                file.unlink(missing_ok=True)


def snapshot(copy: Copy, table: str, taken_at: datetime, rows: int, *, new: bool = False) -> Snapshot:
    """Return one table of a copy."""
    expires = end(copy.kind, taken_at)
    return Snapshot(
        table=table,
        name=copy.file.stem,
        kind=copy.kind,
        taken_at=taken_at,
        expires=expires,
        rows=rows,
        new=new,
    )


def describe(
    connection: duckdb.DuckDBPyConnection, database: str, now: datetime, rows: Mapping[str, int]
) -> None:
    """Write down in a copy what it has, and of when."""
    connection.execute(
        f"CREATE OR REPLACE TABLE {database}._backup (taken_at TIMESTAMP WITH TIME ZONE NOT NULL, "
        "table_name VARCHAR NOT NULL, row_count BIGINT NOT NULL)"
    )
    connection.executemany(
        f"INSERT INTO {database}._backup VALUES (?, ?, ?)", [[now, name, n] for name, n in rows.items()]
    )

"""Backups of a DuckDB file: one whole copy a day, in the folder ``<file>.backups`` beside it.

A copy is made while nobody can write the database, table by table with their columns, comments and
views, and its rows are counted before it gets its name. It is a database like any other: it can be
queried, or put in the place of the one that was lost. What is in it, and when it was taken, it says
itself, in its table ``_backup``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import duckdb

from shared.backup.duckdb_copies import SUFFIX, Copies, Copy, describe, snapshot
from shared.backup.duckdb_files import attach, failed, making, opened, remove
from shared.backup.duckdb_restore import put_back, put_beside
from shared.backup.retention import kind_for, stem
from shared.errors import BrokenContract, FixConfiguration
from shared.warehouse.duckdb_schema import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from datetime import datetime
    from pathlib import Path

    from shared.backup import Restored, Snapshot

__all__ = ["DuckDBBackups"]

_TABLES = (
    "SELECT table_name FROM duckdb_tables() WHERE database_name = 'main_db' AND schema_name = 'main' "
    "AND NOT internal AND table_name <> '_backup' ORDER BY ALL"
)


class DuckDBBackups:
    """The copies beside one DuckDB file; ``told`` hears of those that cannot be read."""

    def __init__(
        self, database: Path, *, wait: float = 60.0, told: Callable[[str], None] = lambda _: None
    ) -> None:
        self._database = database
        self._wait = wait
        self._copies = Copies(database, told)

    def tables(self) -> list[str]:
        """Return the tables that are there, but not those that the database keeps for itself."""
        with opened(self._database, self._wait) as connection:
            return [name for name in _tables(connection) if not name.startswith("_")]

    def rows(self, tables: Iterable[str]) -> dict[str, int]:
        """Count rows."""
        wanted = list(tables)
        with opened(self._database, self._wait) as connection:
            there = _tables(connection)
            return {name: _count(connection, "main_db", name) for name in wanted if name in there}

    def snapshots(self, tables: Collection[str] | None = None) -> list[Snapshot]:
        """Return what the copies say they have; the oldest first."""
        found = [
            one
            for copy in self._copies.files()
            for one in self._copies.read(copy)
            if tables is None or one.table in tables
        ]
        return sorted(found, key=lambda one: (one.taken_at, one.table))

    def take(self, now: datetime) -> list[Snapshot]:
        """Copy the database, unless there is a copy of this day; then remove copies past their time.

        Raises:
            FixConfiguration: there is no database.
            StorageFailed: the disk refuses; there is no half of a copy then.
            WarehouseBusy: another process held the database for too long.
        """
        scheduled = [copy for copy in self._copies.files() if copy.kind != "undo"]
        for copy in scheduled:
            if copy.day == now.date() and (found := self._copies.read(copy)):
                return found
        kind = kind_for(now.date(), [(copy.day, copy.kind) for copy in scheduled if copy.day < now.date()])
        file = self._copies.folder / f"{stem(kind, now)}{SUFFIX}"
        kept = self._copy(file, now)
        self._copies.tidy(now)
        made = Copy(file, now.date(), kind)
        return [
            snapshot(made, name, now, rows, new=True)
            for name, rows in kept.items()
            if not name.startswith("_")
        ]

    def restore(
        self, chosen: Sequence[Snapshot], now: datetime, *, to: str | None = None, dry_run: bool = False
    ) -> list[Restored]:
        """Put tables back in one transaction, and keep what they had in a copy of its own.

        Raises:
            FixConfiguration: the rows do not fit.
            BrokenContract: what was restored is not what the copy has; nothing was changed.
            StorageFailed, WarehouseBusy: as ``take``.
        """
        with opened(self._database, self._wait, writing=True) as connection:
            aliases = {name: f"copy_{n}" for n, name in enumerate(dict.fromkeys(one.name for one in chosen))}
            try:
                for name, alias in aliases.items():
                    attach(connection, self._copies.folder / f"{name}{SUFFIX}", alias)
                sources = [(one, aliases[one.name]) for one in chosen]
                if to is not None:
                    return [put_beside(connection, *sources[0], to)]
                return self._instead(connection, sources, now, dry_run=dry_run)
            except (duckdb.IOException, duckdb.FatalException, duckdb.TransactionException) as error:
                raise failed(self._database, error) from error

    def _instead(
        self,
        connection: duckdb.DuckDBPyConnection,
        sources: Sequence[tuple[Snapshot, str]],
        now: datetime,
        *,
        dry_run: bool,
    ) -> list[Restored]:
        # Another database cannot be written in the same transaction. What is found wrong is found
        # the first time, before there is anything to undo.
        connection.begin()
        done = put_back(connection, sources, now)
        connection.rollback()
        if dry_run:
            return done
        undo = self._keep(connection, [one.table for one, _ in sources], now)
        try:
            connection.begin()
            done = put_back(connection, sources, now)
            connection.commit()
        except BaseException:
            remove(undo)
            raise
        return [replace(one, undo=undo.stem) for one in done]

    def _copy(self, file: Path, now: datetime) -> dict[str, int]:
        """Copy the database; return the rows of every table, which are as many as there."""
        with opened(self._database, self._wait) as connection, making(connection, file, "copy_db"):
            connection.execute("COPY FROM DATABASE main_db TO copy_db")
            kept = {name: _count(connection, "copy_db", name) for name in _tables(connection)}
            for name, rows in kept.items():
                there = _count(connection, "main_db", name)
                if rows != there:
                    raise BrokenContract(
                        f"the copy has {rows} rows of {name} and the database {there}; the copy was not kept",
                        next_step="see to the disk, and back it up again",
                    )
            describe(connection, "copy_db", now, kept)
        return kept

    def _keep(self, connection: duckdb.DuckDBPyConnection, tables: Sequence[str], now: datetime) -> Path:
        """Copy what a restore replaces into a file of its own."""
        file = self._copies.folder / f"{stem('undo', now)}{SUFFIX}"
        if file.exists():
            raise FixConfiguration(
                f"{file.name} is there already: something was restored this very second",
                next_step="restore it again",
            )
        with making(connection, file, "undo_db"):
            for name in tables:
                connection.execute(f"CREATE TABLE undo_db.{quoted(name)} AS FROM main_db.main.{quoted(name)}")
            describe(connection, "undo_db", now, {n: _count(connection, "undo_db", n) for n in tables})
        return file


def _tables(connection: duckdb.DuckDBPyConnection) -> list[str]:
    return [name for (name,) in connection.execute(_TABLES).fetchall()]


def _count(connection: duckdb.DuckDBPyConnection, database: str, table: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM {database}.main.{quoted(table)}").fetchall()[0][0])

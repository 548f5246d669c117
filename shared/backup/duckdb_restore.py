"""The way back in DuckDB: into a new table, counted, and taken over, all in one transaction.

The table's rows are deleted and the others inserted: its columns, comments and NOT NULL stay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.backup import Restored
from shared.backup.fitting import Shape, insertable
from shared.errors import BrokenContract, FixConfiguration
from shared.warehouse.duckdb_schema import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import duckdb

    from shared.backup import Snapshot

__all__ = ["put_back", "put_beside"]


def put_beside(connection: duckdb.DuckDBPyConnection, snapshot: Snapshot, source: str, name: str) -> Restored:
    """Restore a table under another name; ``source`` is the copy, as it is attached.

    Raises:
        FixConfiguration: the name is taken.
        BrokenContract: the copy does not have the rows that it says it has.
    """
    taken = connection.execute(
        "SELECT count(*) FROM duckdb_columns() WHERE database_name = 'main_db' AND table_name = ?", [name]
    ).fetchall()[0][0]
    if taken:
        raise FixConfiguration(f"there is a table {name} already", next_step="choose another name")
    connection.begin()
    rows = _copied(connection, snapshot, source, name)
    connection.commit()
    return Restored(table=snapshot.table, source=snapshot.name, into=name, rows=rows)


def put_back(
    connection: duckdb.DuckDBPyConnection, chosen: Sequence[tuple[Snapshot, str]], now: datetime
) -> list[Restored]:
    """Put tables back, in the transaction that was begun.

    Raises:
        FixConfiguration: the rows do not fit into the table as it is now.
        BrokenContract: the copy does not have the rows that it says it has.
    """
    return [_one(connection, snapshot, source, now) for snapshot, source in chosen]


def _one(connection: duckdb.DuckDBPyConnection, snapshot: Snapshot, source: str, now: datetime) -> Restored:
    name = snapshot.table
    shape = _shape(connection, "main_db", name)
    if not shape:
        raise FixConfiguration(
            f"there is no table {name} to restore into",
            next_step="make it: `tcdatalogger tables apply`; then again",
        )
    beside = f"{name}__restored_{now:%Y%m%dT%H%M%S}"
    rows = _copied(connection, snapshot, source, beside)
    columns = ", ".join(map(quoted, insertable(name, shape, _shape(connection, source, name))))
    table, new = f"main_db.main.{quoted(name)}", f"main_db.main.{quoted(beside)}"
    before = _count(connection, table)
    connection.execute(f"DELETE FROM {table}")
    connection.execute(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {new}")
    connection.execute(f"DROP TABLE {new}")
    if (found := _count(connection, table)) != rows:
        raise BrokenContract(
            f"{name} would have {found} rows and its backup has {rows}; nothing was changed",
            next_step="try another backup",
        )
    return Restored(table=name, source=snapshot.name, into=name, rows=rows, rows_before=before)


def _copied(connection: duckdb.DuckDBPyConnection, snapshot: Snapshot, source: str, name: str) -> int:
    new = f"main_db.main.{quoted(name)}"
    connection.execute(f"CREATE TABLE {new} AS FROM {source}.main.{quoted(snapshot.table)}")
    rows = _count(connection, new)
    if rows != snapshot.rows:
        raise BrokenContract(
            f"{snapshot.name} had {snapshot.rows} rows of {snapshot.table} and has {rows} now; "
            "nothing was changed",
            next_step="try another backup",
        )
    return rows


def _shape(connection: duckdb.DuckDBPyConnection, database: str, table: str) -> dict[str, Shape]:
    found = connection.execute(
        "SELECT column_name, data_type, is_nullable FROM duckdb_columns() "
        "WHERE database_name = ? AND schema_name = 'main' AND table_name = ? ORDER BY column_index",
        [database, table],
    ).fetchall()
    return {name: Shape(type_, not nullable) for name, type_, nullable in found}


def _count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0])

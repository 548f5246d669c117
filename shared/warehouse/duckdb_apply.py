"""What a DuckDB file's tables lack of what is declared, and what of it cannot be given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.ledger import LEDGER
from shared.released import declared_tables
from shared.warehouse import Change
from shared.warehouse.duckdb_schema import DUCKDB_TYPES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    import duckdb

    from shared.endpoint import Column, Endpoint

__all__ = ["changes"]

_THERE = (
    "SELECT table_name, column_name, data_type, is_nullable FROM duckdb_columns() "
    "WHERE schema_name = 'main' AND NOT internal AND database_name = current_database()"
)
_VIEWS = (
    "SELECT view_name FROM duckdb_views() "
    "WHERE schema_name = 'main' AND NOT internal AND database_name = current_database()"
)


def changes(connection: duckdb.DuckDBPyConnection, endpoints: Iterable[Endpoint]) -> list[Change]:
    """Return what differs between the tables that are there and those that are declared."""
    there: dict[str, dict[str, tuple[str, bool]]] = {}
    for table, column, type_, nullable in connection.execute(_THERE).fetchall():
        there.setdefault(table, {})[column] = (type_, nullable)
    views = {name for (name,) in connection.execute(_VIEWS).fetchall()}
    wanted: dict[str, Mapping[str, Column]] = {name: table.columns for name, table in LEDGER.items()}
    for endpoint in endpoints:
        wanted |= {name: columns for name, (_, columns) in declared_tables(endpoint).items()}
    return [change for name, columns in wanted.items() for change in _changes(name, columns, there, views)]


def _changes(
    name: str,
    columns: Mapping[str, Column],
    there: Mapping[str, Mapping[str, tuple[str, bool]]],
    views: Collection[str],
) -> Iterator[Change]:
    if name in views:
        yield Change(name, "it is a view; a table of this name is to be made", refused=True)
    elif name in there:
        yield from _table(name, columns, there[name])
    else:
        yield Change(name, "made")


def _table(
    name: str, columns: Mapping[str, Column], there: Mapping[str, tuple[str, bool]]
) -> Iterator[Change]:
    for gone in there:
        if gone not in columns:
            what = f"the column {gone} is there and not declared: it would be lost"
            yield Change(name, what, refused=True)
    for column_name, column in columns.items():
        wanted = DUCKDB_TYPES[column.type]
        if column_name not in there:
            required = f"the column {column_name} is new and REQUIRED: older rows do not have it"
            yield Change(
                name, required if column.required else f"column {column_name} added", refused=column.required
            )
            continue
        type_, nullable = there[column_name]
        if type_ != wanted:
            yield Change(name, f"the column {column_name} is {type_} and declared {wanted}", refused=True)
        elif nullable and column.required:
            what = f"the column {column_name} is NULLABLE and declared REQUIRED: it may hold NULLs"
            yield Change(name, what, refused=True)
        elif not nullable and not column.required:
            yield Change(name, f"column {column_name} may be NULL")

"""Tables, columns and comments of a DuckDB file, made from what is declared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.endpoint_rules import table_columns
from shared.errors import FixConfiguration
from shared.ledger import LEDGER
from shared.warehouse.views import VIEWS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb

    from shared.endpoint import Column, Endpoint

__all__ = ["DUCKDB_TYPES", "ensure_endpoint", "ensure_ledger", "quoted"]

DUCKDB_TYPES = {
    "STRING": "VARCHAR",
    "INTEGER": "BIGINT",
    "FLOAT": "DOUBLE",
    "BOOLEAN": "BOOLEAN",
    "TIMESTAMP": "TIMESTAMP WITH TIME ZONE",
    "DATE": "DATE",
    "JSON": "JSON",
}


def quoted(name: str) -> str:
    """Return a name as SQL takes it literally."""
    return '"' + name.replace('"', '""') + '"'


def ensure_ledger(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the ledger's tables and views where they are missing."""
    made = False
    known = _known(connection)
    for name, table in LEDGER.items():
        made |= _ensure(connection, name, table.description, table.columns, known)
    if made:
        for name, (sql, description) in VIEWS.items():
            connection.execute(f"CREATE OR REPLACE VIEW {quoted(name)} AS {sql}")
            connection.execute(f"COMMENT ON VIEW {quoted(name)} IS {_text(description)}")


def ensure_endpoint(connection: duckdb.DuckDBPyConnection, endpoint: Endpoint) -> None:
    """Make an endpoint's tables, and the columns that were declared since.

    Raises:
        FixConfiguration: a column has another type than declared.
    """
    known = _known(connection)
    for name, table in endpoint.tables.items():
        _ensure(connection, name, table.description, table_columns(endpoint, name), known)


def _known(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, tuple[str, str]]]:
    rows = connection.execute(
        "SELECT table_name, column_name, data_type, comment FROM duckdb_columns() "
        "WHERE schema_name = 'main' AND NOT internal AND database_name = current_database()"
    ).fetchall()
    known: dict[str, dict[str, tuple[str, str]]] = {}
    for table, column, type_, comment in rows:
        known.setdefault(table, {})[column] = (type_, comment or "")
    return known


def _ensure(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    description: str,
    columns: Mapping[str, Column],
    known: Mapping[str, Mapping[str, tuple[str, str]]],
) -> bool:
    """Bring one table up to what is declared; say whether anything changed."""
    there = known.get(name)
    if there is None:
        body = ", ".join(
            f"{quoted(c)} {DUCKDB_TYPES[column.type]}{' NOT NULL' if column.required else ''}"
            for c, column in columns.items()
        )
        connection.execute(f"CREATE TABLE {quoted(name)} ({body})")
        connection.execute(f"COMMENT ON TABLE {quoted(name)} IS {_text(description)}")
        there = {}
    else:
        for column_name, column in columns.items():
            wanted = DUCKDB_TYPES[column.type]
            if column_name not in there:
                connection.execute(f"ALTER TABLE {quoted(name)} ADD COLUMN {quoted(column_name)} {wanted}")
            elif there[column_name][0] != wanted:
                raise FixConfiguration(
                    f"the column {name}.{column_name} is {there[column_name][0]} in the warehouse "
                    f"and {column.type} in endpoint.yaml",
                    next_step="columns keep their type; declare a new one beside it",
                )
    changed = False
    for column_name, column in columns.items():
        if there.get(column_name, ("", ""))[1] != column.description:
            changed = True
            connection.execute(
                f"COMMENT ON COLUMN {quoted(name)}.{quoted(column_name)} IS {_text(column.description)}"
            )
    return changed


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"

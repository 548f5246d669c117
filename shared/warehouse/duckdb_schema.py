"""Tables, columns and comments of a DuckDB file, made from what is declared."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec

from shared.endpoint_rules import table_columns
from shared.errors import FixConfiguration
from shared.ledger import LEDGER, LEDGER_VERSION
from shared.warehouse.views import VIEWS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb

    from shared.endpoint import Column, Endpoint

    #: Table → (description, columns).
    Declared = Mapping[str, tuple[str, Mapping[str, Column]]]

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
    tables = {name: (table.description, table.columns) for name, table in LEDGER.items()}
    if _ensure_all(connection, "ledger", LEDGER_VERSION, tables, None):
        for name, (sql, description) in VIEWS.items():
            connection.execute(f"CREATE OR REPLACE VIEW {quoted(name)} AS {sql}")
            connection.execute(f"COMMENT ON VIEW {quoted(name)} IS {_text(description)}")


def ensure_endpoint(connection: duckdb.DuckDBPyConnection, endpoint: Endpoint, run_id: str) -> None:
    """Make an endpoint's tables, and the columns that were declared since.

    Raises:
        FixConfiguration: a column has another type than declared.
    """
    tables = {
        name: (table.description, table_columns(endpoint, name)) for name, table in endpoint.tables.items()
    }
    _ensure_all(connection, endpoint.name, endpoint.version, tables, run_id)


def _ensure_all(
    connection: duckdb.DuckDBPyConnection,
    owner: str,
    version: int,
    tables: Declared,
    run_id: str | None,
) -> bool:
    """Bring tables up to what is declared; say whether it differed from what was written last.

    Reading the catalogue's columns costs more than writing a run, so they are compared only when
    the declaration is not the one that this file has seen last, or a table is gone.
    """
    fingerprint = _fingerprint(tables)
    names = {row[0] for row in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    if "schema_versions" in names and names.issuperset(tables):
        last = connection.execute(
            "SELECT arg_max(fingerprint, seen_at) FROM schema_versions WHERE endpoint = ?", [owner]
        ).fetchall()
        if last[0][0] == fingerprint:
            return False
    known = _known(connection)
    for name, (description, columns) in tables.items():
        _ensure(connection, name, description, columns, known)
    connection.execute(
        "INSERT INTO schema_versions VALUES (?, ?, ?, ?, now())", [owner, version, fingerprint, run_id]
    )
    return True


def _fingerprint(tables: Declared) -> str:
    facts = [
        (name, description, [(n, c.type, c.mode, c.description) for n, c in columns.items()])
        for name, (description, columns) in tables.items()
    ]
    return hashlib.sha256(msgspec.json.encode(facts)).hexdigest()


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
) -> None:
    there = known.get(name)
    if there is None:
        body = ", ".join(
            f"{quoted(c)} {DUCKDB_TYPES[column.type]}{' NOT NULL' if column.required else ''}"
            for c, column in columns.items()
        )
        connection.execute(f"CREATE TABLE {quoted(name)} ({body})")
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
    connection.execute(f"COMMENT ON TABLE {quoted(name)} IS {_text(description)}")
    for column_name, column in columns.items():
        if there.get(column_name, ("", ""))[1] != column.description:
            connection.execute(
                f"COMMENT ON COLUMN {quoted(name)}.{quoted(column_name)} IS {_text(column.description)}"
            )


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"

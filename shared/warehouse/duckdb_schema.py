"""Tables, columns and comments of a DuckDB file, made from what is declared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.errors import FixConfiguration
from shared.ledger import LEDGER, LEDGER_VERSION
from shared.released import declared_tables, fingerprint
from shared.warehouse.views import VIEWS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb

    from shared.endpoint import Column, Endpoint
    from shared.released import Declared

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

#: The declaration that each endpoint's tables follow. No endpoint's table begins with _.
_FOLLOWED = "_followed"


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


def ensure_endpoint(connection: duckdb.DuckDBPyConnection, endpoint: Endpoint, run_id: str | None) -> None:
    """Make an endpoint's tables, and the columns that were declared since.

    Raises:
        FixConfiguration: a column has another type than declared.
    """
    _ensure_all(connection, endpoint.name, endpoint.version, declared_tables(endpoint), run_id)


def _ensure_all(
    connection: duckdb.DuckDBPyConnection,
    owner: str,
    version: int,
    tables: Declared,
    run_id: str | None,
) -> bool:
    """Bring tables up to what is declared; say whether they followed another declaration.

    Reading the catalogue's columns costs more than writing a run, so they are compared only when
    the declaration is not the one that they follow, or a table is gone. That cannot be told from
    ``schema_versions``, which notes each declaration once, whichever ran last.
    """
    mark = fingerprint(tables)
    names = {row[0] for row in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    if _FOLLOWED not in names:
        connection.execute(
            f"CREATE TABLE {_FOLLOWED} (endpoint VARCHAR NOT NULL, fingerprint VARCHAR NOT NULL)"
        )
        connection.execute(
            f"COMMENT ON TABLE {_FOLLOWED} IS 'Which declaration the tables of an endpoint follow now.'"
        )
    elif names.issuperset(tables):
        followed = connection.execute(
            f"SELECT fingerprint FROM {_FOLLOWED} WHERE endpoint = ?", [owner]
        ).fetchall()
        if followed == [(mark,)]:
            return False
    known = _known(connection)
    for name, (description, columns) in tables.items():
        _ensure(connection, name, description, columns, known)
    connection.execute(f"DELETE FROM {_FOLLOWED} WHERE endpoint = ?", [owner])
    connection.execute(f"INSERT INTO {_FOLLOWED} VALUES (?, ?)", [owner, mark])
    # Once each: an older version that runs again, perhaps by turns with a newer one, adds nothing.
    connection.execute(
        "INSERT INTO schema_versions SELECT $owner, $version, $mark, $run_id, now() WHERE NOT EXISTS "
        "(FROM schema_versions WHERE endpoint = $owner AND fingerprint = $mark)",
        {"owner": owner, "version": version, "mark": mark, "run_id": run_id},
    )
    return True


def _known(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, tuple[str, str, bool]]]:
    """Return what is there: table → column → type, comment, and whether it may be NULL."""
    rows = connection.execute(
        "SELECT table_name, column_name, data_type, comment, is_nullable FROM duckdb_columns() "
        "WHERE schema_name = 'main' AND NOT internal AND database_name = current_database()"
    ).fetchall()
    known: dict[str, dict[str, tuple[str, str, bool]]] = {}
    for table, column, type_, comment, nullable in rows:
        known.setdefault(table, {})[column] = (type_, comment or "", nullable)
    return known


def _ensure(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    description: str,
    columns: Mapping[str, Column],
    known: Mapping[str, Mapping[str, tuple[str, str, bool]]],
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
            elif not (column.required or there[column_name][2]):
                connection.execute(
                    f"ALTER TABLE {quoted(name)} ALTER COLUMN {quoted(column_name)} DROP NOT NULL"
                )
    connection.execute(f"COMMENT ON TABLE {quoted(name)} IS {_text(description)}")
    for column_name, column in columns.items():
        if column_name not in there or there[column_name][1] != column.description:
            connection.execute(
                f"COMMENT ON COLUMN {quoted(name)}.{quoted(column_name)} IS {_text(column.description)}"
            )


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"

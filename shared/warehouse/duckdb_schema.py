"""Tables, columns, comments and views of a DuckDB file, made from what is declared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from shared.errors import FixConfiguration
from shared.ledger import LEDGER, LEDGER_VERSION
from shared.logs import log
from shared.released import declared_tables, fingerprint
from shared.warehouse.views import digest, endpoint_views, ledger_views

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

    from shared.endpoint import Column, Endpoint
    from shared.released import Declared
    from shared.views import View

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
    if _ensure_all(connection, "ledger", tables, ledger_views()):
        _note(connection, "ledger", LEDGER_VERSION, tables, None)


def ensure_endpoint(connection: duckdb.DuckDBPyConnection, endpoint: Endpoint, run_id: str | None) -> None:
    """Make an endpoint's tables, the columns that were declared since, and the views over them.

    Raises:
        FixConfiguration: a column has another type than declared.
    """
    tables = declared_tables(endpoint)
    if _ensure_all(connection, endpoint.name, tables, endpoint_views(endpoint)):
        _note(connection, endpoint.name, endpoint.version, tables, run_id)


def _ensure_all(
    connection: duckdb.DuckDBPyConnection, owner: str, tables: Declared, views: Sequence[View]
) -> bool:
    """Bring tables and views up to what is declared; say whether they followed another declaration.

    Reading the catalogue's columns costs more than writing a run, so they are compared only when
    the declaration is not the one that they follow, or a table is gone. That cannot be told from
    ``schema_versions``, which notes each declaration once, whichever ran last.
    """
    mark = f"{fingerprint(tables)} {digest(views)}"
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
    _make_views(connection, views, names | tables.keys())
    connection.execute(f"DELETE FROM {_FOLLOWED} WHERE endpoint = ?", [owner])
    connection.execute(f"INSERT INTO {_FOLLOWED} VALUES (?, ?)", [owner, mark])
    return True


def _note(
    connection: duckdb.DuckDBPyConnection, owner: str, version: int, tables: Declared, run_id: str | None
) -> None:
    """Note in ``schema_versions`` who first wrote tables that are declared so."""
    # Once each: an older version that runs again, perhaps by turns with a newer one, adds nothing.
    connection.execute(
        "INSERT INTO schema_versions SELECT $owner, $version, $mark, $run_id, now() WHERE NOT EXISTS "
        "(FROM schema_versions WHERE endpoint = $owner AND fingerprint = $mark)",
        {"owner": owner, "version": version, "mark": fingerprint(tables), "run_id": run_id},
    )


def _make_views(connection: duckdb.DuckDBPyConnection, views: Sequence[View], tables: Container[str]) -> None:
    """Make the views whose tables are there; the endpoint whose table comes last makes the others."""
    there = [v for v in views if all(table in tables for table in v.tables) and v.name not in tables]
    unfit = _unfit(connection, [view for view in there if not view.is_generated])
    for view in there:
        if view.name in unfit:
            log.warning("the view %s was not made: %s", view.name, unfit[view.name])
            continue
        connection.execute(_create(view))
        connection.execute(f"COMMENT ON VIEW {quoted(view.name)} IS {_text(view.description)}")


def _unfit(connection: duckdb.DuckDBPyConnection, views: Sequence[View]) -> dict[str, str]:
    """Return why views cannot be made: a table lacks a column until its own endpoint's next run.

    Rows come first, and a statement that fails would end their transaction, so each view is tried in a
    database of the same tables without rows.
    """
    found: dict[str, str] = {}
    if not views:
        return found
    known = _known(connection)
    with duckdb.connect() as trial:
        for table in sorted({table for view in views for table in view.tables}):
            columns = ", ".join(f"{quoted(name)} {type_}" for name, (type_, _, _) in known[table].items())
            trial.execute(f"CREATE TABLE {quoted(table)} ({columns})")
        for view in views:
            try:
                trial.execute(_create(view))
            except duckdb.Error as error:
                found[view.name] = str(error).partition("\n")[0]
    return found


def _create(view: View) -> str:
    return f"CREATE OR REPLACE VIEW {quoted(view.name)} AS {view.sql}"


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

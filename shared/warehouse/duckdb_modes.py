"""How a family of tables takes a run's rows: append, replace or merge.

An older state never overwrites a newer one: a merge takes a root row, and with it its children,
only where it is not older than the stored one; a replace older than the table's last is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.logs import log
from shared.warehouse.duckdb_schema import quoted
from shared.warehouse.families import root_key
from shared.warehouse.refusals import most_before, refuse_empty, shrunk

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import duckdb

    from shared.endpoint import Endpoint, Table
    from shared.warehouse.families import Family
    from shared.warehouse.staging import Staging

__all__ = ["write_family"]


def write_family(
    connection: duckdb.DuckDBPyConnection,
    endpoint: Endpoint,
    family: Family,
    staged: Mapping[str, Staging],
    account: str,
) -> dict[str, int] | None:
    """Write a root and its children; return rows per table, or None when a newer state is there.

    Raises:
        ReplaceRefused: a table would be left empty, or with much less, than it may.
    """
    mode = endpoint.tables[family.root].mode
    sources = {name: staged[name].source for name in family.tables if staged[name].ready()}
    try:
        if mode == "merge":
            return _merge(connection, endpoint, family, sources, staged)
        if mode == "replace":
            for name in family.tables:
                refuse_empty(name, endpoint.tables[name], staged[name].count)
            if _is_newer_there(connection, endpoint, family, sources, account):
                return None
            for name in family.tables:
                _refuse_shrinking(connection, name, endpoint.tables[name], staged[name].count, account)
            for name in family.tables:
                connection.execute(f"DELETE FROM {quoted(name)} WHERE _account = ?", [account])
        return {name: _insert(connection, name, sources.get(name)) for name in family.tables}
    finally:
        for name in family.tables:
            staged[name].close()


def _refuse_shrinking(
    connection: duckdb.DuckDBPyConnection, name: str, table: Table, count: int, account: str
) -> None:
    most = most_before(table, count)
    there = f"SELECT count(*) FROM {quoted(name)} WHERE _account = ?"
    if most is not None and connection.execute(there, [account]).fetchall()[0][0] > most:
        raise shrunk(name)


def _is_newer_there(
    connection: duckdb.DuckDBPyConnection,
    endpoint: Endpoint,
    family: Family,
    sources: Mapping[str, str],
    account: str,
) -> bool:
    version = endpoint.tables[family.root].version_column
    if version is None or family.root not in sources:
        return False
    newer = connection.execute(
        f"SELECT (SELECT max({quoted(version)}) FROM {quoted(family.root)} WHERE _account = ?) "
        f"> (SELECT max({quoted(version)}) FROM {sources[family.root]})",
        [account],
    ).fetchall()
    return bool(newer[0][0])


def _merge(
    connection: duckdb.DuckDBPyConnection,
    endpoint: Endpoint,
    family: Family,
    sources: Mapping[str, str],
    staged: Mapping[str, Staging],
) -> dict[str, int] | None:
    root = family.root
    written = dict.fromkeys(family.tables, 0)
    if root not in sources:
        return written
    key = ["_account", *endpoint.tables[root].key]
    version = endpoint.tables[root].version_column
    assert version is not None
    same = _same("t", key, "s", key)
    older = connection.execute(
        f"SELECT count(*) FROM {sources[root]} AS s WHERE EXISTS "
        f"(SELECT 1 FROM {quoted(root)} AS t WHERE {same} AND t.{quoted(version)} > s.{quoted(version)})"
    ).fetchall()[0][0]
    if older == staged[root].count:
        return None
    taken = sources[root]
    if older:
        log.info("%d of %d rows are older than those in %s and are left out", older, staged[root].count, root)
        columns = ", ".join(f"s.{quoted(column)}" for column in key)
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE taken AS "
            f"SELECT {columns} FROM {sources[root]} AS s WHERE NOT EXISTS "
            f"(SELECT 1 FROM {quoted(root)} AS t WHERE {same} AND t.{quoted(version)} > s.{quoted(version)})"
        )
        taken = "temp.taken"
    for name in family.tables:
        own = ["_account", *root_key(endpoint, family, name)]
        match = _same("t", own, "s", key)
        connection.execute(f"DELETE FROM {quoted(name)} AS t USING {taken} AS s WHERE {match}")
        only = f"SEMI JOIN {taken} AS s ON {match}" if older else ""
        written[name] = _insert(connection, name, sources.get(name), only)
    return written


def _insert(connection: duckdb.DuckDBPyConnection, name: str, source: str | None, only: str = "") -> int:
    if source is None:
        return 0
    count: int = connection.execute(
        f"INSERT INTO {quoted(name)} BY NAME SELECT t.* FROM {source} AS t {only}"
    ).fetchall()[0][0]
    log.debug("wrote %s: %d rows", name, count)
    return count


def _same(left: str, columns: Sequence[str], right: str, others: Sequence[str]) -> str:
    return " AND ".join(
        f"{left}.{quoted(one)} = {right}.{quoted(other)}" for one, other in zip(columns, others, strict=True)
    )

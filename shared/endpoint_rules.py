"""The rules of an endpoint that a JSON Schema cannot say.

Each problem is ``(path of keys, what was found and what is allowed)``; all are found at once. What
a column may be is in ``column_rules``.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from shared.column_rules import column_problems, names, path_problem
from shared.endpoint import DERIVED, Column
from shared.request_rules import request_problems
from shared.schedule import every
from shared.views import view_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from shared.endpoint import Endpoint, Table
    from shared.yaml_tree import Problem

__all__ = [
    "RESERVED_COLUMNS",
    "RESERVED_TABLES",
    "request_of",
    "root_table",
    "rule_problems",
    "table_columns",
]

#: Every table carries these; a file must not declare them.
RESERVED_COLUMNS = {
    "_run_id": Column(
        type="STRING", mode="REQUIRED", from_="$run_id", description="The run that wrote the row."
    ),
    "_account": Column(
        type="STRING", mode="REQUIRED", from_="$account", description="The account it was read for."
    ),
}
#: The ledger's own tables.
RESERVED_TABLES = (
    "runs",
    "rejected_rows",
    "drift",
    "schema_versions",
    "drift_history",
    "row_changes",
    "null_share_changes",
)

_OFTEN = timedelta(minutes=5)
_TOO_OFTEN = (
    "under PT5M needs `writer: stream`: a BigQuery table takes 1,500 load jobs a day, failed ones too, "
    "and PT1M makes 1,440 for each account"
)
_DAYS = {"TIMESTAMP", "DATE"}
# What cannot be compared, or not sorted by.
_UNFIT = {"key": {"JSON"}, "cluster": {"JSON", "FLOAT"}}


def root_table(endpoint: Endpoint, name: str) -> str | None:
    """Return the table of the records that ``name``'s rows are part of; None when there is none."""
    table = endpoint.tables[name]
    if table.each is None:
        return None
    if table.of is not None:
        return table.of
    for other, candidate in endpoint.tables.items():
        if candidate.each is None and request_of(endpoint, candidate) == request_of(endpoint, table):
            return other
    return None


def request_of(endpoint: Endpoint, table: Table) -> str | None:
    """Return the name of the request that feeds a table."""
    # At most one step per table, so that a loop, which is a mistake of its own, ends.
    for _ in endpoint.tables:
        if table.of is None or table.of not in endpoint.tables:
            break
        table = endpoint.tables[table.of]
    if table.request is None and len(endpoint.requests) == 1:
        return next(iter(endpoint.requests))
    return table.request


def table_columns(endpoint: Endpoint, name: str) -> dict[str, Column]:
    """Return all columns of a table in their order: every table's, the parent's, its own."""
    table = endpoint.tables[name]
    columns = dict(RESERVED_COLUMNS)
    root = root_table(endpoint, name)
    if table.parent and root is not None:
        above = table_columns(endpoint, root)
        keys = endpoint.tables[root].key
        for own, theirs in table.parent.items():
            mode = "REQUIRED" if theirs in keys and above[theirs].required else "NULLABLE"
            columns[own] = msgspec.structs.replace(above[theirs], mode=mode, check=None)
    return {**columns, **table.columns}


def rule_problems(endpoint: Endpoint, folder: str | None = None) -> Iterator[Problem]:
    """Yield what is wrong with an endpoint whose form is right."""
    if folder is not None and endpoint.name != folder:
        yield ("name",), f"found {endpoint.name!r}; it must be the folder's name, {folder!r}"
    try:
        seldom = every(endpoint.every) >= _OFTEN
    except ValueError as error:
        yield ("every",), f"found {error}"
    else:
        if not seldom and endpoint.writer != "stream":
            yield ("every",), f"found {endpoint.every!r}; {_TOO_OFTEN}"
    fed = {request_of(endpoint, table) for table in endpoint.tables.values() if not _loops(endpoint, table)}
    yield from request_problems(endpoint, fed)
    for name, table in endpoint.tables.items():
        at = ("tables", name)
        if name in RESERVED_TABLES:
            yield at, f"{name!r} is one of the ledger's own tables and views ({names(RESERVED_TABLES)})"
        elif name in view_names():
            yield at, f"{name!r} is a view's name, see shared/views"
        latest = name.removesuffix("_latest")
        if latest != name and latest in endpoint.tables:
            yield at, f"{name!r} is the view of the newest rows of {latest!r}"
        yield from ((at + where, what) for where, what in _table(endpoint, name, table))


def _table(endpoint: Endpoint, name: str, table: Table) -> Iterator[Problem]:
    if _loops(endpoint, table):
        yield ("of",), f"found {table.of!r}; it leads back to {name!r}"
        return
    if table.of is not None and table.of not in endpoint.tables:
        yield ("of",), f"found {table.of!r}; the tables are {names(endpoint.tables)}"
        return
    request = request_of(endpoint, table)
    if request not in endpoint.requests:
        found = "missing" if request is None else f"found {request!r}"
        yield ("request",), f"{found}; the requests are {names(endpoint.requests)}"
        return
    yield from _place(endpoint, name, table, request)
    yield from _parent(endpoint, name, table)
    yield from _roles(endpoint, name, table)
    if table.mode == "merge" and not table.key:
        yield ("mode",), "merge needs a `key`"
    if table.mode in {"merge", "replace"} and table.version_column is None:
        yield ("mode",), f"{table.mode} needs a column `from: $fetched_at`, so that the newest state wins"
    if table.allow_empty and table.mode != "replace":
        yield ("allow_empty",), f"is for mode replace; this table's is {table.mode}"
    for column_name, column in table.columns.items():
        at = ("columns", column_name)
        if column_name in RESERVED_COLUMNS:
            yield at, "every table has this column already"
        if column.from_ == "$faction_id" and endpoint.scope == "global":
            yield (*at, "from"), "found '$faction_id'; an endpoint of scope global has none"
        yield from (
            ((*at, *where), what) for where, what in column_problems(column, inside=table.each is not None)
        )


def _place(endpoint: Endpoint, name: str, table: Table, request: str) -> Iterator[Problem]:
    """Yield what is wrong with where the rows come from."""
    for path in table.ignore:
        problem = path_problem(path)
        if problem is not None:
            yield ("ignore",), problem
    if table.each is None:
        yield from _records(endpoint, name, table, request)
        return
    if table.of is not None and table.request not in {None, request}:
        yield ("request",), f"found {table.request!r}; {table.of!r} is fed by {request!r}"
    problem = path_problem(table.each)
    if table.each == "$value":
        listed = table.of is not None and endpoint.tables[table.of].each is not None
        problem = (
            None if listed else "found '$value'; it needs `of`, a table whose elements are lists themselves"
        )
    if problem is not None:
        yield ("each",), problem


def _records(endpoint: Endpoint, name: str, table: Table, request: str) -> Iterator[Problem]:
    """Yield what is wrong with a table of the records themselves."""
    if table.of is not None:
        above = endpoint.tables[table.of]
        if above.each is not None or above.of is not None:
            yield ("each",), "is missing; a table with `of` names the list inside that table's rows"
        return
    mapped = any(column.from_ == "$key" for column in table.columns.values())
    if mapped and endpoint.requests[request].records == "$":
        yield ("columns",), "$key needs `records` to name a map inside the body, not the body itself"
    first = _first_of_records(endpoint, request)
    if first != name:
        yield (
            ("request",),
            f"{first!r} takes the records of {request!r}; `each` takes a list inside them, `of` all again",
        )


def _first_of_records(endpoint: Endpoint, request: str) -> str:
    return next(
        name
        for name, table in endpoint.tables.items()
        if table.each is None and table.of is None and request_of(endpoint, table) == request
    )


def _roles(endpoint: Endpoint, name: str, table: Table) -> Iterator[Problem]:
    """Yield what is wrong with key, partition and cluster."""
    known = _all_columns(endpoint, name)
    for role in ("key", "cluster"):
        for column, count in Counter(getattr(table, role)).items():
            if column not in known:
                yield (role,), f"found {column!r}; the columns are {names(known)}"
            if count > 1:
                yield (role,), f"names {column!r} {count} times"
            if known.get(column) in _UNFIT[role]:
                yield (role,), f"found {column!r}; a {known[column]} column is not allowed here"
    for column in dict.fromkeys(table.key):
        if _is_derived(table, column):
            yield ("key",), f"found {column!r}; it comes from {DERIVED}, which tells no rows apart"
        elif column in table.columns and not table.columns[column].required:
            yield ("columns", column, "mode"), "is a key column; it must be REQUIRED"
    if table.partition is not None and known.get(table.partition) not in _DAYS:
        fitting = [column for column, type_ in known.items() if type_ in _DAYS]
        yield (
            ("partition",),
            f"found {table.partition!r}; the TIMESTAMP and DATE columns are {names(fitting)}",
        )


def _parent(endpoint: Endpoint, name: str, table: Table) -> Iterator[Problem]:
    if table.each is None:
        if table.parent:
            yield ("parent",), "is for a table with `each`"
        return
    root = root_table(endpoint, name)
    if root is None:
        orphaned = all(request_of(endpoint, other) in endpoint.requests for other in endpoint.tables.values())
        if orphaned and (table.parent or table.mode == "merge"):
            yield ("parent",), "no table takes the records themselves, so there is no parent row"
        return
    parent = endpoint.tables[root]
    known = _all_columns(endpoint, root)
    yield from _repeated(table, root, parent, known)
    if parent.mode != table.mode:
        yield (
            ("mode",),
            f"found {table.mode!r}; its parent {root!r} has {parent.mode!r}, and they are written as one",
        )
    missing = [k for k in parent.key if k in known and k not in table.parent.values()]
    if table.mode == "merge" and missing:
        yield ("parent",), f"merge needs the parent's key here too: {names(missing)}"


def _repeated(table: Table, root: str, parent: Table, known: Iterable[str]) -> Iterator[Problem]:
    """Yield what is wrong with the parent's columns that a table repeats."""
    for own, theirs in table.parent.items():
        if theirs not in known:
            yield ("parent", own), f"found {theirs!r}; {root!r} has {names(known)}"
        if own in table.columns:
            yield ("parent", own), "is declared under `columns` too"
        if _is_derived(parent, theirs):
            yield ("parent", own), f"{theirs!r} comes from {DERIVED}, after this table's rows are made"


def _all_columns(endpoint: Endpoint, name: str) -> dict[str, str | None]:
    """Return a table's own columns and its parent's with their types; None if the parent has none such."""
    table = endpoint.tables[name]
    root = root_table(endpoint, name)
    above = (
        _all_columns(endpoint, root) if table.parent and root in endpoint.tables and root is not None else {}
    )
    own: Iterable[tuple[str, str | None]] = ((n, c.type) for n, c in table.columns.items())
    return {**dict(own), **{n: above.get(theirs) for n, theirs in table.parent.items()}}


def _is_derived(table: Table, column: str) -> bool:
    return column in table.columns and table.columns[column].from_ == DERIVED


def _loops(endpoint: Endpoint, table: Table) -> bool:
    """Say whether following ``of`` never ends."""
    for _ in endpoint.tables:
        if table.of is None or table.of not in endpoint.tables:
            return False
        table = endpoint.tables[table.of]
    return table.of is not None

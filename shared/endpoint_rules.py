"""The rules of an endpoint that a JSON Schema cannot say.

Each problem is ``(path of keys, what was found and what is allowed)``; all are found at once.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from shared.endpoint import CONSTANTS, Column
from shared.schedule import duration, every

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.endpoint import Endpoint, Table

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
RESERVED_TABLES = ("runs", "rejected_rows", "drift", "schema_versions")

_ELEMENT = {"$index": "INTEGER", "$key": "STRING"}
Problem = tuple[tuple[str, ...], str]


def root_table(endpoint: Endpoint, name: str) -> str | None:
    """Return the table of the records that ``name``'s rows are part of; None when there is none."""
    table = endpoint.tables[name]
    if table.of is not None:
        return table.of
    if table.each is None:
        return None
    for other, candidate in endpoint.tables.items():
        if candidate.each is None and request_of(endpoint, candidate) == request_of(endpoint, table):
            return other
    return None


def request_of(endpoint: Endpoint, table: Table) -> str | None:
    """Return the name of the request that feeds a table."""
    if table.of is not None and table.of in endpoint.tables and endpoint.tables[table.of] is not table:
        return request_of(endpoint, endpoint.tables[table.of])
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
        every(endpoint.every)
    except ValueError as error:
        yield ("every",), f"found {error}"
    yield from _requests(endpoint)
    for name, table in endpoint.tables.items():
        at = ("tables", name)
        if name in RESERVED_TABLES:
            yield at, f"{name!r} is one of the ledger's own tables ({', '.join(RESERVED_TABLES)})"
        yield from ((at + where, what) for where, what in _table(endpoint, name, table))


def _requests(endpoint: Endpoint) -> Iterator[Problem]:
    fed = {request_of(endpoint, table) for table in endpoint.tables.values() if not _loops(endpoint, table)}
    allowed = {p for request in endpoint.requests.values() for p in request.params}
    for name, request in endpoint.requests.items():
        at = ("requests", name)
        if request.window is not None:
            allowed |= {request.window.from_, request.window.to}
        if request.lookback is not None:
            try:
                duration(request.lookback)
            except ValueError as error:
                yield (*at, "lookback"), f"found {error}"
            if request.window is None:
                yield (*at, "lookback"), "needs `window`, which names the parameters to set"
        if name not in fed:
            yield at, "feeds no table; a table names it with `request`"
    for name in ("key", "timestamp"):
        if name in endpoint.overridable or any(name in r.params for r in endpoint.requests.values()):
            yield ("overridable",), f"{name!r} is the run's own parameter; a file must not set it"


def _table(endpoint: Endpoint, name: str, table: Table) -> Iterator[Problem]:
    if _loops(endpoint, table):
        yield ("of",), f"found {table.of!r}; it leads back to {name!r}"
        return
    if table.of is not None and table.of not in endpoint.tables:
        yield ("of",), f"found {table.of!r}; the tables are {_names(endpoint.tables)}"
        return
    if table.of is not None and table.each is None:
        yield ("each",), "a table with `of` needs `each`, the list inside that table's rows"
    request = request_of(endpoint, table)
    if request not in endpoint.requests:
        found = "missing" if request is None else f"found {request!r}"
        yield ("request",), f"{found}; the requests are {_names(endpoint.requests)}"
        return
    yield from _parent(endpoint, name, table)
    columns = {**table.columns, **dict.fromkeys(table.parent)}
    for role in ("key", "cluster"):
        for column in getattr(table, role):
            if column not in columns:
                yield (role,), f"found {column!r}; the columns are {_names(columns)}"
    for column, count in Counter(table.key).items():
        if count > 1:
            yield ("key",), f"names {column!r} {count} times"
    if table.partition is not None and getattr(
        table.columns.get(table.partition), "type", None
    ) not in {"TIMESTAMP", "DATE"}:
        yield ("partition",), f"found {table.partition!r}; it must be a TIMESTAMP or DATE column"
    if table.mode == "merge" and not table.key:
        yield ("mode",), "merge needs a `key`"
    if table.mode == "merge" and table.version_column is None:
        yield ("mode",), "merge needs a column `from: $fetched_at`, so that the newest state wins"
    if table.allow_empty and table.mode != "replace":
        yield ("allow_empty",), f"is for mode replace; this table's is {table.mode}"
    for column_name, column in table.columns.items():
        yield from (
            (("columns", column_name, *where), what)
            for where, what in _column(column_name, column, table)
        )


def _parent(endpoint: Endpoint, name: str, table: Table) -> Iterator[Problem]:
    root = root_table(endpoint, name)
    if table.each is None:
        if table.parent:
            yield ("parent",), "is for a table with `each`"
        twins = [
            other
            for other, candidate in endpoint.tables.items()
            if candidate.each is None and request_of(endpoint, candidate) == request_of(endpoint, table)
        ]
        if twins[0] != name:
            yield ("request",), f"{twins[0]!r} takes this request's records already"
        return
    if root is None:
        if table.parent or table.mode == "merge":
            yield ("parent",), "no table takes the records themselves, so there is no parent row"
        return
    parent = endpoint.tables[root]
    known = {**parent.columns, **dict.fromkeys(parent.parent)}
    for own, theirs in table.parent.items():
        if theirs not in known:
            yield ("parent", own), f"found {theirs!r}; {root!r} has {_names(known)}"
        if own in table.columns:
            yield ("parent", own), "is declared under `columns` too"
        if own in RESERVED_COLUMNS:
            yield ("parent", own), "every table has this column already"
    if parent.mode != table.mode:
        yield ("mode",), f"found {table.mode!r}; its parent {root!r} has {parent.mode!r}, and they are written as one"
    missing = [k for k in parent.key if k not in table.parent.values()]
    if table.mode == "merge" and missing:
        yield ("parent",), f"merge needs the parent's key here too: {_names(missing)}"


def _column(name: str, column: Column, table: Table) -> Iterator[Problem]:
    if name in RESERVED_COLUMNS:
        yield (), "every table has this column already"
    source = column.from_
    if source is None:
        if column.required:
            yield ("mode",), "is REQUIRED, but the column has no `from`"
    elif source.startswith("$"):
        fixed = {**CONSTANTS, **_ELEMENT}
        if source != "$value" and source not in fixed:
            yield ("from",), f"found {source!r}; there are {_names([*fixed, '$value'])}"
        elif source in fixed and column.type != fixed[source]:
            yield ("type",), f"found {column.type}; {source} is {fixed[source]}"
        if source in {"$index", "$value"} and table.each is None:
            yield ("from",), f"{source} is for a table with `each`"
    elif "" in source.split("."):
        yield ("from",), f"found {source!r}; keys with single dots between them are allowed"
    if column.unit != "s" and column.type != "TIMESTAMP":
        yield ("unit",), f"is for TIMESTAMP; this column is {column.type}"
    check = column.check
    if check is None:
        return
    numeric = column.type in {"INTEGER", "FLOAT"}
    for bound in ("min", "max"):
        if getattr(check, bound) is not None and not numeric:
            yield ("check", bound), f"is for INTEGER and FLOAT; this column is {column.type}"
    if check.min is not None and check.max is not None and check.min > check.max:
        yield ("check",), f"min {check.min:g} is above max {check.max:g}"
    if check.min is None and check.max is None and check.enum is None:
        yield ("check",), "says nothing; give min, max or enum"
    wanted = {"STRING": str, "INTEGER": int, "FLOAT": (int, float), "BOOLEAN": bool}.get(column.type)
    for value in check.enum or ():
        if wanted is None or not isinstance(value, wanted) or (isinstance(value, bool) and numeric):
            yield ("check", "enum"), f"found {value!r}, which is no {column.type}"


def _loops(endpoint: Endpoint, table: Table) -> bool:
    seen: set[int] = set()
    while table.of is not None and table.of in endpoint.tables:
        if id(table) in seen:
            return True
        seen.add(id(table))
        table = endpoint.tables[table.of]
    return False


def _names(names: object) -> str:
    return ", ".join(map(str, names)) or "none"  # type: ignore[call-overload]

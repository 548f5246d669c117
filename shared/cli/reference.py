"""``functions/README.md``: every endpoint, table and column, made from the endpoint.yaml files."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from shared.cli.markdown import cell, heading_link, markdown
from shared.endpoint import DERIVED
from shared.endpoint_rules import RESERVED_COLUMNS, request_of, root_table, table_columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from shared.endpoint import Check, Column, Endpoint, Request, Table

__all__ = ["MODES", "SOURCES", "reference"]

#: What a source with a $ stands for.
SOURCES = {
    "$fetched_at": "when the API was read",
    "$run_id": "the run's name",
    "$account": "the account's name",
    "$faction_id": "the account's faction, from the settings",
    "$index": "its place in the list, from 0",
    "$key": "its key in the map",
    "$value": "the element itself",
    DERIVED: "worked out from all rows of the run, by",
}
MODES = {
    "append": "every run adds its rows",
    "replace": "the rows of the newest run",
    "merge": "the newest row of each key",
}
_UNITS = {"s": "unix seconds", "ms": "unix milliseconds", "iso": "ISO 8601"}
_NAMES = ("column", "type", "required", "from", "check", "description")

_INTRO = """\
# Endpoints, tables and columns

Made by `make generate` from the `endpoint.yaml` of each folder; `make check` holds it to them. `from` is
where in the record a value stands, keys with dots between them. What a check dislikes is kept and counted,
unless it says otherwise.
"""


def reference(endpoints: Mapping[str, Endpoint]) -> str:
    """Return the whole page.

    Args:
        endpoints: By the name of their folder.
    """
    index = [
        (
            heading_link(name, name), cell(endpoint.description), endpoint.every,
            ", ".join(_table_link(table) for table in endpoint.tables),
        )
        for name, endpoint in endpoints.items()
    ]  # fmt: skip
    reserved = [
        (f"`{name}`", column.type, "yes", SOURCES[str(column.from_)], "", cell(column.description))
        for name, column in RESERVED_COLUMNS.items()
    ]
    parts = [
        _INTRO,
        markdown(("endpoint", "what it collects", "every", "tables"), index),
        "\nEvery table begins with these:\n",
        markdown(_NAMES, reserved),
    ]
    for endpoint in endpoints.values():
        parts += _endpoint(endpoint)
    return "\n".join(parts) + "\n"


def _endpoint(endpoint: Endpoint) -> Iterator[str]:
    name = endpoint.name
    files = ", ".join(f"[{file}]({name}/{file})" for file in ("endpoint.yaml", "main.py", "released.json"))
    scope = "once per account" if endpoint.scope == "account" else "once for all accounts"
    yield f"\n## {name}\n\n{cell(endpoint.description)}\n"
    rows = [("files", files)]
    for request_name, request in endpoint.requests.items():
        label = f"request {request_name}" if len(endpoint.requests) > 1 else "request"
        rows.append((label, "; ".join(_request(request))))
    rows += [
        ("every", endpoint.every),
        ("scope", f"{endpoint.scope}: {scope}"),
        ("key", f"`{endpoint.key}`, at most {_count(endpoint.calls_per_minute, 'call')} a minute"),
        ("a message may set", _codes(endpoint.overridable) or "nothing"),
        ("fails", f"when more than {endpoint.max_rejected * 100:.4g}% of the records are rejected"),
        ("memory", endpoint.memory),
        ("schema version", str(endpoint.version)),
    ]
    yield markdown(("", ""), rows)
    for table_name in endpoint.tables:
        yield from _table(endpoint, table_name)


def _request(request: Request) -> Iterator[str]:
    query = urlencode({key: _scalar(value) for key, value in request.params.items()}, safe=",:")
    yield f"`{request.path}{'?' if query else ''}{query}`"
    yield "the whole body is the record" if request.records == "$" else f"records at `{request.records}`"
    if request.pages == "links":
        yield f"every page, up to {request.max_pages:,}"
    if request.window is not None:
        yield f"a backfill sets `{request.window.from_}` and `{request.window.to}`"
    if request.lookback is not None:
        yield f"a scheduled run asks from {request.lookback} before its slot"


def _table(endpoint: Endpoint, name: str) -> Iterator[str]:
    table = endpoint.tables[name]
    yield f"\n### Table {name}\n\n{cell(table.description)}\n"
    yield markdown(("", ""), list(_facts(endpoint, name, table)))
    yield ""
    columns = [
        (
            f"`{column_name}`", column.type, "yes" if column.required else "",
            _from(endpoint, table, name, column_name, column), _check(column.check), cell(column.description),
        )
        for column_name, column in table_columns(endpoint, name).items()
        if column_name not in RESERVED_COLUMNS
    ]  # fmt: skip
    yield markdown(_NAMES, columns)


def _facts(endpoint: Endpoint, name: str, table: Table) -> Iterator[tuple[str, str]]:
    parent = root_table(endpoint, name)
    request = request_of(endpoint, table)
    if table.each is None:
        yield (
            "a row for",
            f"every record of request {request}" if len(endpoint.requests) > 1 else "every record",
        )
    elif parent is None:
        yield "a row for", f"every element of `{table.each}` in the record of request {request}"
    else:
        yield "a row for", f"every element of `{table.each}` in a row of {_table_link(parent)}"
    empty = ", which may have none" if table.allow_empty else ""
    yield "mode", f"{table.mode}: {MODES[table.mode]}{empty}"
    yield "key", _codes(table.key) or "none"
    if table.partition is not None:
        yield "partition", f"the days of `{table.partition}`"
    if table.cluster:
        yield "cluster", _codes(table.cluster)
    inside = [_table_link(other) for other in endpoint.tables if root_table(endpoint, other) == name]
    if inside:
        yield "tables inside", ", ".join(inside)
    if table.ignore:
        yield "not taken", _codes(table.ignore)


def _from(endpoint: Endpoint, table: Table, name: str, column_name: str, column: Column) -> str:
    parent = root_table(endpoint, name)
    if column_name in table.parent and parent is not None:
        return f"{_table_link(parent)}: `{table.parent[column_name]}`"
    if column.from_ is None:
        return "nowhere; always NULL"
    if column.from_ == DERIVED:
        return f"{SOURCES[DERIVED]} [main.py]({endpoint.name}/main.py)"
    said = SOURCES.get(column.from_, f"`{cell(column.from_)}`")
    own = column.from_ not in SOURCES or column.from_ == "$value"
    return f"{said}, {_UNITS[column.unit]}" if column.type == "TIMESTAMP" and own else said


def _check(check: Check | None) -> str:
    if check is None:
        return ""
    said = []
    if check.min is not None and check.max is not None:
        said.append(f"{check.min:.15g} to {check.max:.15g}")
    elif check.min is not None:
        said.append(f"at least {check.min:.15g}")
    elif check.max is not None:
        said.append(f"at most {check.max:.15g}")
    if check.enum is not None:
        said.append("one of " + ", ".join(cell(_scalar(value)) for value in check.enum))
    return "; ".join(said) + ("; else its record is rejected" if check.severity == "reject" else "")


def _table_link(name: str) -> str:
    return heading_link(name, f"Table {name}")


def _codes(words: Sequence[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _scalar(value: object) -> str:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"

"""A draft written as YAML, as a person would write it: one column per line, comments where they help."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from shared.openapi.columns import ColumnDraft
    from shared.openapi.requests import RequestDraft
    from shared.openapi.tables import TableDraft

__all__ = ["endpoint_yaml", "value"]

_PLAIN = re.compile(r"[A-Za-z_$/][A-Za-z0-9_ ./$'()+-]*")
_PATH = re.compile(r"/[A-Za-z0-9_/{}.-]*")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}
_RESOLVERS: Mapping[str, list[tuple[str, re.Pattern[str]]]] = yaml.SafeLoader.yaml_implicit_resolvers


def value(found: Any) -> str:
    """Return a value as it stands in YAML's flow style; what reads as another thing is quoted."""
    if isinstance(found, bool):
        return "true" if found else "false"
    if isinstance(found, int | float):
        return repr(found)
    if isinstance(found, dict):
        return "{" + ", ".join(f"{value(k)}: {value(v)}" for k, v in found.items()) + "}"
    if isinstance(found, list | tuple):
        return "[" + ", ".join(map(value, found)) + "]"
    text = str(found)
    if _PLAIN.fullmatch(text) and not text.endswith(" ") and not _means_another(text):
        return text
    return '"' + "".join(_escaped(c) for c in text) + '"'


def _means_another(text: str) -> bool:
    return any(pattern.match(text) for _, pattern in _RESOLVERS.get(text[0], []))


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"  # noqa: PLR2004 - YAML's own


def endpoint_yaml(
    name: str, description: str, request: RequestDraft, records: str, tables: list[TableDraft]
) -> str:
    """Return the text of an endpoint.yaml."""
    lines = [
        "# yaml-language-server: $schema=../endpoint.schema.json",
        *_comments([_START], ""),
        f"name: {name}",
        f"description: {value(description)}",
        "source: torn",
        f"scope: {request.scope}",
        *_request(name, request, records),
        f"every: {request.every}",
        "key: torn-api-key",
        f"calls_per_minute: {request.calls_per_minute}",
        "memory: 512Mi",
        "version: 1",
        "tables:",
    ]
    for table in tables:
        lines += _table(table)
    return "\n".join(lines) + "\n"


_START = (
    "Made by `tcdatalogger new` from the API's document. What it could not know is marked TODO or proposed:"
    " read those, then take the remarks out."
)

_LOOKBACK = (
    "Proposed: each run reads what is new since the run before. Where rows change later, look back further,"
    " and let `mode: merge` keep the newest."
)


def _request(name: str, request: RequestDraft, records: str) -> Iterator[str]:
    yield "requests:"
    yield f"  {request.name}:"
    for parameter, remark in request.todo.items():
        said = f" ({remark.rstrip('.')})" if remark else ""
        how = f"Give it under params, or with every message: tcdatalogger run {name} --set {parameter}=…"
        yield from _comments([f"TODO: {parameter}{said} has no value. {how}"], "    ")
    # Braces are plain outside the flow style.
    yield f"    path: {request.path if _PATH.fullmatch(request.path) else value(request.path)}"
    for parameter, remark in request.chosen.items():
        yield from _comments([f"Proposed: {parameter} is {remark}."], "    ")
    if request.params:
        yield f"    params: {value(request.params)}"
    yield f"    records: {value(records)}"
    if request.paged:
        yield "    pages: links"
    if request.window:
        yield "    window: {from: from, to: to}"
        yield from _comments([_LOOKBACK], "    ")
        yield f"    lookback: {request.lookback}"
    if request.overridable:
        yield f"overridable: {value(request.overridable)}"


def _table(table: TableDraft) -> Iterator[str]:
    yield f"  {table.name}:"
    yield from _comments(table.notes, "    ")
    yield f"    description: {value(table.description)}"
    if table.of is not None:
        yield f"    of: {table.of}"
    if table.each is not None:
        yield f"    each: {value(table.each)}"
    yield "    mode: append"
    if table.parent:
        yield f"    parent: {value(table.parent)}"
    if table.key:
        yield f"    key: {value(table.key)}"
    if table.ignore:
        yield f"    ignore: {value(table.ignore)}"
    yield "    columns:"
    yield from map(_column, table.columns)


def _column(column: ColumnDraft) -> str:
    note = f"  # {column.note}" if column.note else ""
    return f"      {column.name}: {value(column.keys)}{note}"


def _comments(texts: list[str], indent: str) -> Iterator[str]:
    """Yield comments in lines of a readable length."""
    for text in texts:
        line = f"{indent}#"
        for word in "".join(c if c.isprintable() else " " for c in text).split():
            if len(line) + len(word) >= 110 and not line.endswith("#"):  # noqa: PLR2004 - as the code's lines
                yield line
                line = f"{indent}#"
            line += f" {word}"
        yield line

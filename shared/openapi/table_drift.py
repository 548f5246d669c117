"""What an OpenAPI document says against the tables of a request: lists, columns, fields not taken."""

from __future__ import annotations

from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from shared.endpoint_rules import request_of, root_table
from shared.openapi.finding import Finding, said
from shared.openapi.walk import find, leaves, untaken

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from shared.endpoint import Column, Endpoint, Table
    from shared.openapi.node import Node
    from shared.openapi.walk import Path

__all__ = ["table_findings"]

_SCALARS = {
    "STRING": {"string"},
    "INTEGER": {"integer"},
    "FLOAT": {"integer", "number"},
    "BOOLEAN": {"boolean"},
    "DATE": {"string"},
}
_KEEP = "keep the column, NULLABLE and without `from`, and say so in its description"


def table_findings(
    endpoint: Endpoint, request: str, records: Node, place: str, *, beside: Sequence[str] = ()
) -> Iterator[Finding]:
    """Yield every difference in the tables of a request.

    Args:
        endpoint: What is declared.
        request: The request's name.
        records: What stands where its records are declared.
        place: The path to there.
        beside: Keys of a record that are the source's own.
    """
    tables = {n: t for n, t in endpoint.tables.items() if request_of(endpoint, t) == request}
    root = next((name for name, table in tables.items() if table.each is None and table.of is None), None)
    mapped = root is not None and _is_map(tables[root])
    if records.kind in {"scalar", "null"} or (records.kind == "map") != mapped:
        declared = "map" if mapped else "list or object"
        yield Finding(
            request=request, table=root, path=place or "$", what="the records are something else",
            was=declared, is_=said(records), breaks=True, next_step=_kind_step(records),
        )  # fmt: skip
        return
    record, at = _record(records, place)
    elements: dict[str | None, tuple[Node, str]] = {None: (record, at)}
    elements |= {name: (record, at) for name, table in tables.items() if table.each is None}
    todo = [name for name in tables if name not in elements]
    while ready := [name for name in todo if root_table(endpoint, name) in elements]:
        for name in ready:
            todo.remove(name)
            node, above = elements[root_table(endpoint, name)]
            table = tables[name]
            problem = _list(request, name, table, node, above)
            if isinstance(problem, Finding):
                yield problem
            elif problem is not None:
                elements[name] = problem
    if root is not None:
        del elements[None]
    records_of = {name for name, table in tables.items() if table.each is None}
    for owner, (node, where) in elements.items():
        # Tables of the same records take their fields, and the lists in them, together.
        same = [n for n, t in tables.items() if t.each is None] if owner in records_of else [owner]
        beneath = [t for n, t in tables.items() if n not in same and root_table(endpoint, n) in same]
        others = [tables[n] for n in same if n is not None and n != owner]
        element = _Element(request, owner, node, where)
        found = element.findings(tables.get(owner or ""), [*beneath, *others], beside)
        yield from (one for one in found if owner not in records_of or owner == root or one.column)
        # The source's keys stand beside the records' own, not in what is inside them.
        beside = ()


def _record(records: Node, place: str) -> tuple[Node, str]:
    """Return what one record is, and its place."""
    if records.element is not None:
        return records.element, f"{place}[]"
    # A run takes a list of records and a single one alike.
    each = (v.element if v.kind == "list" and v.element is not None else v for v in records.variants)
    return replace(records, variants=tuple(each)), place


def _list(request: str, name: str, table: Table, node: Node, above: str) -> Finding | tuple[Node, str] | None:
    """Return the element of a table's list and its place; a finding, or None when nothing is known."""
    each = str(table.each)
    path = () if each == "$value" else tuple(each.split("."))
    found, at = find(node, path), ".".join(part for part in (above, *path) if part)
    wanted = "map" if _is_map(table) else "list"
    if found.unknown or (found.node is not None and found.node.kind == "json"):
        return None
    if found.node is None:
        # What may be empty is declared for an answer that does not always have it.
        return Finding(
            request=request, table=name, path=at, what="the list is gone", was=wanted,
            breaks=not table.allow_empty,
            next_step="none: the table may be empty" if table.allow_empty
            else "keep the table's columns, NULLABLE and without `from`; look for where the API has them now",
        )  # fmt: skip
    if found.node.kind != wanted or found.node.element is None:
        return Finding(
            request=request, table=name, path=at, what="the list is something else", was=wanted,
            is_=said(found.node), breaks=True, next_step=_kind_step(found.node),
        )  # fmt: skip
    return found.node.element, f"{at}[]"


def _places(table: Table) -> set[Path]:
    """Return what a table takes of the rows above it: its list, or, of the same records, its columns."""
    if table.each is not None:
        return {tuple(table.each.split("."))}
    sources = (c.from_ for c in table.columns.values() if c.from_ is not None and not c.from_.startswith("$"))
    return {tuple(path.split(".")) for path in (*sources, *table.ignore)}


def _is_map(table: Table) -> bool:
    return any(column.from_ == "$key" for column in table.columns.values())


def _kind_step(node: Node) -> str:
    if node.kind == "map":
        return "declare a new table beside it, with a column `from: $key`"
    return "declare a new table beside it, as the API has it now"


@dataclass(frozen=True, slots=True)
class _Element:
    """What one row of a table is made of: the record, or an element of a list in it."""

    request: str
    table: str | None
    node: Node
    place: str

    def findings(
        self, table: Table | None, children: Sequence[Table], beside: Sequence[str]
    ) -> Iterator[Finding]:
        """Yield every difference in the columns, then the fields that nothing takes."""
        columns = table.columns if table is not None else {}
        sources = [c.from_ for c in columns.values() if c.from_ is not None and not c.from_.startswith("$")]
        taken = {tuple(path.split(".")) for path in (*sources, *(table.ignore if table is not None else ()))}
        taken |= {path for child in children for path in _places(child)} | {(key,) for key in beside}
        left = list(untaken(self.node, taken))
        for name, column in columns.items():
            if column.from_ is not None and (not column.from_.startswith("$") or column.from_ == "$value"):
                yield from self._column(name, column, column.from_, left)
        for path, node in left:
            yield self._finding(
                None, path, what="not taken", is_=said(node), breaks=False, next_step=_take(path, node)
            )

    def _column(
        self, name: str, column: Column, source: str, left: Sequence[tuple[Path, Node]]
    ) -> Iterator[Finding]:
        path = () if source == "$value" else tuple(source.split("."))
        found = find(self.node, path)
        node = found.node
        if node is None:
            if not found.unknown:
                like = _alike(source, column, left)
                hint = f"; perhaps it is {like} now: declare that as well, last" if like else ""
                yield self._finding(
                    name,
                    path,
                    what="the source is gone",
                    was=column.type,
                    breaks=True,
                    next_step=_KEEP + hint,
                )
            return
        if not _fits(column, node):
            yield self._finding(
                name, path, what="the type changed", was=column.type, is_=said(node), breaks=True,
                next_step="declare a column of the new type as well, last, and leave this one without `from`",
            )  # fmt: skip
            return
        if node.kind == "null":
            yield self._finding(
                name, path, what="always null", was=column.type, is_="null", breaks=column.required,
                next_step=_KEEP,
            )  # fmt: skip
        elif column.required and found.gap:
            yield self._finding(
                name, path, what="a REQUIRED value may be missing", was="REQUIRED", is_=found.gap,
                breaks=True, next_step="make it NULLABLE and raise `version`, else records are rejected",
            )  # fmt: skip
        yield from self._values(name, column, path, node)

    def _values(self, name: str, column: Column, path: Path, node: Node) -> Iterator[Finding]:
        allowed = column.check.enum if column.check is not None else None
        if not allowed or not node.enum:
            return
        new = [value for value in node.enum if value is not None and value not in allowed]
        old = [value for value in allowed if value not in node.enum]
        if new:
            rejects = column.check is not None and column.check.severity == "reject"
            yield self._finding(
                name, path, what="values that the check does not know", was=_listed(allowed),
                is_=_listed(new), breaks=rejects, next_step="add them to the column's check",
            )  # fmt: skip
        if old:
            yield self._finding(
                name, path, what="values that the API has no more", was=_listed(old),
                is_=_listed(node.enum), breaks=False, next_step="none is needed; old rows may hold them",
            )  # fmt: skip

    def _finding(self, column: str | None, path: Path, **what: Any) -> Finding:
        at = ".".join(part for part in (self.place, *path) if part) or "$"
        return Finding(request=self.request, table=self.table, column=column, path=at, **what)


def _fits(column: Column, node: Node) -> bool:
    """Say whether every value that a node allows is one that the column takes."""
    if column.type == "JSON" or node.kind == "null":
        return True
    if node.kind == "json":
        return all(_fits(column, variant) for variant in node.variants)
    wanted = _SCALARS.get(column.type) or ({"string"} if column.unit == "iso" else {"integer"})
    return node.kind == "scalar" and set(node.types) <= wanted


def _alike(source: str, column: Column, left: Sequence[tuple[Path, Node]]) -> str:
    """Return the field that has the likest name of those that nothing takes and that would fit."""
    fitting = [".".join(path) for path, node in leaves(left) if _fits(column, node)]
    return next(iter(get_close_matches(source, fitting, n=1)), "")


def _take(path: Path, node: Node) -> str:
    place = ".".join(path)
    if node.kind in {"list", "map"}:
        return f"declare a table with `each: {place}` and raise `version`, or list it under `ignore`"
    if node.kind == "object":
        return f"declare columns `from: {place}.…`, last, and raise `version`, or list it under `ignore`"
    return f"declare a column `from: {place}`, last, and raise `version`, or list it under `ignore`"


def _listed(values: Sequence[object]) -> str:
    return ", ".join(map(str, values))

"""Which table takes which place of a response: an endpoint's tables as one tree of shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.endpoint_rules import request_of
from shared.errors import FixConfiguration
from shared.shapes import Shape, TablePlan, decode_type, proof_type

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from shared.endpoint import Column, Endpoint, Table
    from shared.yaml_tree import Problem

__all__ = ["build_shape", "shape_problems"]


def build_shape(endpoint: Endpoint, request: str) -> tuple[Shape, dict[str, TablePlan]]:
    """Return the shape of one record of a request, and the tables in an order parents first.

    Raises:
        FixConfiguration: two columns want one place as different things.

    """
    builder = _Builder(endpoint, request)
    if builder.problems:
        raise FixConfiguration(
            "; ".join(f"{'.'.join(path)}: {what}" for path, what in builder.problems),
            next_step="correct endpoint.yaml; every place of the response is taken once, by one table",
        )
    return builder.record, builder.plans


def shape_problems(endpoint: Endpoint) -> Iterator[Problem]:
    """Yield the places of the response that a file wants as two different things."""
    for request in endpoint.requests:
        yield from _Builder(endpoint, request).problems


class _Builder:
    """Builds the shape of one request's records, noting what does not fit together."""

    def __init__(self, endpoint: Endpoint, request: str) -> None:
        self.record = Shape()
        self.plans: dict[str, TablePlan] = {}
        self.problems: list[Problem] = []
        self._takers: dict[int, str] = {}
        self._nodes: list[tuple[str, str, Shape]] = []
        tables = {n: t for n, t in endpoint.tables.items() if request_of(endpoint, t) == request}
        root = next((n for n, t in tables.items() if t.each is None and t.of is None), None)
        elements: dict[str | None, Shape] = {None: self.record, root: self.record}
        elements |= {n: self.record for n, t in tables.items() if t.each is None}
        self.record.table = root
        above = {n: (t.of or root) if t.each is not None else None for n, t in tables.items()}
        while ready := [n for n in tables if n not in self.plans and above[n] in {None, *self.plans}]:
            # The lists come before the columns, so that a path across one is the path's mistake.
            for name in ready:
                same = tables[name].of if tables[name].each is None else None
                self.plans[name] = TablePlan(name=name, root=above[name], same=same)
                if tables[name].each is not None:
                    elements[name] = self._list(name, tables[name], elements[above[name]])
        for name in self.plans:
            for column_name, column in tables[name].columns.items():
                self._column(elements[name], name, column_name, column)
        for name, column_name, node in self._nodes:
            if node.proof is not None:
                self.plans[name].proven.add(column_name)
        for name in self.plans:
            for path in tables[name].ignore:
                self._ignore(elements[name], name, path)

    def _list(self, name: str, table: Table, inside: Shape) -> Shape:
        each = str(table.each)
        path = () if each == "$value" else tuple(each.split("."))
        self.plans[name].each = path
        element = Shape()
        holder = self._at(inside, path, (name, "each"), each)
        if holder is None:
            return element
        if holder.kind != "object" or holder.children:
            self._taken(holder, (name, "each"), each)
            return element
        sources = {column.from_ for column in table.columns.values()}
        holder.kind = "map" if "$key" in sources else "list"
        holder.table = name
        holder.element = element
        self._takers[id(holder)] = f"the table {name}"
        return element

    def _column(self, element: Shape, table: str, name: str, column: Column) -> None:
        source = column.from_
        if source is None or (source.startswith("$") and source != "$value"):
            return
        where = (table, "columns", name, "from")
        node = self._at(
            element, () if source == "$value" else source.split("."), where, source, column.required
        )
        if node is None:
            return
        wanted = decode_type(column)
        fresh = node.kind == "object" and not node.children
        if not fresh and not (node.kind == "value" and node.type == wanted):
            self._taken(node, where, source)
            return
        # A second column of the same place may have another check: then none of them is in the type.
        proof = proof_type(column) if fresh else None
        node.kind, node.type, node.proof = "value", wanted, proof
        self._nodes.append((table, name, node))
        node.required |= column.required
        self._takers.setdefault(id(node), f"the column {table}.{name} ({_described(column)})")

    def _ignore(self, element: Shape, table: str, path: str) -> None:
        node = self._at(element, path.split("."), (table, "ignore"), path)
        if node is None:
            return
        if (node.kind != "object" or node.children) and node.kind != "ignored":
            self._taken(node, (table, "ignore"), path)
            return
        node.kind = "ignored"
        self._takers.setdefault(id(node), f"`ignore` of the table {table}")

    def _at(
        self,
        shape: Shape,
        path: Sequence[str],
        where: tuple[str, ...],
        found: str,
        required: bool = False,  # noqa: FBT001, FBT002
    ) -> Shape | None:
        for depth in range(len(path)):
            node = shape.find(path[:depth])
            if node is None:
                break
            if node.kind in {"list", "map"}:
                self._say(
                    where,
                    f"found {found!r}; {'.'.join(path[:depth]) or 'the element'!r} is a {node.kind}, "
                    "and a column whose path crosses one needs a table of its own, with `each`",
                )
                return None
            if node.kind != "object":
                self._taken(node, where, found)
                return None
        return shape.at(path, required=required)

    def _taken(self, node: Shape, where: tuple[str, ...], found: str) -> None:
        inside = next(
            (self._takers[id(n)] for n in _below(node) if id(n) in self._takers), "something inside it"
        )
        self._say(where, f"found {found!r}; {inside} takes this place already, as something else")

    def _say(self, where: tuple[str, ...], what: str) -> None:
        self.problems.append((("tables", *where), what))


def _below(node: Shape) -> Iterator[Shape]:
    yield node
    for child in node.children.values():
        yield from _below(child)


def _described(column: Column) -> str:
    return f"{column.type}, unit {column.unit}" if column.type == "TIMESTAMP" else column.type

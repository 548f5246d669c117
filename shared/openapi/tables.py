"""Tables for an answer: objects become prefixed columns, every list or map a table of its own."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from shared.column_rules import path_problem
from shared.openapi.columns import ColumnDraft, column_of, one_line
from shared.openapi.naming import Names, singular, snake
from shared.openapi.records import is_row

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.openapi.node import Node
    from shared.openapi.records import Records

__all__ = ["TableDraft", "draft_tables"]

_NO_PATH = "no path leads to a field in it whose name has dots or quotes"
_READ = ColumnDraft(
    name="server_timestamp",
    keys={
        "type": "TIMESTAMP",
        "mode": "REQUIRED",
        "from": "$fetched_at",
        "description": "When the API was read.",
    },
)


@dataclass(slots=True, kw_only=True)
class TableDraft:
    """A table as it will stand in endpoint.yaml; ``notes`` are the comments above it."""

    name: str
    description: str
    each: str | None = None
    of: str | None = None
    parent: dict[str, str] = field(default_factory=dict)
    key: list[str] = field(default_factory=list)
    ignore: list[str] = field(default_factory=list)
    columns: list[ColumnDraft] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    #: Columns that say which row it is, repeated in the tables below.
    identity: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Place:
    """A list or map that becomes a table: inside which table's row, where, and what it holds."""

    above: TableDraft | None
    path: tuple[str, ...]
    node: Node


def draft_tables(name: str, records: Records, noun: str, names: Names) -> list[TableDraft]:
    """Return the tables that take an answer, parents first.

    Args:
        name: The endpoint's name, which is the first table's.
        records: Where the records stand.
        noun: What a record is called.
        names: Gives the tables' names.
    """
    return _Tables(name, names).draft(records, noun)


class _Tables:
    def __init__(self, name: str, names: Names) -> None:
        self._name = name
        self._names = names
        self._waiting: deque[_Place] = deque()
        self._many = False

    def draft(self, records: Records, noun: str) -> list[TableDraft]:
        self._many = records.many
        row = "One row per answer." if not records.many else f"One row per {noun.replace('_', ' ')}."
        root = TableDraft(name="", description=row)
        taken = Names(["server_timestamp"])
        self._object(root, records.node, (), taken)
        lists = [place for place in self._waiting if place.above is root]
        tables: list[TableDraft] = []
        if root.columns or root.ignore or not lists or records.place != "$" or records.many:
            root.name = self._names.give(self._name)
            self._root_key(root, records, noun, taken)
            root.columns.insert(0, _READ)
            tables.append(root)
        else:
            for place in lists:
                place.above = None
        alone = not tables and len(lists) == 1
        while self._waiting:
            tables.append(self._child(self._waiting.popleft(), alone=alone and not tables))
        return tables

    def _root_key(self, root: TableDraft, records: Records, noun: str, taken: Names) -> None:
        if records.mapped:
            key = taken.give(noun, "key")
            root.columns.insert(0, _label(key, "$key", "Its key in the map."))
            root.key, root.identity = [key], [key]
            return
        found = _unique_column(root, records.node)
        if found is not None:
            root.identity = [found.name]
        if found is not None and records.many:
            root.key = [found.name]
            found.keys = {"type": found.keys.pop("type"), "mode": "REQUIRED", **found.keys}
            root.notes.append(
                f"Proposed key: if two different rows of one answer can have the same {found.name}, take it"
                " out; only one of them is kept."
            )
        elif records.many:
            root.identity = [c.name for c in root.columns if _tells(c)][:4]

    def _object(self, table: TableDraft, node: Node, path: tuple[str, ...], taken: Names) -> None:
        for name, child in node.properties.items():
            place = (*path, name)
            problem = path_problem(".".join(place)) if "." not in name else "the name has dots in it"
            if problem is not None:
                table.notes.append(f"No column can take {'.'.join(place)!r}: {problem}.")
            elif child.kind == "null":
                table.ignore.append(".".join(place))
            elif child.kind == "object" and _takes_all(child):
                self._object(table, child, place, taken)
            elif child.kind in {"list", "map"} and child.element is not None:
                if child.element.kind == "null":
                    table.ignore.append(".".join(place))
                else:
                    self._waiting.append(_Place(table, place, child))
            else:
                kept = replace(child, kind="json", why=_NO_PATH) if child.kind == "object" else child
                table.columns.append(column_of(taken.give(*place), ".".join(place), kept))

    def _child(self, place: _Place, *, alone: bool) -> TableDraft:
        element = place.node.element
        assert element is not None
        above, path = place.above, place.path
        last = path[-1] if path else "element"
        noun = singular(snake(last))
        name = self._names.give(self._name) if alone else self._names.give(*self._called(above, path))
        holder = one_line(place.node.description)
        table = TableDraft(
            name=name,
            description=holder or f"One row per {noun.replace('_', ' ')}.",
            each=".".join(path) or "$value",
        )
        if above is not None and above.each is not None:
            table.of = above.name
        taken = Names(["server_timestamp"])
        self._element(table, element, noun, taken)
        label = taken.give(noun, "key" if place.node.kind == "map" else "index")
        place_in = "Its key in the map." if place.node.kind == "map" else "Its place in the list, from 0."
        table.columns.insert(0, _label(label, "$key" if place.node.kind == "map" else "$index", place_in))
        table.columns.insert(0, _READ)
        if above is not None:
            table.parent = _repeated(above, self._name, taken)
        table.identity = [*table.parent, label]
        if above is not None and above.key and set(above.key) <= set(table.parent.values()):
            table.key = list(table.identity)
        if above is not None and self._many and not above.identity:
            table.notes.append(f"Nothing tells which row of {above.name} these belong to.")
        return table

    def _called(self, above: TableDraft | None, path: tuple[str, ...]) -> tuple[str, ...]:
        """Return what a list's table is called: as the table above, and its path."""
        if above is not None and above.each is not None:
            return above.name, *(path or ("elements",))
        # /faction/upgrades has its lists below a field that is called upgrades again.
        again = len(path) > 1 and self._name.endswith(f"_{snake(path[0])}")
        return self._name if above is None else above.name, *(path[1:] if again else path)

    def _element(self, table: TableDraft, element: Node, noun: str, taken: Names) -> None:
        if is_row(element):
            self._object(table, element, (), taken)
        elif element.kind in {"list", "map"}:
            self._waiting.append(_Place(table, (), element))
        else:
            if element.kind in {"object", "null"}:
                element = replace(element, kind="json", why="an element may be null, which no row can be")
            table.columns.append(column_of(taken.give(noun), "$value", element))


def _label(name: str, source: str, description: str) -> ColumnDraft:
    type_ = "INTEGER" if source == "$index" else "STRING"
    return ColumnDraft(
        name=name, keys={"type": type_, "mode": "REQUIRED", "from": source, "description": description}
    )


def _takes_all(node: Node) -> bool:
    """Say whether paths lead to all fields of an object, and to at least one."""
    return bool(node.properties) and all(
        "." not in name and path_problem(f"a.{name}") is None for name in node.properties
    )


def _unique_column(table: TableDraft, node: Node) -> ColumnDraft | None:
    """Return the column that tells one record from all others, if one looks like it."""
    properties: Mapping[str, Node] = node.properties
    name = next((n for n in ("uid", "id") if n in properties), None)
    if name is None:
        return None
    found = properties[name]
    if (
        found.optional
        or found.nullable
        or found.kind != "scalar"
        or found.types[0] not in {"integer", "string"}
    ):
        return None
    return next((c for c in table.columns if c.keys["from"] == name and c.keys["type"] != "TIMESTAMP"), None)


def _tells(column: ColumnDraft) -> bool:
    last = str(column.keys["from"]).rpartition(".")[2]
    return column.keys["type"] not in {"JSON", "FLOAT"} and (
        last in {"id", "uid", "name", "title", "code", "slug", "timestamp"} or last.endswith("_id")
    )


def _repeated(above: TableDraft, endpoint: str, taken: Names) -> dict[str, str]:
    """Return the columns of the row above that its elements repeat: own name → its name."""
    # The first table is called as the endpoint is, and that ends with what its rows are.
    own = above.name.removeprefix(f"{endpoint}_") if above.each is not None else above.name.rpartition("_")[2]
    noun = singular(own)
    repeated = {}
    for column in above.identity:
        # A place, or what came from further above, says already whose it is.
        speaks = column in above.parent or column.endswith(("_index", "_key"))
        repeated[taken.give(column) if speaks else taken.give(noun, column)] = column
    return repeated

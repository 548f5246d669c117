"""Invent one record of a request from the tables that take it: objects, lists, maps and their values.

What may be missing is missing now and then: null, or not there at all. The first record of a page is full,
and so is the first element of each list in it, so that no column and no table of an endpoint stays empty.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from shared.shape_tree import build_shape
from shared.simulator.chance import draw, whole
from shared.simulator.invented import Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from shared.endpoint import Column, Endpoint, Table
    from shared.shapes import Shape
    from shared.simulator.invented import Value

__all__ = ["Inventor"]

_MOST = 3  # elements of a list inside a record
_ROOM = _MOST + 1  # numbers that a list takes of its table's
_NULL, _ABSENT = 0.08, 0.16


@dataclass(frozen=True, slots=True)
class _Key:
    """The places that tell a table's rows apart, and among how many rows they can."""

    places: tuple[str, ...]
    capacity: float
    #: The parent's key is part of it: numbers need only differ within one list.
    inherits: bool


@dataclass(frozen=True, slots=True)
class _Element:
    """A record, or an element of a list in one; ``fixed`` are the values of its key."""

    table: str | None
    number: int
    full: bool
    fixed: Mapping[str, Value] = field(default_factory=dict)


class Inventor:
    """Invents the records of one request as they are at a moment; ``words`` say whose they are."""

    def __init__(self, endpoint: Endpoint, request: str, *words: object, now: int) -> None:
        self._now = now
        self._words = words
        self._record, plans = build_shape(endpoint, request)
        self._places: dict[tuple[str | None, str], Place] = {}
        self._keys: dict[str | None, _Key] = {}
        for name, plan in plans.items():
            table = endpoint.tables[name]
            for path, columns in _columns(table).items():
                self._places[name, path] = Place.of(columns)
            self._keys[name] = self._key(name, table, endpoint.tables.get(plan.root or ""))

    @property
    def mapped(self) -> bool:
        """Say whether the records stand in a map."""
        return (self._record.table, "$key") in self._places

    @property
    def capacity(self) -> float:
        """Count the records there can be, given what their key allows."""
        key = self._keys.get(self._record.table)
        return math.inf if key is None else key.capacity

    def record(self, number: int, *, full: bool) -> tuple[str, dict[str, object]]:
        """Invent a record, and the name it has in a map."""
        element = self._numbered(self._record.table, number, full=full)
        return str(element.fixed.get("$key", "")), self._object(self._record, element, "")

    def _key(self, name: str, table: Table, parent: Table | None) -> _Key:
        above = {table.parent[column] for column in table.key if column in table.parent}
        inherits = parent is not None and bool(parent.key) and above.issuperset(parent.key)
        sources = [str(table.columns[column].from_) for column in table.key if column in table.columns]
        places = dict.fromkeys(source for source in sources if (name, source) in self._places)
        rooms = [self._places[name, place].capacity for place in places]
        if "$index" in sources:
            rooms.append(_ROOM)
        capacity = math.prod(rooms) if rooms else math.inf
        if (name, "$key") in self._places:
            # Two entries of one map have two names, whatever the table's key is.
            capacity = min(capacity, self._places[name, "$key"].capacity)
        return _Key(tuple(places), capacity, inherits)

    def _numbered(self, table: str | None, number: int, *, full: bool) -> _Element:
        """Give an element its number, which its key tells: digit by digit, where one place cannot alone."""
        key, fixed, rest = self._keys.get(table), {}, number
        for place in key.places if key else ():
            found = self._places[table, place]
            bounded = found.capacity < math.inf
            rest, digit = divmod(rest, int(found.capacity)) if bounded else (0, rest)
            fixed[place] = found.numbered(digit, *self._words, table, place)
        if (table, "$key") in self._places:
            fixed["$key"] = self._places[table, "$key"].numbered(number, *self._words, table, "$key")
        return _Element(table, number, full, fixed)

    def _object(self, shape: Shape, element: _Element, prefix: str) -> dict[str, object]:
        found: dict[str, object] = {}
        for key, child in shape.children.items():
            path = prefix + key
            chance = 1.0
            if not child.required and not element.full and path not in element.fixed:
                chance = draw(*self._words, element.table, element.number, path, "there")
            if chance < _NULL:
                found[key] = None
            elif chance >= _ABSENT:
                found[key] = self._at(child, element, path)
        return found

    def _at(self, shape: Shape, element: _Element, path: str) -> object:
        if shape.kind == "object":
            return self._object(shape, element, f"{path}." if path else "")
        if shape.kind == "value":
            place = path or "$value"
            if place in element.fixed:
                return element.fixed[place]
            words = (*self._words, element.table, element.number, place)
            return self._places[element.table, place].drawn(self._now, *words)
        if shape.kind == "ignored":
            return "Nobody takes this"
        inside = self._elements(shape, element)
        return dict(inside) if shape.kind == "map" else [value for _, value in inside]

    def _elements(self, shape: Shape, above: _Element) -> Iterator[tuple[str, object]]:
        assert shape.element is not None
        key = self._keys[shape.table]
        least = 1 if above.full else 0
        for index in range(whole(least, _MOST, *self._words, shape.table, above.number, "count")):
            number = above.number * _ROOM + index
            if (index if key.inherits else number) < key.capacity:
                element = self._numbered(shape.table, number, full=above.full and index == 0)
                yield str(element.fixed.get("$key", "")), self._element(shape.element, element)

    def _element(self, shape: Shape, element: _Element) -> object:
        """Invent an element; of values, too, some are null where that is allowed."""
        optional = shape.kind == "value" and not shape.required and not element.full
        if optional and draw(*self._words, element.table, element.number, "there") < _ABSENT:
            return None
        return self._at(shape, element, "")


def _columns(table: Table) -> dict[str, list[Column]]:
    """Gather a table's columns by the place of the record that they take."""
    found: dict[str, list[Column]] = {}
    for column in table.columns.values():
        if column.from_ is not None and (column.from_ in {"$key", "$value"} or column.from_[:1] != "$"):
            found.setdefault(column.from_, []).append(column)
    return found

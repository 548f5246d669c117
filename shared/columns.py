"""From decoded records to columns: one pass down the tree, one list per column.

Everything here works on whole columns; there is no code per row.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import accumulate, chain, repeat
from typing import TYPE_CHECKING, Any

import msgspec

from shared.endpoint import CONSTANTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from shared.endpoint import Column, Endpoint
    from shared.shapes import Shape, TablePlan

__all__ = ["Constant", "Moments", "Rows", "Values", "read_columns", "table_values", "trail"]

# A comprehension reads an attribute in half the time of an attrgetter; the names are our own.
_getter = cache(lambda number: eval(f"lambda objects: [o.f{number} for o in objects]"))  # noqa: S307
_PLACES = [tuple(range(count)) for count in range(64)]


@dataclass(frozen=True, slots=True)
class Constant:
    """One value in every row; None is a column without a value."""

    value: Any


Values = Constant | list[Any] | tuple[Any, ...]
_NOTHING = Constant(None)


@dataclass(frozen=True, slots=True)
class Moments:
    """When each of several pages was read, and with which record each page ends."""

    values: list[datetime]
    ends: list[int]

    def below(self, counts: list[int]) -> Moments:
        """Return the same of a child table whose rows are so many per row of this one."""
        sums = [0, *accumulate(counts)]
        return Moments(self.values, [sums[end] for end in self.ends])


@dataclass(slots=True)
class Rows:
    """The rows of one table: how many, and the values of each place they take."""

    count: int
    values: dict[str, Values]
    #: Elements per parent row; None for the root.
    counts: list[int] | None = None


def read_columns(
    shape: Shape, records: Sequence[Any], keys: Sequence[str] | None = None
) -> dict[str | None, Rows]:
    """Return, per table, the values at every place: ``{"rewards.money": [...]}``.

    Args:
        shape: The shape of a record.
        records: Structs made by ``struct_type(shape)``.
        keys: The records' keys, when they came from a map.
    """
    root = Rows(len(records), {} if keys is None else {"$key": list(keys)})
    found: dict[str | None, Rows] = {shape.table: root}
    _element(shape, list(records), root, found)
    return found


def _element(shape: Shape, elements: list[Any], rows: Rows, found: dict[str | None, Rows]) -> None:
    if shape.kind == "object":
        _object(shape, elements, "", rows, found)
    else:
        _place(shape, elements, "$value", rows, found)


def _object(shape: Shape, objects: list[Any], prefix: str, rows: Rows, found: dict[str | None, Rows]) -> None:
    for number, (key, child) in enumerate(shape.children.items()):
        if child.kind != "ignored":
            _place(child, _getter(number)(objects), prefix + key, rows, found)


def _place(shape: Shape, column: list[Any], path: str, rows: Rows, found: dict[str | None, Rows]) -> None:
    if shape.kind == "value":
        rows.values[path] = column
    elif shape.kind != "object":
        _children(shape, column, found)
    elif any(column):
        # Structs are true, so that only null and missing give way.
        blank = _blank(shape)
        filled = column if shape.required or None not in column else [value or blank for value in column]
        _object(shape, filled, path + ".", rows, found)
    else:
        _nothing(shape, path + ".", rows, found)


def _children(shape: Shape, column: Sequence[Any], found: dict[str | None, Rows]) -> None:
    assert shape.element is not None
    counts = [len(value) if value else 0 for value in column]
    count = sum(counts)
    filled = [value for value in column if value] if 0 in counts else column
    rows = Rows(count, {}, counts)
    found[shape.table] = rows
    if count and max(counts) < len(_PLACES):
        rows.values["$index"] = list(chain.from_iterable([_PLACES[n] for n in counts]))
    else:
        rows.values["$index"] = list(chain.from_iterable(map(range, counts)))
    if shape.kind == "map":
        rows.values["$key"] = list(chain.from_iterable(filled))
        elements = list(chain.from_iterable(value.values() for value in filled))
    else:
        elements = list(chain.from_iterable(filled))
    _element(shape.element, elements, rows, found)


def _nothing(shape: Shape, prefix: str, rows: Rows, found: dict[str | None, Rows]) -> None:
    """Give every place below an object that no record has a column without values."""
    for key, child in shape.children.items():
        if child.kind == "value":
            rows.values[prefix + key] = _NOTHING
        elif child.kind == "object":
            _nothing(child, f"{prefix}{key}.", rows, found)
        elif child.kind != "ignored":
            _children(child, [None] * rows.count, found)


def _blank(shape: Shape) -> Any:
    """Return an object of this shape without values, to stand where the response has null."""
    if shape.blank is None or len(shape.blank.__struct_fields__) != len(shape.children):
        fields = [(f"f{n}", Any, None) for n in range(len(shape.children))]
        shape.blank = msgspec.defstruct("Blank", fields)()
    return shape.blank


def table_values(
    endpoint: Endpoint,
    plan: TablePlan,
    found: Mapping[str | None, Rows],
    done: Mapping[str, Mapping[str, Values]],
    constants: Mapping[str, Any],
) -> dict[str, Values]:
    """Return one table's columns, the parent's first, as they are declared."""
    table = endpoint.tables[plan.name]
    rows = found.get(plan.rows)
    if rows is None:
        rows = Rows(0, {})
    values: dict[str, Values] = {}
    if table.parent and plan.root is not None:
        parent = done[plan.root]
        for own, theirs in table.parent.items():
            above = parent[theirs]
            if not isinstance(above, Constant):
                values[own] = list(chain.from_iterable(map(repeat, above, rows.counts or ())))
            elif isinstance(above.value, Moments):
                values[own] = Constant(above.value.below(rows.counts or []))
            else:
                values[own] = above
    for name, column in table.columns.items():
        values[name] = _values(column, rows, constants)
    values["_run_id"] = Constant(constants["$run_id"])
    values["_account"] = Constant(constants["$account"])
    return values


def _values(column: Column, rows: Rows, constants: Mapping[str, Any]) -> Values:
    if column.from_ is None:
        return _NOTHING
    if column.from_ in CONSTANTS:
        return Constant(constants[column.from_])
    return rows.values.get(column.from_, _NOTHING)


def trail(plans: Mapping[str, TablePlan], found: Mapping[str | None, Rows], name: str, row: int) -> str:
    """Return the path from the single record that ``found`` holds to a row: ``slots[2].tags['a']``."""
    plan, rows = plans[name], found.get(name)
    if rows is None or rows.counts is None:
        return ""
    parent, label = 0, rows.values.get("$key", rows.values["$index"])[row]  # type: ignore[index]
    for count in rows.counts:
        if row < count:
            break
        parent, row = parent + 1, row - count
    above = "" if plan.root is None else trail(plans, found, plan.root, parent)
    place = ".".join(plan.each)
    return f"{above}{'.' if above and place else ''}{place}[{label!r}]"

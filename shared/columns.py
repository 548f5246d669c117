"""From decoded records to columns: one pass down the tree, one list per column.

Everything here works on whole columns; there is no code per row.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import chain, repeat
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa

from shared.endpoint import CONSTANTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shared.endpoint import Column, Endpoint
    from shared.shapes import Shape, TablePlan

__all__ = ["Constant", "Rows", "Values", "arrow_schema", "read_columns", "to_arrow", "trail"]

_getter = cache(lambda number: attrgetter(f"f{number}"))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# The years 1 to 9999, which is what BigQuery's TIMESTAMP holds, in microseconds.
_FIRST, _LAST = -62_135_596_800_000_000, 253_402_300_799_999_999

ARROW = {
    "STRING": pa.string(),
    "INTEGER": pa.int64(),
    "FLOAT": pa.float64(),
    "BOOLEAN": pa.bool_(),
    "TIMESTAMP": pa.timestamp("us", "UTC"),
    "DATE": pa.date32(),
    "JSON": pa.string(),
}


@dataclass(frozen=True, slots=True)
class Constant:
    """One value in every row; None is a column without a value."""

    value: Any


Values = Constant | list[Any] | tuple[Any, ...]
_NOTHING = Constant(None)


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


def _object(
    shape: Shape, objects: Sequence[Any], prefix: str, rows: Rows, found: dict[str | None, Rows]
) -> None:
    for number, (key, child) in enumerate(shape.children.items()):
        if child.kind != "ignored":
            _place(child, list(map(_getter(number), objects)), prefix + key, rows, found)


def _place(shape: Shape, column: list[Any], path: str, rows: Rows, found: dict[str | None, Rows]) -> None:
    if shape.kind == "value":
        rows.values[path] = column
    elif shape.kind != "object":
        _children(shape, column, found)
    elif any(column):
        # Structs are true, so that only null and missing give way.
        blank = _blank(shape)
        filled = column if shape.required else [value or blank for value in column]
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
    rows = found.get(plan.name)
    if rows is None:
        rows = Rows(0, {})
    values: dict[str, Values] = {}
    if table.parent and plan.root is not None:
        parent = done[plan.root]
        for own, theirs in table.parent.items():
            above = parent[theirs]
            values[own] = (
                above
                if isinstance(above, Constant)
                else list(chain.from_iterable(map(repeat, above, rows.counts or ())))
            )
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


def to_arrow(values: Values, column: Column, count: int) -> pa.Array:
    """Return a column as Arrow, refusing what does not fit.

    Raises:
        pyarrow.ArrowInvalid, OverflowError, ValueError: a value that its type cannot hold.

    """
    arrow = ARROW[column.type]
    if isinstance(values, Constant):
        if values.value is None:
            return pa.nulls(count, arrow)
        return pa.repeat(pa.scalar(values.value, arrow), count)
    if column.type == "TIMESTAMP":
        if column.unit == "iso":
            values = [None if v is None else _micros(v) for v in values]
        else:
            factor = 1_000_000 if column.unit == "s" else 1_000
            values = [None if v is None else v * factor for v in values]
    elif column.type == "JSON":
        values = [_json_text(v) for v in values]
    elif column.type == "FLOAT":
        try:
            return pa.array(values, arrow)
        except pa.ArrowInvalid:
            # Arrow takes no integer above 2⁵³; those that a double holds exactly are welcome.
            values = [_double(v) for v in values]
    return pa.array(values, arrow)


def arrow_schema(columns: Mapping[str, Column]) -> pa.Schema:
    """Return the Arrow schema of these columns."""
    return pa.schema(
        [pa.field(name, ARROW[column.type], nullable=not column.required) for name, column in columns.items()]
    )


def _micros(value: datetime) -> int:
    if value.tzinfo is None:
        value = value.replace(tzinfo=UTC)
    micros = (value - _EPOCH) // _MICROSECOND
    if not _FIRST <= micros <= _LAST:
        raise OverflowError(f"{value.isoformat()} is outside the years 1 to 9999 in UTC")
    return micros


def _double(value: float | None) -> float | None:
    if value is None:
        return None
    double = float(value)
    if double != value:
        raise OverflowError(f"{value} cannot be kept exactly as FLOAT")
    return double


def _json_text(value: msgspec.Raw | None) -> str | None:
    if value is None:
        return None
    # The decoder skipped it unread; a store would refuse what is no JSON throughout.
    return None if msgspec.json.decode(value) is None else bytes(value).decode()

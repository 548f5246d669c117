"""From a column's values to Arrow: as what was declared, exactly, or not at all."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa

from shared.columns import Constant, Moments
from shared.endpoint import CONSTANTS
from shared.packing import pack
from shared.quality import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.columns import Values
    from shared.endpoint import Column

__all__ = ["Constants", "Maker", "arrow_schema", "arrow_type"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# The years 1 to 9999, which is what BigQuery's TIMESTAMP holds, in microseconds.
_FIRST, _LAST = -62_135_596_800_000_000, 253_402_300_799_999_999

_TYPES = {
    "STRING": pa.string(),
    "INTEGER": pa.int64(),
    "FLOAT": pa.float64(),
    "BOOLEAN": pa.bool_(),
    "TIMESTAMP": pa.timestamp("us", "UTC"),
    "DATE": pa.date32(),
    "JSON": pa.string(),
}
_EPOCHS = {"s": pa.timestamp("s", "UTC"), "ms": pa.timestamp("ms", "UTC")}
_MISSING = "is NULL, but REQUIRED"
_PACKED = {"INTEGER", "FLOAT", "TIMESTAMP"}
#: A few pages of a hundred records seldom have more rows in one table.
_CONSTANT_ROWS = 2_048


def arrow_type(column: Column) -> pa.DataType:
    """Return a column's Arrow type; moments that come as numbers keep their unit."""
    if column.type == "TIMESTAMP" and column.from_ is not None and column.from_ not in CONSTANTS:
        return _EPOCHS.get(column.unit, _TYPES["TIMESTAMP"])
    return _TYPES[column.type]


def arrow_schema(columns: Mapping[str, Column]) -> pa.Schema:
    """Return the Arrow schema of these columns."""
    return pa.schema(
        [pa.field(name, arrow_type(column), nullable=not column.required) for name, column in columns.items()]
    )


class Maker:
    """Makes one column's Arrow arrays."""

    __slots__ = ("_packed", "_real", "arrow", "column", "name")

    def __init__(self, name: str, column: Column) -> None:
        self.name = name
        self.column = column
        self.arrow = arrow_type(column)
        self._packed = column.type in _PACKED
        self._real = column.type == "FLOAT"

    def array(self, values: Values, count: int, *, proven: bool) -> pa.Array:
        """Return values as Arrow, refusing what does not fit.

        Args:
            values: Of every row; None is NULL.
            count: How many rows there are.
            proven: The decoder has proved every value to be what was declared.

        Raises:
            pyarrow.ArrowInvalid, OverflowError, ValueError: a value that its type cannot hold.
            Refused: a NULL, where the column is REQUIRED.
        """
        array = None
        if proven and self._packed:
            array = pack(values, self.arrow, real=self._real)  # type: ignore[arg-type]
        if array is None:
            array = self.converted(values, count)
        if self.column.required and array.null_count:
            raise Refused(_MISSING)
        return array

    def converted(self, values: Any, count: int) -> pa.Array:
        """Return values as Arrow converts them, NULLs and all."""
        if isinstance(values, Constant):
            if values.value is None:
                return pa.nulls(count, self.arrow)
            return pa.repeat(pa.scalar(values.value, self.arrow), count)
        if self.column.type == "TIMESTAMP":
            if self.column.unit == "iso":
                values = [None if v is None else _micros(v) for v in values]
            # As integers: Arrow's own conversion of moments takes half as long again.
            return pa.array(values, pa.int64()).view(self.arrow)
        if self.column.type == "JSON":
            values = [_json_text(v) for v in values]
        elif self.column.type == "FLOAT":
            try:
                return pa.array(values, self.arrow)
            except pa.ArrowInvalid:
                # Arrow takes no integer above 2⁵³; those that a double holds exactly are welcome.
                values = [_double(v) for v in values]
        return pa.array(values, self.arrow)


class Constants:
    """Columns of one value, made once and cut to length."""

    def __init__(self) -> None:
        self._made: dict[tuple[str | None, str], tuple[Any, pa.Array]] = {}

    def array(self, maker: Maker, value: Any, count: int) -> pa.Array:
        """Return a column that has the value in ``count`` rows, or each page's moment in its rows."""
        if isinstance(value, Moments):
            return _moments(value, maker.arrow)
        if value is None and count and maker.column.required:
            raise Refused(_MISSING)
        place = maker.column.from_, maker.column.type
        known = self._made.get(place)
        if known is None or known[0] != value or len(known[1]) < count:
            made = maker.converted(Constant(value), max(count, _CONSTANT_ROWS))
            known = self._made[place] = (value, made)
        return known[1].slice(0, count)


def _moments(moments: Moments, arrow: pa.DataType) -> pa.Array:
    packed, begin = [], 0
    for moment, end in zip(moments.values, moments.ends, strict=True):
        packed.append(struct.pack("=q", _micros(moment)) * (end - begin))
        begin = end
    return pa.Array.from_buffers(arrow, begin, [None, pa.py_buffer(b"".join(packed))], 0)


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

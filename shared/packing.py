"""Numbers packed straight into Arrow's memory, and the bits that say where there is none.

``struct.pack`` writes a column of numbers three times as fast as ``pyarrow.array`` converts it. It
knows no NULL, so a column below an object that may be null has a pad where the object is missing,
and one bitmap for all columns of that object.
"""

from __future__ import annotations

import struct
from functools import cache
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Mask", "Masked", "cover", "pack", "plain"]

# A C long has eight bytes on every machine this is deployed to; there it packs fastest.
_INTEGER = "l" if struct.calcsize("l") == 8 else "q"  # noqa: PLR2004
_BITS = bytes.maketrans(b"\x00\x01", b"01")


class Mask:
    """Which elements of a column are there."""

    __slots__ = ("bits", "buffer", "nulls", "present")

    def __init__(self, column: Sequence[Any]) -> None:
        self.present = bytes([value is not None for value in column])
        self.nulls = self.present.count(0)
        #: A bit per element, the least significant first; and the same as Arrow's validity bitmap.
        self.bits = int(self.present.translate(_BITS)[::-1], 2)
        self.buffer = _bitmap(self.bits, len(self.present))


class Masked:
    """Numbers of which some only stand for NULL, as the mask says."""

    __slots__ = ("mask", "padded")

    def __init__(self, padded: list[Any], mask: Mask) -> None:
        self.padded = padded
        self.mask = mask

    def plain(self) -> list[Any]:
        """Return the values with None where there is none."""
        return [v if there else None for v, there in zip(self.padded, self.mask.present, strict=True)]


def plain(values: Any) -> Any:
    """Return values as a list; what is no column with a mask comes back as it is."""
    return values.plain() if isinstance(values, Masked) else values


def cover(array: pa.Array, mask: Mask) -> pa.Array:
    """Return an array of numbers with NULL also where the mask has nothing."""
    count = len(array)
    validity, data = array.buffers()
    bits = mask.bits
    if validity is not None:
        bits &= int.from_bytes(validity, "little")
    return pa.Array.from_buffers(array.type, count, [_bitmap(bits, count), data], count - bits.bit_count())


def pack(values: list[Any] | Masked, arrow: pa.DataType, *, real: bool) -> pa.Array | None:
    """Return a column of 64-bit numbers as Arrow, or None when one of them is None or no number.

    Args:
        values: Numbers that are known to fit.
        arrow: A type of 64 bits.
        real: They are doubles, not integers.
    """
    if isinstance(values, Masked):
        column, validity, nulls = values.padded, values.mask.buffer, values.mask.nulls
    else:
        column, validity, nulls = values, None, 0
    count = len(column)
    try:
        packed = _packer(count, real)(*column)
    except struct.error:
        return None
    return pa.Array.from_buffers(arrow, count, [validity, pa.py_buffer(packed)], nulls)


def _bitmap(bits: int, count: int) -> pa.Buffer:
    return pa.py_buffer(bits.to_bytes(count // 8 + 1, "little"))


@cache
def _packer(count: int, real: bool) -> Any:  # noqa: FBT001 - a cache's key
    return struct.Struct(f"{count}{'d' if real else _INTEGER}").pack

"""Numbers packed straight into Arrow's memory.

``struct.pack`` writes a column of numbers three times as fast as ``pyarrow.array`` converts it. It
knows no NULL: a column that has one is left to Arrow.
"""

from __future__ import annotations

import struct
from functools import cache
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["pack"]

# A C long has eight bytes on every machine this is deployed to; there it packs fastest.
_INTEGER = "l" if struct.calcsize("l") == 8 else "q"  # noqa: PLR2004


def pack(column: Sequence[Any], arrow: pa.DataType, *, real: bool) -> pa.Array | None:
    """Return a column of 64-bit numbers as Arrow, or None when one of them is None or no number.

    Args:
        column: Numbers that are known to fit.
        arrow: A type of 64 bits.
        real: They are doubles, not integers.
    """
    count = len(column)
    try:
        packed = _packer(count, real)(*column)
    except struct.error:
        return None
    return pa.Array.from_buffers(arrow, count, [None, pa.py_buffer(packed)], 0)


@cache
def _packer(count: int, real: bool) -> Any:  # noqa: FBT001 - a cache's key
    return struct.Struct(f"{count}{'d' if real else _INTEGER}").pack

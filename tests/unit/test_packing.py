"""Numbers packed into Arrow's memory are those that Arrow would have made."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from shared.packing import pack

INTEGERS = st.integers(min_value=-(2**63), max_value=2**63 - 1)
DOUBLES = st.floats(allow_nan=False) | st.integers(min_value=-(2**53), max_value=2**53)


@given(st.lists(INTEGERS))
def test_integers_are_packed_as_arrow_makes_them(values):
    """Every 64-bit integer, and columns of any length, also none."""
    assert pack(values, pa.int64(), real=False).equals(pa.array(values, pa.int64()))


@given(st.lists(DOUBLES))
def test_doubles_are_packed_as_arrow_makes_them(values):
    """Doubles, and integers that a double counts in ones."""
    assert pack(values, pa.float64(), real=True).equals(pa.array(values, pa.float64()))


def test_what_is_no_number_is_not_packed():
    """None and texts are left to Arrow, which knows them."""
    assert pack([1, None], pa.int64(), real=False) is None
    assert pack(["1"], pa.int64(), real=False) is None
    assert pack([1.5], pa.int64(), real=False) is None

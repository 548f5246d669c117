"""Numbers packed into Arrow's memory are those that Arrow would have made."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from shared.arrow import Maker
from shared.endpoint import Column
from shared.packing import Mask, Masked, pack, plain

INTEGERS = st.integers(min_value=-(2**63), max_value=2**63 - 1)
DOUBLES = st.floats(allow_nan=False) | st.integers(min_value=-(2**53), max_value=2**53)


def masked(values, pad=0):
    """Return a column as one below an object that is null where None stands."""
    return Masked([pad if v is None else v for v in values], Mask(values))


@given(st.lists(INTEGERS))
def test_integers_are_packed_as_arrow_makes_them(values):
    """Every 64-bit integer, and columns of any length, also none."""
    assert pack(values, pa.int64(), real=False).equals(pa.array(values, pa.int64()))


@given(st.lists(DOUBLES))
def test_doubles_are_packed_as_arrow_makes_them(values):
    """Doubles, and integers that a double counts in ones."""
    assert pack(values, pa.float64(), real=True).equals(pa.array(values, pa.float64()))


@given(st.lists(INTEGERS | st.none(), min_size=1))
def test_a_mask_is_arrows_bitmap(values):
    """NULL stands exactly where the object is missing, and is counted."""
    array = pack(masked(values), pa.int64(), real=False)
    array.validate(full=True)
    assert array.equals(pa.array(values, pa.int64()))
    assert array.null_count == values.count(None)
    assert plain(masked(values)) == values


@given(st.lists(st.tuples(st.booleans(), INTEGERS | st.none()), min_size=1))
def test_a_null_inside_a_present_object_stays_one(pairs):
    """NULL in the value and NULL in the object above it come to the same."""
    expected = [value if there else None for there, value in pairs]
    values = Masked(
        [value if there else 0 for there, value in pairs],
        Mask([there or None for there, _ in pairs]),
    )
    array = Maker("x", Column(type="INTEGER", from_="x.y")).array(values, len(pairs), proven=True)
    array.validate(full=True)
    assert array.equals(pa.array(expected, pa.int64()))
    assert array.null_count == expected.count(None)


def test_what_is_no_number_is_not_packed():
    """None and texts are left to Arrow, which knows them."""
    assert pack([1, None], pa.int64(), real=False) is None
    assert pack(["1"], pa.int64(), real=False) is None
    assert pack([1.5], pa.int64(), real=False) is None

"""From values to Arrow: exact, or refused."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import msgspec
import pyarrow as pa
import pytest
from fixtures.flat import declare
from hypothesis import given
from hypothesis import strategies as st

from shared.arrow import Maker, arrow_schema
from shared.columns import Constant, Rows, trail
from shared.endpoint import Column
from shared.endpoint_rules import table_columns
from shared.shapes import TablePlan


def to_arrow(values, column, count):
    """Make a column's array, as for values that no decoder has proved."""
    return Maker("x", column).array(values, count, proven=False)


@given(st.lists(st.none() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)))
def test_a_float_is_the_same_number_or_refused(values: list[Any]) -> None:
    """An integer that a double cannot hold is refused; every other number arrives equal."""
    column = Column(type="FLOAT", from_="x")
    exact = True
    for value in values:
        try:
            exact &= value is None or float(value) == value
        except OverflowError:
            exact = False
    if exact:
        assert to_arrow(values, column, len(values)).to_pylist() == values
    else:
        with pytest.raises((OverflowError, pa.ArrowInvalid)):
            to_arrow(values, column, len(values))


@given(
    st.datetimes(
        timezones=st.none()
        | st.sampled_from([UTC, timezone(timedelta(hours=14)), timezone(-timedelta(hours=12))])
    )
)
def test_a_moment_is_the_same_moment_in_utc_or_refused(moment: datetime) -> None:
    """With its zone taken into account, to the microsecond, within the years that a warehouse has."""
    column = Column(type="TIMESTAMP", from_="x", unit="iso")
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    try:
        expected = aware.astimezone(UTC)
    except OverflowError:
        with pytest.raises(OverflowError, match="outside the years 1 to 9999"):
            to_arrow([moment], column, 1)
    else:
        assert to_arrow([moment], column, 1).to_pylist() == [expected]


def test_constants_are_columns() -> None:
    """One value in every row, or none in any; no rows are an empty column."""
    column = Column(type="DATE", from_="x")
    assert to_arrow(Constant(date(2026, 1, 2)), column, 2).to_pylist() == [date(2026, 1, 2)] * 2
    assert to_arrow(Constant(None), column, 2).to_pylist() == [None, None]
    assert to_arrow(Constant(None), column, 0).type == to_arrow([], column, 0).type == pa.date32()


@pytest.mark.parametrize("raw", [b"{", b"NaN", b'"\\ud800"', b'"\xff"', b"1e999", b"", b"1 2"])
def test_json_is_json(raw: bytes) -> None:
    """A JSON column's text is read before it is kept."""
    with pytest.raises((msgspec.DecodeError, UnicodeError)):
        to_arrow([msgspec.Raw(raw)], Column(type="JSON", from_="x"), 1)


def test_the_schema_says_what_is_required() -> None:
    """Columns stand in their order: every table's, the parent's, the own; the parent's key stays REQUIRED."""
    endpoint = declare(
        "things:\n  key: [id]\n  columns:\n    id: {type: INTEGER, mode: REQUIRED, from: id}\n"
        "    n: {type: FLOAT, mode: REQUIRED, from: n}\n"
        "parts:\n  each: parts\n  parent: {thing: id, n: n}\n  columns: {s: {type: STRING, from: s}}"
    )
    schema = arrow_schema(table_columns(endpoint, "parts"))
    assert schema.names == ["_run_id", "_account", "thing", "n", "s"]
    assert [field.nullable for field in schema] == [False, False, False, True, True]


def test_a_row_is_found_again() -> None:
    """The path to a row counts its place among its parent's, through two levels, lists and maps."""
    plans = {
        "a": TablePlan(name="a", root=None),
        "b": TablePlan(name="b", root="a", each=("x", "bs")),
        "c": TablePlan(name="c", root="b", each=()),
    }
    found: dict[str | None, Rows] = {
        "a": Rows(1, {}),
        "b": Rows(3, {"$index": [0, 1, 2]}, [3]),
        "c": Rows(3, {"$index": [0, 1, 0], "$key": ["p", "q", "r"]}, [2, 0, 1]),
    }
    assert [trail(plans, found, "c", row) for row in range(3)] == [
        "x.bs[0]['p']",
        "x.bs[0]['q']",
        "x.bs[2]['r']",
    ]
    assert trail(plans, found, "a", 0) == ""

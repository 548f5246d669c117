"""Fields that nobody declared: noted, learned, and without effect on the rows."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fixtures.flat import Flattened, columns, declare, flat, things

ENDPOINT = declare(
    """
    things:
      ignore: [old, deep.old]
      columns:
        id: {type: INTEGER, from: id}
        x: {type: INTEGER, from: deep.x}
    parts:
      each: parts
      columns: {n: {type: INTEGER, from: n}}
    stats:
      each: stats
      columns:
        k: {type: STRING, from: $key}
        v: {type: INTEGER, from: v}
    """
)
PLAIN: dict[str, Any] = {"id": 1, "deep": {"x": 2}, "parts": [{"n": 1}, {"n": 2}], "stats": {"a": {"v": 1}}}


def _with(**changes: Any) -> dict[str, Any]:
    return json.loads(json.dumps(PLAIN)) | changes


@pytest.mark.parametrize(
    ("page", "drift"),
    [
        (things(PLAIN), set()),
        (things(PLAIN) | {"more": 1}, {("more", "integer")}),
        (things(_with(new="x")), {("things[].new", "string")}),
        (things(_with(deep={"x": 2, "new": 1.5})), {("things[].deep.new", "number")}),
        (things(_with(parts=[{"n": 1}, {"n": 2, "new": True}])), {("things[].parts[].new", "boolean")}),
        (things(_with(stats={"a": {"v": 1, "new": None}})), {("things[].stats[].new", "null")}),
        (things(_with(new={"in": {"side": 1}})), {("things[].new", "object")}),
        (things(_with(new=[{"in": 1}])), {("things[].new", "array")}),
        (things(_with(a=1, b=2)), {("things[].a", "integer"), ("things[].b", "integer")}),
        (
            things(_with(new=1), _with(new="x"), _with(new=None)),
            {("things[].new", "integer"), ("things[].new", "string")},
        ),
        (things(_with(old={"any": "thing"}, deep={"x": 2, "old": [1]})), set()),
        ({"things": PLAIN | {"new": 1}}, {("things.new", "integer")}),
    ],
)
def test_new_fields_are_noted_and_change_no_row(page: Any, drift: set[tuple[str, str]]) -> None:
    """Each is named with its place and JSON type, not what is inside it; the rows are the same."""
    found = flat(ENDPOINT, page)
    records = page["things"] if isinstance(page["things"], list) else [page["things"]]
    assert found.drift == drift
    assert found.tables == flat(ENDPOINT, things(*[PLAIN] * len(records))).tables
    assert found.rejected == []


def test_a_field_is_learned_after_the_first_page() -> None:
    """The next pages with it are quick again: one lesson, however many of them come."""
    found = flat(ENDPOINT, *[things(_with(new=n)) for n in range(5)])
    assert found.flattener._lessons == 1
    assert found.column("id") == [1] * 5


def test_fields_of_any_name_are_drift() -> None:
    """Quotes, line breaks, surrogates and an empty name are noted as every other, on every page."""
    keys = ['a"b', "a\\b", "a\nb", "", "é", "x" * 5_000, "$"]
    page = things(_with(**dict.fromkeys(keys, 1)))
    found = flat(ENDPOINT, page, page)
    assert {path for path, _ in found.drift} == {f"things[].{key}"[:500] for key in keys}
    assert (found.column("id"), found.rejected) == ([1, 1], [])
    beside = flat(ENDPOINT, things(PLAIN) | {"\ud800": 1})
    assert (beside.drift, beside.column("id")) == ({("\\ud800", "integer")}, [1])


def test_ever_new_fields_stop_the_learning_and_not_the_collecting() -> None:
    """After twenty lessons new fields are let pass; the rows of all pages are there."""
    found = flat(ENDPOINT, *[things(_with(id=n, **{f"new{n}": n})) for n in range(60)])
    assert found.column("id") == list(range(60))
    assert (found.flattener._lessons, len(found.drift), found.rejected) == (20, 20, [])


def test_a_hundred_thousand_new_fields_are_bounded() -> None:
    """One page with fields without end costs neither the rows nor unbounded memory and time."""
    found = Flattened(ENDPOINT)
    for n in range(3):
        found.add(things(_with(id=n, **{f"new{k}": k for k in range(100_000 if n == 0 else 10)})))
    assert found.column("id") == [0, 1, 2]
    assert len(found.drift) <= 1_000
    assert len(found.flattener._record.children) < 300


def test_unreadable_fields_without_end_are_bounded() -> None:
    """Fields whose names cannot be learned are noted up to the same bound."""
    pages = [things(_with(**{f'"{n}-{k}': k for k in range(200)})) for n in range(10)]
    found = flat(ENDPOINT, *pages)
    assert len(found.drift) == 1_000
    assert found.column("id") == [1] * 10


def test_drift_is_found_where_records_are_bad_too() -> None:
    """A page is looked through for new fields before its records are taken apart."""
    found = flat(ENDPOINT, things(_with(id="x", new=1), PLAIN))
    assert found.drift == {("things[].new", "integer")}
    assert [path for path, _ in found.faults] == ["things[0].id"]


def test_an_unknown_map_of_objects_is_one_field() -> None:
    """Only the top of what is unknown is named."""
    found = flat(declare(columns(id="INTEGER")), things({"id": 1, "m": {"a": {"x": 1}, "b": {"x": 2}}}))
    assert found.drift == {("things[].m", "object")}

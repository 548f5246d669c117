"""Columns that no single record holds: what a function may give for them, and what is said otherwise."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from fixtures.flat import CONSTANTS, declare

from shared.derive import derived_columns
from shared.errors import EndpointInvalid, FixConfiguration
from shared.flattening import Flattening

FETCHED = datetime(2026, 11, 20, 10, tzinfo=UTC)
DECLARED = declare(
    """
    sums:
      columns:
        name: {type: STRING, from: name}
        lowest: {type: INTEGER, from: $derived, check: {min: 10}}
        share: {type: FLOAT, from: $derived}
        last: {type: TIMESTAMP, from: $derived}
    parts:
      each: parts
      columns:
        n: {type: INTEGER, from: n}
        at: {type: TIMESTAMP, from: at}
    """,
    requests="things: {path: /t}",
)
CHILD = """
t:
  columns: {n: {type: INTEGER, from: $derived}}
u:
  each: x
  parent: {n: n}
  columns: {v: {type: STRING, from: v}}
"""
PAGE = {"name": "a", "parts": [{"n": 3, "at": 1_700_000_000}, {"n": 5, "at": 1_600_000_000}]}


def derive(rows):
    parts = rows["parts"]
    return {
        "sums": {
            "lowest": pc.min(parts["n"]),
            "share": 0.5,
            "last": pc.max(parts["at"]),
        }
    }


def flattened(function, *pages):
    found = Flattening(DECLARED, dict(CONSTANTS), function)
    tables: dict[str, list[dict[str, object]]] = {"sums": [], "parts": []}
    for flat in found.pages([("things", json.dumps(page).encode(), FETCHED) for page in pages]):
        for name, batch in flat.batches.items():
            own = [c for c in batch.schema.names if not c.startswith("_")]
            tables[name] += batch.select(own).to_pylist()
    return tables, found.quality


def test_a_value_for_all_rows_is_made_of_the_whole_run() -> None:
    """The function sees every page's rows, and its values stand in every row of its table."""
    tables, _ = flattened(derive, PAGE, {"name": "b", "parts": [{"n": 1, "at": None}]})
    last = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert tables["sums"] == [
        {"name": "a", "lowest": 1, "share": 0.5, "last": last},
        {"name": "b", "lowest": 1, "share": 0.5, "last": last},
    ]
    assert [row["n"] for row in tables["parts"]] == [3, 5, 1]


def test_a_value_for_each_row_is_an_array() -> None:
    """An Arrow array gives each row its own."""
    tables, _ = flattened(
        lambda rows: {
            "sums": {"lowest": pa.array([7, None]), "share": rows["parts"]["n"], "last": None},
        },
        {"name": "a", "parts": [{"n": 1}]},
        {"name": "b", "parts": [{"n": 2}]},
    )
    assert [(row["lowest"], row["share"]) for row in tables["sums"]] == [(7, 1.0), (None, 2.0)]


def test_nulls_and_checks_are_counted_as_of_any_column() -> None:
    """A derived NULL is in the null shares, a value that a check dislikes in the warnings."""
    _, quality = flattened(derive, PAGE)
    assert quality.warnings == {"sums": {"lowest min 10": 1}}
    _, quality = flattened(derive, {"name": "a", "parts": []})
    assert quality.null_shares()["sums"] == {"lowest": 1.0, "last": 1.0}


def test_no_rows_are_no_error() -> None:
    """A table that got no rows takes no values."""
    found = Flattening(DECLARED, dict(CONSTANTS), derive)
    assert [flat.batches for flat in found.pages([])] == []


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "gives nothing"),
        ({"sums": {"lowest": 1, "share": 1.0}}, "sums.last"),
        ({"sums": {"lowest": 1, "share": 1.0, "last": None, "more": 1}}, "sums.more"),
        ({"other": {"lowest": 1}}, "other.lowest"),
        ({"sums": {"lowest": "seven", "share": 1.0, "last": None}}, "'seven' for sums.lowest"),
        ({"sums": {"lowest": 2**63, "share": 1.0, "last": None}}, "sums.lowest"),
        ({"sums": {"lowest": pc.scalar(7.5), "share": 1.0, "last": None}}, "sums.lowest"),
        ({"sums": {"lowest": pa.array([1, 2]), "share": 1.0, "last": None}}, "2 values for 1 rows"),
    ],
)
def test_what_is_not_as_declared_is_a_mistake_in_main_py(given: object, says: str) -> None:
    """Other columns, other types and other lengths are told with the file to correct."""
    with pytest.raises(FixConfiguration) as raised:
        flattened(lambda _: given, PAGE)
    assert says in str(raised.value)
    assert "functions/made/main.py" in str(raised.value)


def test_derived_columns_without_a_function_are_a_mistake() -> None:
    """The error names the columns and what to hand over."""
    with pytest.raises(FixConfiguration, match=r"sums\.lowest.*derive="):
        Flattening(DECLARED, dict(CONSTANTS))


def test_an_endpoint_without_such_columns_needs_no_function() -> None:
    """Nothing is held back for it."""
    plain = declare("t:\n  columns:\n    n: {type: INTEGER, from: n}")
    assert derived_columns(plain) == {}
    Flattening(plain, dict(CONSTANTS))


@pytest.mark.parametrize(
    ("tables", "says"),
    [
        ("t:\n  columns:\n    n: {type: INTEGER, mode: REQUIRED, from: $derived}", "REQUIRED"),
        (
            "t:\n  columns:\n    n: {type: INTEGER, from: $derived, check: {min: 1, severity: reject}}",
            "reject",
        ),
        ("t:\n  key: [n]\n  columns:\n    n: {type: INTEGER, from: $derived}", "tells no rows apart"),
        (CHILD, "after this table's rows are made"),
    ],
)
def test_what_a_derived_column_cannot_be(tables: str, says: str) -> None:
    """Made last and in no record, it is no key, not REQUIRED, rejects nothing, and no child repeats it."""
    with pytest.raises(EndpointInvalid, match=says):
        declare(tables)

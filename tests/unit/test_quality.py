"""Checks, and what is counted of a run's rows."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest
from fixtures.flat import CONSTANTS, ROOT, Flattened, columns, declare, flat, things

from shared.endpoint_file import load_endpoint
from shared.flatten import Flattener

CHECKED = """
things:
  columns:
    n: {{type: INTEGER, from: n, check: {{min: 0, max: 10, severity: {severity}}}}}
    f: {{type: FLOAT, from: f, check: {{max: 0.5, severity: {severity}}}}}
    s: {{type: STRING, from: s, check: {{enum: [a, b], severity: {severity}}}}}
    b: {{type: BOOLEAN, from: b, check: {{enum: [true], severity: {severity}}}}}
parts:
  each: parts
  columns:
    m: {{type: INTEGER, from: m, check: {{min: 1, severity: {severity}}}}}
"""
WARN = declare(CHECKED.format(severity="warn"))
REJECT = declare(CHECKED.format(severity="reject"))
GOOD: dict[str, Any] = {"n": 10, "f": 0.5, "s": "a", "b": True, "parts": [{"m": 1}, {"m": None}]}


def test_what_a_check_warns_of_is_kept_and_counted() -> None:
    """Each value out of range counts, by column and check; NULL is none."""
    page = things(
        GOOD, GOOD | {"n": -1}, GOOD | {"n": 11, "f": 1}, GOOD | {"n": 12, "s": "c", "b": False}, {},
        GOOD | {"parts": [{"m": 0}, {"m": -5}]},
    )  # fmt: skip
    found = flat(WARN, page, page)
    assert found.column("n") == [10, -1, 11, 12, None, 10] * 2
    assert found.flattener.quality.warnings == {
        "things": {"n min 0": 2, "n max 10": 4, "f max 0.5": 2, "s enum a, b": 2, "b enum True": 2},
        "parts": {"m min 1": 4},
    }


@pytest.mark.parametrize(
    ("change", "path", "reason"),
    [
        ({"n": -1}, "n", "n: -1 is not within: min 0"),
        ({"n": 11}, "n", "n: 11 is not within: max 10"),
        ({"f": 0.75}, "f", "f: 0.75 is not within: max 0.5"),
        ({"s": "c"}, "s", "s: 'c' is not within: enum a, b"),
        ({"b": False}, "b", "b: False is not within: enum True"),
        ({"parts": [{"m": 3}, {"m": 0}]}, "parts[1].m", "m: 0 is not within: min 1"),
    ],
)
def test_what_a_check_rejects_costs_the_record(change: dict[str, Any], path: str, reason: str) -> None:
    """The record is set aside with place and reason, also for a child's value; the others stay."""
    found = flat(REJECT, things(GOOD, GOOD | change, GOOD))
    assert found.faults == [(f"things[1].{path}", reason)]
    assert found.column("n") == [10, 10]
    assert len(found.tables["parts"]) == 4
    assert found.flattener.quality.warnings == {}


def test_nulls_and_their_shares_are_the_truth() -> None:
    """Over all pages, for every table and column; a column without NULLs is not named."""
    endpoint = declare(columns(a="INTEGER", b="STRING", c="INTEGER from: gone"))
    found = flat(endpoint, things({"a": 1}, {"a": None, "b": "x"}), things({"a": 3}), things())
    quality = found.flattener.quality
    assert quality.rows == {"things": 3}
    assert quality.nulls["things"] == {"a": 1, "b": 2, "c": 3}
    assert quality.null_shares() == {"things": {"a": 0.3333, "b": 0.6667, "c": 1.0}}


def test_no_rows_have_no_shares() -> None:
    """A table without rows divides by nothing."""
    assert flat(declare(columns(a="INTEGER")), things()).flattener.quality.null_shares() == {}


KEYED = """
things:
  mode: merge
  key: [id]
  columns:
    at: {type: TIMESTAMP, mode: REQUIRED, from: $fetched_at}
    id: {type: INTEGER, mode: REQUIRED, from: id}
    n: {type: INTEGER, from: n}
parts:
  each: parts
  mode: merge
  parent: {thing_id: id}
  key: [thing_id, part]
  columns:
    at: {type: TIMESTAMP, mode: REQUIRED, from: $fetched_at}
    part: {type: INTEGER, mode: REQUIRED, from: part}
"""


def test_of_equal_keys_the_one_read_last_counts() -> None:
    """Pages are given newest first; the first record of a key makes rows, with its children."""
    endpoint = declare(KEYED)
    found = flat(
        endpoint,
        things(
            {"id": 1, "n": 1, "parts": [{"part": 1}]},
            {"id": 2, "n": 2},
            {"id": 1, "n": 3, "parts": [{"part": 9}]},
        ),
        things({"id": 2, "n": 4}, {"id": 3, "n": 5}),
        things({"id": 3, "n": 6}),
    )
    assert [(row["id"], row["n"]) for row in found.tables["things"]] == [(1, 1), (2, 2), (3, 5)]
    assert found.column("part", "parts") == [1]
    assert found.flattener.quality.duplicates == {"things": 3}
    assert found.flattener.quality.records == 6


def test_a_childs_keys_are_counted_within_a_page() -> None:
    """Children that repeat a key are kept, and counted."""
    found = flat(
        declare(KEYED),
        things(
            {"id": 1, "parts": [{"part": 1}, {"part": 1}, {"part": 2}]}, {"id": 2, "parts": [{"part": 1}]}
        ),
    )
    assert len(found.tables["parts"]) == 4
    assert found.flattener.quality.duplicates == {"parts": 1}


def test_a_page_that_failed_half_way_leaves_no_key_behind() -> None:
    """A record that is set aside does not count as seen: the same key of an older page makes its row."""
    page = things({"id": 1, "n": 1}, {"id": 2, "n": "x"}, {"id": 3, "n": 3, "new": 1})
    found = flat(declare(KEYED), page, things({"id": 2, "n": 5}, {"id": 1, "n": 6}))
    assert [(row["id"], row["n"]) for row in found.tables["things"]] == [(1, 1), (3, 3), (2, 5)]
    assert found.flattener.quality.duplicates == {"things": 1}


@pytest.mark.parametrize(
    ("key", "kept"),
    [
        ("[id]", [1, 2]),
        ("[id, k]", [1, 1, 2]),
        ("[id, f]", [1, 2]),
        ("[id, at]", [1, 2, 1]),
        ("[at]", [1, 1, 1, 2, 1]),
    ],
)
def test_keys_of_several_columns_and_constants(key: str, kept: list[int]) -> None:
    """What is the same in every row tells no records apart; the time of reading tells pages apart."""
    endpoint = declare(
        f"""
        things:
          key: {key}
          columns:
            at: {{type: TIMESTAMP, mode: REQUIRED, from: $fetched_at}}
            f: {{type: INTEGER, mode: REQUIRED, from: $faction_id}}
            id: {{type: INTEGER, mode: REQUIRED, from: id}}
            k: {{type: STRING, mode: REQUIRED, from: deep.k}}
        """
    )
    one, other, two = (
        {"id": 1, "deep": {"k": "a"}},
        {"id": 1, "deep": {"k": "b"}},
        {"id": 2, "deep": {"k": "a"}},
    )
    assert flat(endpoint, things(one, other, one, two), things(one)).column("id") == kept


def test_records_of_a_map_are_told_apart_by_their_keys() -> None:
    """`$key` is a key like any other, also together with another column."""
    for more in ("", ", n"):
        endpoint = declare(
            f"things:\n  key: [k{more}]\n  columns:\n    k: {{type: STRING, mode: REQUIRED, from: $key}}\n"
            "    n: {type: INTEGER, mode: REQUIRED, from: n}"
        )
        found = flat(
            endpoint, {"things": {"a": {"n": 1}, "b": {"n": 2}}}, {"things": {"b": {"n": 2}, "c": {"n": 3}}}
        )
        assert found.column("k") == ["a", "b", "c"]


def test_the_keys_of_a_page_tell_it_from_others() -> None:
    """Where the records have no key of their own, or cannot be read, their JSON does."""
    keyed = Flattened(declare(KEYED)).flattener
    assert keyed.keys(b'{"things": [{"id": 1}, {"id": 2}]}') == [1, 2]
    assert keyed.keys(b'{"things": [{"id": 1}, {"id": "x"}]}') == [b'{"id": 1}', b'{"id": "x"}']
    assert Flattened(declare(columns(n="INTEGER"))).flattener.keys(b'{"things": [{"n":1}]}') == [b'{"n":1}']


def test_memory_per_further_row_is_small() -> None:
    """What stays of a row when its page is gone is its key: below 60 bytes, 20,000 records long."""
    flattener = Flattener(load_endpoint(ROOT / "functions" / "crimes" / "endpoint.yaml"), "crimes")
    slots = ",".join(['{"position": "a"}'] * 3)

    def page(number: int) -> bytes:
        records = ",".join(f'{{"id": {10**9 + number * 100 + n}, "slots": [{slots}]}}' for n in range(100))
        return f'{{"crimes": [{records}]}}'.encode()

    def flattened(numbers: range) -> int:
        return sum(b.num_rows for n in numbers for b in flattener.page(page(n), CONSTANTS).batches.values())

    flattened(range(5))
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        rows = flattened(range(5, 205))
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert rows == 80_000
    assert grown / rows < 60

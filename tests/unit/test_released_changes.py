"""What a change of endpoint.yaml does to tables that were released."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fixtures.flat import declare
from msgspec.structs import replace

from shared.released import schema_of
from shared.schema_changes import schema_changes

if TYPE_CHECKING:
    from shared.endpoint import Endpoint
    from shared.schema_changes import Change

REQUESTS = """
things: {path: /things, records: things}
log: {path: /log, records: log}
"""
TABLES = """
things:
  request: things
  mode: merge
  key: [id]
  partition: at
  cluster: [id]
  columns:
    at: {type: TIMESTAMP, mode: REQUIRED, from: $fetched_at}
    id: {type: INTEGER, mode: REQUIRED, from: id}
    made: {type: TIMESTAMP, from: made}
    price: {type: INTEGER, from: price, check: {min: 0}, description: What it costs.}
parts:
  request: things
  each: parts
  mode: merge
  parent: {thing_id: id}
  key: [thing_id]
  columns:
    at: {type: TIMESTAMP, mode: REQUIRED, from: $fetched_at}
    name: {type: STRING, from: name}
log:
  request: log
  columns:
    seen: {type: TIMESTAMP, mode: REQUIRED, from: $fetched_at}
    word: {type: STRING, mode: REQUIRED, from: word}
"""
PARTS, LOG = TABLES[TABLES.index("parts:") : TABLES.index("log:")], TABLES[TABLES.index("log:") :]
PRICE = "    price: {type: INTEGER, from: price, check: {min: 0}, description: What it costs.}\n"
MADE = "    made: {type: TIMESTAMP, from: made}\n"
NEW = "    new: {type: STRING, from: new}\n"
MUST = NEW.replace("STRING", "STRING, mode: REQUIRED")
PARENT = "parent: {thing_id: id"
MORE = "more:\n  request: log\n  each: more\n  columns:\n    a: {type: STRING, mode: REQUIRED, from: a}\n"


def endpoint(old: str = "", new: str = "", *, version: int = 1) -> Endpoint:
    assert old in TABLES
    return replace(
        declare(TABLES.replace(old, new, 1) if old else TABLES, requests=REQUESTS), version=version
    )


def changes(old: str, new: str, *, version: int) -> list[Change]:
    """Return what the change of these words is."""
    return schema_changes(schema_of(endpoint()), endpoint(old, new, version=version))


@pytest.mark.parametrize(
    ("old", "new", "place", "what", "was", "now"),
    [
        (PARTS, "", "parts", "the table is gone", "5 columns", ""),
        (PRICE, "", "things.price", "the column is gone", "INTEGER", ""),
        ("INTEGER, from: price", "FLOAT, from: price", "things.price", "type", "INTEGER", "FLOAT"),
        ("from: name", "mode: REQUIRED, from: name", "parts.name", "mode", "STRING", "STRING REQUIRED"),
        (MADE + PRICE, PRICE + MADE, "things", "the columns' order", "made, price", "price, made"),
        (MADE, NEW + MADE, "things.new", "new column, not the last", "", "STRING"),
        (PRICE, PRICE + MUST, "things.new", "new column", "", "STRING REQUIRED"),
        (PARENT, PARENT + ", cost: price", "parts.cost", "new column, not the last", "", "INTEGER"),
        ("partition: at", "partition: made", "things", "partition", "at", "made"),
        ("  partition: at\n", "", "things", "partition", "at", "none"),
        ("key: [thing_id]", "key: [thing_id, at]", "parts", "key", "thing_id", "thing_id, at"),
        ("log:", "log:\n  mode: replace", "log", "mode", "append", "replace"),
    ],
)  # fmt: skip
def test_what_would_lose_or_retype_rows_is_refused(  # noqa: PLR0917
    old: str, new: str, place: str, what: str, was: str, now: str
) -> None:
    """The change is named with what was and what is, and what to do; a raised version does not help."""
    for version in (1, 2):
        [change] = changes(old, new, version=version)
        assert (change.place, change.what, change.was, change.is_) == (place, what, was, now)
        assert change.refused
        assert change.next_step


def test_a_renamed_column_is_one_that_is_gone_and_a_new_one() -> None:
    """Nothing guesses that two names mean the same."""
    found = changes("price: {type", "cost: {type", version=2)
    assert [(c.place, c.what, c.refused) for c in found] == [
        ("things.price", "the column is gone", True),
        ("things.cost", "new column", False),
    ]
    [*_, version] = changes("price: {type", "cost: {type", version=1)
    assert version.next_step.startswith("raise `version` to 2")


def test_a_parents_column_that_is_retyped_is_named_in_the_child_too() -> None:
    """What a child repeats changes with it."""
    old = "id: {type: INTEGER, mode: REQUIRED, from: id}"
    found = changes(old, old.replace("INTEGER", "STRING"), version=2)
    assert [c.place for c in found] == ["things.id", "parts.thing_id"]


@pytest.mark.parametrize(
    ("old", "new", "place", "what"),
    [
        (PRICE, PRICE + NEW, "things.new", "new column"),
        ("log:", MORE + "log:", "more", "new table"),
        ("STRING, mode: REQUIRED, from: word", "STRING, from: word", "log.word", "mode"),
        ("cluster: [id]", "cluster: [made, id]", "things", "cluster"),
        ("log:", "log:\n  key: [word]", "log", "key"),
    ],
)  # fmt: skip
def test_what_adds_or_relaxes_needs_the_next_version(old: str, new: str, place: str, what: str) -> None:
    """At the old version it says which to raise to; at the next, that it is to be released."""
    (told, same), (again, after) = (changes(old, new, version=version) for version in (1, 2))
    assert (told.place, told.what, told.refused) == (place, what, False)
    assert again == told
    assert (same.what, same.refused) == ("version", True)
    assert same.next_step == "raise `version` to 2 and run `tcdatalogger schema release`"
    assert (after.was, after.is_, after.refused) == ("1", "2", False)
    assert after.next_step == "run `tcdatalogger schema release`"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("What it costs.", "The price."),
        ("from: price", "from: cost.low"),
        (", from: price, check: {min: 0}", ""),
        ("check: {min: 0}", "check: {min: 1}"),
        (PARTS + LOG, LOG + PARTS),
    ],
)
def test_what_the_tables_do_not_keep_is_free(old: str, new: str) -> None:
    """Texts, sources, checks and the order of tables change without a version."""
    assert schema_changes(schema_of(endpoint()), endpoint(old, new)) == []


def test_versions_go_up_by_one() -> None:
    """Back, or two at once, is refused; one more without a change is a release like any other."""
    released = schema_of(endpoint(version=4))
    assert schema_changes(released, endpoint(version=4)) == []
    for version in (3, 6):
        [change] = schema_changes(released, endpoint(version=version))
        assert (change.refused, change.was, change.is_) == (True, "4", str(version))
        assert change.next_step.startswith("set `version: 4`")
    [_, change] = schema_changes(released, endpoint(PRICE, PRICE + NEW, version=6))
    assert change.next_step.startswith("set `version: 5`")
    [change] = schema_changes(released, endpoint(version=5))
    assert not change.refused


def test_a_first_release_is_version_one() -> None:
    """An endpoint without a release has nothing to lose; a higher version without one has lost its file."""
    assert schema_changes(None, endpoint()) == []
    [change] = schema_changes(None, endpoint(version=3))
    assert change.refused
    assert "restore released.json" in change.next_step

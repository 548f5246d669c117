"""Pages that are flattened together give what they give one by one."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.endpoint_file import find_endpoints, load_endpoint
from shared.flatten import Flattener
from shared.flattening import Flattening
from shared.simulator import crime_pages

CRIMES = load_endpoint(find_endpoints()["crimes"])
START = datetime(2026, 11, 20, 10, tzinfo=UTC)
CONSTANTS = {"$run_id": "r", "$account": "a", "$faction_id": 7}
# The oldest, which are done and have rewards.
PAGES = [json.loads(page) for page in crime_pages(6_000, seed=3, now=START.timestamp(), limit=8)][-5:]

# What may be different about a page: nothing, a new field, a bad record, a disliked value, no
# records, a record that another page has too.
CHANGES = ("none", "none", "none", "new", "bad", "disliked", "empty", "again", "no-slots", "no-rewards")


def changed(number, change):
    """Return a page with one thing changed."""
    page = json.loads(json.dumps(PAGES[number]))
    crimes = page["crimes"]
    if change == "new":
        crimes[1]["mood"] = {"of": "all"}
    elif change == "bad":
        crimes[2]["difficulty"] = "7"
    elif change == "disliked":
        crimes[3]["difficulty"] = 11
        crimes[4]["status"] = "Postponed"
    elif change == "empty":
        page["crimes"] = []
    elif change == "again":
        crimes.append(json.loads(json.dumps(PAGES[(number + 1) % len(PAGES)]["crimes"][0])))
    elif change == "no-slots":
        for crime in crimes:
            crime["slots"] = None
    elif change == "no-rewards":
        for crime in crimes:
            crime["rewards"] = None
    return json.dumps(page).encode()


def flattened(flattener, pages, size):
    """Return all tables' rows after flattening pages in groups, and what was set aside."""
    tables, rejected = {}, []
    for begin in range(0, len(pages), size):
        for flat in flattener.pages(pages[begin : begin + size], CONSTANTS):
            rejected += flat.rejected
            for name, batch in flat.batches.items():
                batch.validate(full=True)
                tables.setdefault(name, []).extend(batch.to_pylist())
    return tables, rejected


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(CHANGES), min_size=1, max_size=5), st.integers(2, 5))
def test_a_group_is_its_pages(changes, size):
    """Rows, moments, counts, warnings, duplicates, drift and rejected records are the same."""
    pages = [
        (changed(number, change), START + timedelta(seconds=number)) for number, change in enumerate(changes)
    ]
    alone, together = (Flattener(CRIMES, "crimes", envelope=("_metadata",)) for _ in range(2))
    assert flattened(together, pages, size) == flattened(alone, pages, 1)
    assert together.quality == alone.quality
    assert together.drift == alone.drift


def test_each_row_has_the_moment_of_its_page():
    """In the root and in both children, also where a page has no rows of a child."""
    changes = ("none", "no-rewards", "no-slots", "empty", "none")
    pages = [
        (changed(number, change), START + timedelta(seconds=number)) for number, change in enumerate(changes)
    ]
    tables, _ = flattened(Flattener(CRIMES, "crimes", envelope=("_metadata",)), pages, len(pages))
    page_of = {crime["id"]: n for n, page in enumerate(PAGES) for crime in page["crimes"]}
    for name, rows in tables.items():
        assert rows
        for row in rows:
            number = page_of[row.get("crime_id", row.get("id"))]
            assert row["server_timestamp"] == START + timedelta(seconds=number), name


def test_a_run_groups_pages_of_one_request_within_bounds():
    """A few small pages come as one batch; large ones alone; none is lost."""
    small = [("crimes", changed(n, "none"), START) for n in range(5)]
    flats = list(Flattening(CRIMES, CONSTANTS).pages(small))
    assert len(flats) == 1
    assert flats[0].batches["crimes"].num_rows == 40
    padded = [(name, body + b" " * 400_000, moment) for name, body, moment in small]
    assert len(list(Flattening(CRIMES, CONSTANTS).pages(padded))) == 5
    assert list(Flattening(CRIMES, CONSTANTS).pages([])) == []

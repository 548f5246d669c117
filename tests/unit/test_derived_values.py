"""What the functions in main.py make of a run's rows, by numbers worked out by hand."""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa
import pytest

from shared.arrow import arrow_schema
from shared.cli.hooks import derive_of
from shared.endpoint_file import find_endpoints, load_endpoint
from shared.endpoint_rules import table_columns

US, THEM, OTHERS = 100, 200, 300


def at(day):
    return datetime(2026, 11, day, tzinfo=UTC)


def derived(name, **rows):
    """Return what an endpoint's function makes of rows; columns that are not given are NULL."""
    endpoint = load_endpoint(find_endpoints()[name])
    derive = derive_of(endpoint)
    assert derive is not None
    tables = {}
    for table in endpoint.tables:
        schema = arrow_schema(table_columns(endpoint, table))
        schema = pa.schema([field.with_nullable(nullable=True) for field in schema])
        tables[table] = pa.Table.from_pylist(rows.get(table, []), schema=schema)
    return {
        column: value.as_py() if isinstance(value, pa.Scalar) else value
        for column, value in derive(tables)[name].items()
    }


def test_points_cost_what_the_cheapest_listing_asks() -> None:
    """The lowest cost per point, and all points on offer."""
    listings = [
        {"cost": 45_100, "quantity": 30},
        {"cost": 44_990, "quantity": 2},
        {"cost": 50_000, "quantity": 100},
    ]
    assert derived("currency", currency=[{}], currency_listings=listings) == {
        "currency_id": 1,
        "name": "Points",
        "buy_price": 44_990,
        "circulation": 132,
    }


def test_no_offer_is_no_price() -> None:
    """Without a listing there is no price, not a price of 0; and there are 0 points on offer."""
    found = derived("currency", currency=[{}])
    assert (found["buy_price"], found["circulation"]) == (None, 0)


def raid(*, us_first, ours, theirs, ended=1):
    sides = [(US, ours), (THEM, theirs)]
    (first, one), (second, two) = sides if us_first else reversed(sides)
    return {
        "aggressor_id": first, "aggressor_score": one, "defender_id": second, "defender_score": two,
        "ended_at": ended and at(ended),
    }  # fmt: skip


def test_raids_are_won_by_the_higher_score_whoever_began() -> None:
    """Three won, one lost; one draw and one that goes on are neither."""
    raids = [
        raid(us_first=True, ours=10.5, theirs=10.25),
        raid(us_first=False, ours=7.0, theirs=3.0),
        raid(us_first=False, ours=8.0, theirs=3.0),
        raid(us_first=True, ours=1.0, theirs=9.0),
        raid(us_first=True, ours=5.0, theirs=5.0),
        raid(us_first=True, ours=99.0, theirs=1.0, ended=None),
    ]
    found = derived("basic", basic=[{"faction_id": US}], basic_raids=raids)
    assert (found["raid_won"], found["raid_lost"]) == (3, 1)


def test_territories_are_counted_and_their_respect_added_up() -> None:
    """A territory that tells no respect counts all the same."""
    territories = [{"id": "AAB", "respect": 20}, {"id": "ZZA", "respect": 15}, {"id": "BCD"}]
    found = derived("basic", basic=[{"faction_id": US}], basic_territories=territories)
    assert (found["territory_count"], found["territory_respect"]) == (3, 35)


def test_the_pact_that_holds_longest_is_taken() -> None:
    """Of several pacts, the last to end."""
    pacts = [
        {"faction_id": THEM, "until": at(21)},
        {"faction_id": OTHERS, "until": at(25)},
        {"faction_id": US, "until": at(23)},
    ]
    found = derived("basic", basic=[{"faction_id": US}], basic_pacts=pacts)
    assert (found["peace_expiry"], found["peace_faction_id"]) == (at(25), OTHERS)


@pytest.mark.parametrize("rows", [[{"faction_id": US}], []])
def test_a_faction_without_anything_has_zeros_and_no_peace(rows) -> None:
    """Nothing to count is 0; no pact is NULL."""
    assert derived("basic", basic=rows) == {
        "territory_count": 0, "territory_respect": 0, "raid_won": 0, "raid_lost": 0,
        "peace_expiry": None, "peace_faction_id": None,
    }  # fmt: skip

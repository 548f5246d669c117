"""Pages for measuring are real-shaped, many, and of the size real ones have."""

from __future__ import annotations

import json

from shared.simulator import crime_pages

NOW = 1_777_308_831


def test_pages_hold_exactly_the_crimes_wanted() -> None:
    """``count`` crimes in pages of ``limit``, newest first, none twice; the last page has no next link."""
    pages = [json.loads(page) for page in crime_pages(230, seed=3, now=NOW)]
    ids = [crime["id"] for page in pages for crime in page["crimes"]]
    assert [len(page["crimes"]) for page in pages] == [100, 100, 30]
    assert ids == sorted(set(ids), reverse=True)
    assert [bool(page["_metadata"]["links"]["next"]) for page in pages] == [True, True, False]
    assert list(crime_pages(0, seed=3, now=NOW)) == []
    assert [len(json.loads(page)["crimes"]) for page in crime_pages(5, seed=3, now=NOW, limit=2)] == [2, 2, 1]


def test_pages_are_the_same_every_time() -> None:
    """Seed and moment decide the bytes."""
    assert list(crime_pages(150, seed=3, now=NOW)) == list(crime_pages(150, seed=3, now=NOW))
    assert list(crime_pages(150, seed=3, now=NOW)) != list(crime_pages(150, seed=4, now=NOW))


def test_pages_have_the_size_of_real_ones() -> None:
    """1.37 kB and 5.93 rows a crime, within 5 per cent."""
    pages = list(crime_pages(6_000, seed=7, now=NOW))
    size = sum(map(len, pages)) / 6_000
    crimes = [crime for page in pages for crime in json.loads(page)["crimes"]]
    rewards = sum(len(crime["rewards"]["items"]) for crime in crimes if crime["rewards"])
    rows = (len(crimes) + sum(len(crime["slots"]) for crime in crimes) + rewards) / 6_000
    assert abs(size / 1_375 - 1) < 0.05
    assert abs(rows / 5.93 - 1) < 0.05

"""Durations, and the slots they cut a day into."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.schedule import DAY, duration, every, floor, rfc3339, slot_name, utc

MOMENTS = st.datetimes(datetime(2000, 1, 2), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
INTERVALS = st.integers(1, 1440).filter(lambda m: 1440 % m == 0).map(lambda m: timedelta(minutes=m))


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("PT1M", 1),
        ("PT15M", 15),
        ("PT60M", 60),
        ("PT1H", 60),
        ("PT90M", 90),
        ("PT1H30M", 90),
        ("PT24H", 1440),
        ("P1D", 1440),
        ("P1DT12H", 2160),
        ("P2W", 20160),
        ("P30D", 43200),
    ],
)
def test_durations(text, minutes):
    """Weeks, days, hours and minutes, alone and together."""
    assert duration(text) == timedelta(minutes=minutes)


@pytest.mark.parametrize(
    "text",
    [
        *["", "P", "PT", "P1", "1D", "PT15", "PT15m", "pt15m", "P1DT", "T15M", "15M", "P1D1W", "PT1M1H"],
        *[
            "PT-5M",
            "P-1D",
            "PT1.5H",
            "PT0,5H",
            "PT15M ",
            " PT15M",
            "PT15M\n",
            "PT1\N{ARABIC-INDIC DIGIT FIVE}M",
        ],
        *["P9999999999D", "P" + "9" * 5000 + "D"],
    ],
)
def test_what_is_no_duration(text):
    """Anything else is refused in one sentence that shows what would be right."""
    with pytest.raises(ValueError, match=r"is not a duration .* such as PT15M or P30D") as raised:
        duration(text)
    assert len(str(raised.value)) < 200


@pytest.mark.parametrize("text", ["P1M", "P1Y", "P1Y2M", "P1M1D", "P1Y1DT1H"])
def test_months_and_years_say_why(text):
    """Their length varies; whoever meant minutes is told how to write them."""
    with pytest.raises(ValueError, match=r"months and years vary in length .*a minute is PT1M"):
        duration(text)


@pytest.mark.parametrize("text", ["PT30S", "PT1M30S", "P1DT1S"])
def test_seconds_say_why(text):
    """The scheduler's grain is a minute."""
    with pytest.raises(ValueError, match="no seconds"):
        duration(text)


@pytest.mark.parametrize("text", ["PT0M", "P0D", "P0DT0H0M"])
def test_no_time_at_all_is_refused(text):
    """A duration of nothing would run for ever."""
    with pytest.raises(ValueError, match="no time at all"):
        duration(text)


@pytest.mark.parametrize("minutes", [m for m in range(1, 1441) if 1440 % m == 0])
def test_what_divides_a_day_is_a_schedule(minutes):
    """Every whole number of minutes that divides a day."""
    assert every(f"PT{minutes}M") == timedelta(minutes=minutes)


@pytest.mark.parametrize(
    "text", ["PT7M", "PT11M", "PT25M", "PT50M", "PT7H", "PT5H", "PT23H59M", "P2D", "P1W", "P1DT1M"]
)
def test_what_does_not_divide_a_day_is_refused(text):
    """Its slots would drift from one day to the next."""
    with pytest.raises(ValueError, match=r"does not divide a day.*take PT5M, PT15M"):
        every(text)


@given(MOMENTS, INTERVALS)
def test_a_slot_begins_at_or_before_its_moment(when, interval):
    """The floor is within one interval, is its own floor, and is a whole number of them after midnight."""
    slot = floor(when, interval)
    assert slot <= when < slot + interval
    assert floor(slot, interval) == slot
    assert (slot - slot.replace(hour=0, minute=0, second=0, microsecond=0)) % interval == timedelta(0)
    assert slot.tzinfo is UTC


@given(MOMENTS, INTERVALS, st.integers(-14, 14))
def test_slots_are_the_same_in_every_zone(when, interval, hours):
    """How a moment is written does not change its slot."""
    elsewhere = when.astimezone(timezone(timedelta(hours=hours)))
    assert floor(elsewhere, interval) == floor(when, interval)


def test_midnight_begins_a_new_slot():
    """The last slot of a day ends at midnight; the first one begins there."""
    interval = every("PT1H30M")
    assert floor(utc("2026-11-20T23:59:59.999999Z"), interval) == utc("2026-11-20T22:30:00Z")
    assert floor(utc("2026-11-21T00:00:00Z"), interval) == utc("2026-11-21T00:00:00Z")
    assert floor(utc("2026-11-20T00:30:00+01:00"), DAY) == utc("2026-11-19")


def test_a_slot_has_a_name_that_sorts():
    """Names hold no character that a path cannot, and seconds only when there are any."""
    assert slot_name(utc("2026-11-20T10:15:00Z")) == "20261120T1015Z"
    assert slot_name(utc("2026-11-20T10:15:07Z")) == "20261120T101507Z"
    assert slot_name(utc("2026-11-20T00:15:00+02:00")) == "20261119T2215Z"


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_moment_survives_being_written(when):
    """What rfc3339 writes, utc reads."""
    assert utc(rfc3339(when)) == when
    assert rfc3339(when).endswith("Z")
    assert len(rfc3339(when)) == 27


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("2026-11-20T10:15:00.123456789Z", 123456),
        ("2026-11-20T10:15:00.999999999Z", 999999),
        ("2026-11-20T10:15:00.123Z", 123000),
        ("2026-11-20T10:15:00Z", 0),
        ("2026-11-20T10:15:00", 0),
        ("2026-11-20T12:15:00.5+02:00", 500000),
    ],
)
def test_moments_as_they_come(text, micros):
    """Pub/Sub's nanoseconds are cut, zones are turned into UTC, no zone is UTC."""
    assert utc(text) == datetime(2026, 11, 20, 10, 15, 0, micros, tzinfo=UTC)


def test_a_date_is_its_midnight():
    """A day alone is its beginning, UTC."""
    assert utc("2026-11-20") == datetime(2026, 11, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["", "now", "1763640900", "2026-13-01", "2026-11-20T25:00Z", "None", "\ud800"]
)
def test_what_is_no_moment(text):
    """Anything else is a ValueError."""
    with pytest.raises(ValueError):
        utc(text)

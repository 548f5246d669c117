"""How long a backup is kept, and what its name says."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from shared.backup.retention import end, kind_for, read_stem, stem


def backed_up(days):
    """Return the kinds that backups on these days get, each knowing those before it."""
    found = []
    for day in days:
        found.append((day, kind_for(day, found)))
    return found


def every_day(first, count):
    return [first + timedelta(days=n) for n in range(count)]


def test_a_backup_a_day_leaves_seven_daily_four_weekly_and_three_monthly():
    """After half a year of days, that is what is left on any day, beside what is of a longer time."""
    made = backed_up(every_day(date(2026, 1, 1), 200))
    kinds = dict(made)
    assert kinds[date(2026, 3, 1)] == "monthly"
    assert kinds[date(2026, 3, 9)] == "weekly", "a Monday"
    assert kinds[date(2026, 3, 10)] == "daily"
    for today in every_day(date(2026, 5, 1), 60):
        now = datetime.combine(today, datetime.min.time(), UTC) + timedelta(hours=12)
        left = [
            (day, kind)
            for day, kind in made
            if day <= today and end(kind, datetime.combine(day, datetime.min.time(), UTC)) > now
        ]
        assert sum(kind == "monthly" for _, kind in left) == 3
        # The first week of a month may have no weekly backup: the monthly one is it.
        assert 3 <= sum(kind == "weekly" for _, kind in left) <= 4
        assert {today - timedelta(days=n) for n in range(7)} <= {day for day, _ in left}
        assert len(left) <= 14


def test_a_machine_that_was_off_has_its_week_and_month_all_the_same():
    """The first backup after the first of a month is the month's, the first after a Monday the week's."""
    days = [date(2026, 11, 3), date(2026, 11, 4), date(2026, 11, 12), date(2026, 11, 13), date(2027, 1, 30)]
    assert [kind for _, kind in backed_up(days)] == ["monthly", "daily", "weekly", "daily", "monthly"]


def test_a_week_over_the_turn_of_the_year_is_one_week():
    """Monday the 28th and Saturday the 2nd are of one week, but of two months."""
    days = [date(2026, 12, 1), date(2026, 12, 28), date(2026, 12, 29), date(2027, 1, 1), date(2027, 1, 2)]
    assert [kind for _, kind in backed_up(days)] == ["monthly", "weekly", "daily", "monthly", "daily"]


@pytest.mark.parametrize(
    ("kind", "taken", "until"),
    [
        ("daily", "2026-12-28T10:00", "2027-01-04T10:00"),
        ("undo", "2026-12-28T10:00", "2027-01-04T10:00"),
        ("weekly", "2026-02-02T10:00", "2026-03-02T10:00"),
        ("monthly", "2026-10-01T10:00", "2027-01-01T10:00"),
        ("monthly", "2026-11-30T10:00", "2027-02-28T10:00"),
    ],
)
def test_each_kind_has_its_end(kind, taken, until):
    """Seven days, four weeks, three months by the calendar."""
    taken, until = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (taken, until))
    assert end(kind, taken) == until


@pytest.mark.parametrize("kind", ["daily", "weekly", "monthly", "undo"])
def test_a_name_says_day_and_kind(kind):
    """What is written into a name is read from it."""
    taken = datetime(2026, 11, 20, 10, 15, 59, tzinfo=UTC)
    assert read_stem(stem(kind, taken)) == (taken.date(), kind)


@pytest.mark.parametrize(
    "name",
    ["", "20261120", "20261120_yearly", "20261320_daily", "20261120T101559_daily", "20261120_undo",
     "20261120_daily_2", "x20261120_daily", "2026-11-20_daily"],
)  # fmt: skip
def test_no_other_name_is_taken_for_a_backup(name):
    """What nobody here named is nobody's to remove."""
    assert read_stem(name) is None

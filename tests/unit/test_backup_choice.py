"""Which backup a person means, and what is said when there is none."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shared.backup import Snapshot
from shared.backup.choice import at_or_before, known_table, moment, named
from shared.backup.fitting import Shape, insertable
from shared.errors import FixConfiguration


def taken(name, at, kind="daily", table="crimes"):
    when = datetime.fromisoformat(at).replace(tzinfo=UTC)
    return Snapshot(table=table, name=name, kind=kind, taken_at=when, expires=None, rows=1)


THERE = [
    taken("crimes__20261118_daily", "2026-11-18T03:00"),
    taken("crimes__20261119_daily", "2026-11-19T03:00"),
    taken("crimes__20261119T090000_undo", "2026-11-19T09:00", "undo"),
    taken("items__20261120_daily", "2026-11-20T03:00", table="items"),
]


@pytest.mark.parametrize(
    ("at", "name"),
    [
        ("2026-11-18", "crimes__20261118_daily"),
        ("2026-11-19", "crimes__20261119_daily"),
        ("2026-11-19T03:00", "crimes__20261119_daily"),
        ("2026-11-19T02:59:59", "crimes__20261118_daily"),
        ("2026-11-19T04:00+02:00", "crimes__20261118_daily"),
        ("2030-01-01", "crimes__20261119_daily"),
    ],
)
def test_the_last_backup_at_or_before_a_time_is_meant(at, name):
    """A date means all of its day, a time without a zone is universal, and an undo is never meant."""
    assert at_or_before("crimes", THERE, moment(at)).name == name


def test_none_at_or_before_says_which_is_the_first():
    """Whoever asks too far back learns how far back there is."""
    with pytest.raises(FixConfiguration) as caught:
        at_or_before("crimes", THERE, moment("2026-11-17"))
    assert caught.value.message == (
        "crimes has no backup at or before 2026-11-17 23:59:59 UTC; "
        "its first is crimes__20261118_daily, of 2026-11-18 03:00:00 UTC"
    )
    assert "tcdatalogger backup --list" in caught.value.next_step


def test_no_backup_at_all_says_how_to_make_one():
    """An undo alone is none: no time means it."""
    with pytest.raises(FixConfiguration, match="crimes has no backup → `tcdatalogger backup` makes one"):
        at_or_before("crimes", THERE[2:], moment("2026-11-20"))


@pytest.mark.parametrize("name", ["crimes__20261119T090000_undo", "20261119T090000_undo"])
def test_a_name_means_one_backup(name):
    """By name an undo can be had as well; the table's own name may be left out."""
    assert named("crimes", THERE, name) is THERE[2]


def test_a_name_that_is_not_there_is_answered_with_the_nearest():
    """A typing error is seen at once; another table's backup is none of this one."""
    with pytest.raises(FixConfiguration, match="did you mean 20261118_daily or 20261119_daily"):
        named("crimes", THERE, "20261118_weekly")
    with pytest.raises(FixConfiguration, match="crimes has no backup named 'items__20261120_daily'"):
        named("crimes", THERE, "items__20261120_daily")


def test_an_unknown_table_is_answered_with_the_nearest():
    """And with all that there are."""
    known_table("crimes", ["crimes"])
    with pytest.raises(FixConfiguration) as caught:
        known_table("crime", ["items", "crimes"])
    assert caught.value.message == "there is no table 'crime', and no backup of one"
    assert caught.value.next_step == "did you mean crimes? there are: crimes, items"


def test_rows_fit_where_a_column_was_added():
    """Only the columns of then are inserted; a new one that may be NULL is."""
    then = {"id": Shape("INTEGER", required=True), "name": Shape("STRING", required=False)}
    assert insertable("t", {**then, "new": Shape("STRING", required=False)}, then) == ["id", "name"]


def test_rows_that_do_not_fit_are_refused_with_every_reason():
    """A column that is gone, retyped, or REQUIRED and new: each is named, and what to do."""
    then = {"id": Shape("INTEGER", required=True), "old": Shape("STRING", required=False)}
    now = {"id": Shape("STRING", required=True), "new": Shape("DATE", required=True)}
    with pytest.raises(FixConfiguration) as caught:
        insertable("t", now, then)
    assert caught.value.message == (
        "t is not what it was: the column old is not there any more; "
        "the column id was INTEGER and is STRING; "
        "the column new must not be NULL and was not there yet; nothing was changed"
    )
    assert "--to NAME" in caught.value.next_step

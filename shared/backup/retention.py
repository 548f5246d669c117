"""What a backup is called, and how long it is kept.

The first backup of a month is kept for three months, the first of a week (from Monday) for four
weeks, any other for seven days, each in universal time. With a backup a day there are then seven
daily ones, four weekly and three monthly; and a machine that was off on a Monday or on the first
has the week's or the month's all the same, from its next day. One backup a day is enough for all
three: the longest time that it is due counts.
"""

from __future__ import annotations

import calendar
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal, cast

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

__all__ = ["Kind", "end", "kind_for", "read_stem", "stem"]

Kind = Literal["daily", "weekly", "monthly", "undo"]

_DAYS: dict[str, int] = {"daily": 7, "weekly": 28, "undo": 7}
_MONTHS = 3
_STEM = re.compile(r"(\d{8})(T\d{6})?_(daily|weekly|monthly|undo)")


def kind_for(day: date, before: Iterable[tuple[date, Kind]]) -> Kind:
    """Return what the backup of a day is; ``before`` has the days and kinds of those that are there."""
    there = [(earlier, kind) for earlier, kind in before if earlier <= day]
    if not any(
        kind == "monthly" and (earlier.year, earlier.month) == (day.year, day.month)
        for earlier, kind in there
    ):
        return "monthly"
    week = day.isocalendar()[:2]
    if not any(
        kind in {"monthly", "weekly"} and earlier.isocalendar()[:2] == week for earlier, kind in there
    ):
        return "weekly"
    return "daily"


def end(kind: Kind, taken_at: datetime) -> datetime:
    """Return until when a backup is kept."""
    if kind != "monthly":
        return taken_at + timedelta(days=_DAYS[kind])
    years, month = divmod(taken_at.month - 1 + _MONTHS, 12)
    year = taken_at.year + years
    last = calendar.monthrange(year, month + 1)[1]
    return taken_at.replace(year=year, month=month + 1, day=min(taken_at.day, last))


def stem(kind: Kind, taken_at: datetime) -> str:
    """Return a backup's name without its table's: its day and kind, of an undo also the time."""
    return f"{taken_at:%Y%m%dT%H%M%S}_undo" if kind == "undo" else f"{taken_at:%Y%m%d}_{kind}"


def read_stem(text: str) -> tuple[date, Kind] | None:
    """Return the day and kind that a name tells; None for what is not one of these names."""
    found = _STEM.fullmatch(text)
    if found is None or (found[2] is not None) != (found[3] == "undo"):
        return None
    try:
        day = datetime.strptime(found[1], "%Y%m%d").replace(tzinfo=UTC).date()
    except ValueError:
        return None
    return day, cast("Kind", found[3])

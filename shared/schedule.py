"""ISO-8601 durations, and the slots they cut a day into.

``every: PT15M`` means the slots 00:00, 00:15, … UTC. A duration that does not divide a day has
slots that drift from one day to the next, so it is refused, and so are months and years (their
length varies) and seconds (the scheduler has no finer grain than a minute).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

__all__ = ["DAY", "duration", "every", "floor", "rfc3339", "slot_name", "utc"]

DAY = timedelta(days=1)

_DURATION = re.compile(
    r"P(?:([0-9]{1,6})W)?(?:([0-9]{1,6})D)?(?:T(?=[0-9])(?:([0-9]{1,6})H)?(?:([0-9]{1,6})M)?)?"
)
_VARYING = re.compile(r"P[0-9YMWD]*[YM][0-9YMWD]*(?:T.*)?")


def duration(text: str) -> timedelta:
    """Read an ISO-8601 duration of weeks, days, hours and minutes, such as ``P30D``.

    Raises:
        ValueError: another unit, no unit, or nothing at all.
    """
    match = _DURATION.fullmatch(text)
    if match is None or not any(match.groups()):
        hint = ""
        if _VARYING.fullmatch(text):
            hint = "; months and years vary in length (a minute is PT1M)"
        elif re.search(r"T.*S$", text):
            hint = "; the scheduler has no seconds"
        raise ValueError(
            f"{text[:40]!r} is not a duration of weeks, days, hours and minutes, such as PT15M or P30D{hint}"
        )
    weeks, days, hours, minutes = (int(part or 0) for part in match.groups())
    found = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes)
    if not found:
        raise ValueError(f"{text!r} is no time at all; the least is PT1M")
    return found


def every(text: str) -> timedelta:
    """Read a schedule's interval: a duration that divides a day.

    Raises:
        ValueError: not a duration, or one whose slots would drift.
    """
    found = duration(text)
    if DAY % found:
        raise ValueError(
            f"{text!r} does not divide a day, so its slots would drift; "
            "take PT5M, PT15M, PT1H, PT1H30M, PT6H, PT12H or P1D, say"
        )
    return found


def floor(when: datetime, interval: timedelta) -> datetime:
    """Return the start of the slot that ``when`` falls into (UTC)."""
    midnight = when.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + (when - midnight) // interval * interval


def slot_name(when: datetime) -> str:
    """Name a moment so that it can stand in a run id and a path: ``20261120T1015Z``."""
    seconds = "%S" if when.second else ""
    return when.astimezone(UTC).strftime(f"%Y%m%dT%H%M{seconds}Z")


def rfc3339(when: datetime) -> str:
    """Write a moment as ``2026-11-20T10:15:00.000000Z``."""
    return when.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def utc(text: str) -> datetime:
    """Read an RFC 3339 moment or date; without a zone it is UTC.

    Raises:
        ValueError: not a moment. Nanoseconds (Pub/Sub sends them) are cut to microseconds.
    """
    found = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)

"""Say when a member last did something, and how Torn words it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.simulator.chance import draw

if TYPE_CHECKING:
    from shared.simulator.people import Person

__all__ = ["last_action", "worded"]

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_BUSIEST, _RATIO = 300, 400  # seconds between two actions: from 5 minutes to a day and a half
_ONLINE, _IDLE = 5 * _MINUTE, 30 * _MINUTE


def last_action(person: Person, now: int) -> int:
    """Find the last moment at which a person did something by themselves."""
    pace = int(_BUSIEST * _RATIO ** draw(person, "pace"))
    turn = now // pace
    at = turn * pace + int(pace * draw(person, "acts", turn))
    return at if at <= now else (turn - 1) * pace + int(pace * draw(person, "acts", turn - 1))


def worded(at: int, now: int) -> dict[str, object]:
    """Show a last action: Online for five minutes, then Idle, Offline after half an hour."""
    age = now - at
    status = "Online" if age < _ONLINE else "Idle" if age < _IDLE else "Offline"
    unit, name = (_DAY, "day") if age >= _DAY else (_HOUR, "hour") if age >= _HOUR else (_MINUTE, "minute")
    count = age // unit
    return {"status": status, "timestamp": at, "relative": f"{count} {name}{'' if count == 1 else 's'} ago"}

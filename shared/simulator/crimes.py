"""Show the faction's organised crimes as ``/faction/crimes`` does, at any moment.

Slots fill, progress grows, outcomes and rewards appear; a status never goes back.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.simulator.paging import links
from shared.simulator.timeline import foretell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.simulator.paging import Ask
    from shared.simulator.timeline import Seat, Timeline
    from shared.simulator.world import World

__all__ = ["CATEGORIES", "FILTERS", "list_crimes", "render"]

_DAY = 86_400
_INCORRECT_CATEGORY = 21
_FINISHED = frozenset({"Failure", "Successful"})

# category → the statuses it shows (all of them: None), and the timestamp that orders it and that from and to
# mean
CATEGORIES: dict[str, tuple[frozenset[str] | None, str]] = {
    "all": (None, "created_at"),
    "available": (frozenset({"Planning", "Recruiting"}), "created_at"),
    "completed": (_FINISHED, "executed_at"),
    "expired": (frozenset({"Expired"}), "expired_at"),
    "failure": (frozenset({"Failure"}), "executed_at"),
    "planning": (frozenset({"Planning"}), "ready_at"),
    "recruiting": (frozenset({"Recruiting"}), "expired_at"),
    "successful": (frozenset({"Successful"}), "executed_at"),
}
FILTERS: tuple[str, ...] = ("created_at", "executed_at", "expired_at", "ready_at")


@dataclass(frozen=True, slots=True)
class _Span:
    """Hold ``from`` (exclusive) and ``to`` (inclusive)."""

    after: int | None
    until: int | None

    def holds(self, at: int | None) -> bool:
        if at is None:
            return self.after is None and self.until is None
        return (self.after is None or at > self.after) and (self.until is None or at <= self.until)


def list_crimes(world: World, ask: Ask, now: int) -> dict[str, object]:
    """Answer ``/faction/crimes``: the page asked for, with links to its neighbours.

    ``from`` is exclusive, ``to`` inclusive. A crime without the timestamp in question (not executed yet) is
    outside every such range; without a range it counts as older than all others, as in SQL.
    """
    statuses, field = CATEGORIES[ask.choice("cat", CATEGORIES, "all", refusal=_INCORRECT_CATEGORY)]
    field = ask.choice("filters", FILTERS, field)
    limit = ask.integer("limit", 20, low=1, high=100) or 20
    offset = ask.integer("offset", 0, low=0) or 0
    span = _Span(ask.integer("from", None, low=0), ask.integer("to", None, low=0))
    descending = ask.descending(default=True)
    if statuses is None and field == "created_at":
        found = _by_creation(world, now, span)
    else:
        found = _by_field(world, now, statuses, field, span)
    if descending:
        found = found[::-1]
    page = found[offset : offset + limit]
    return {
        "crimes": [render(foretell(world, index), now) for index in page],
        "_metadata": {"links": links(ask, offset=offset, limit=limit, more=offset + limit < len(found))},
    }


def _by_creation(world: World, now: int, span: _Span) -> Sequence[int]:
    """Find crimes by creation without foretelling any: their indices are in that order already."""
    crimes = world.crimes(now)
    start = 0 if span.after is None else bisect_right(crimes, span.after, key=world.created_at)
    stop = len(crimes) if span.until is None else bisect_right(crimes, span.until, key=world.created_at)
    return crimes[start : max(start, stop)]


def _by_field(
    world: World, now: int, statuses: frozenset[str] | None, field: str, span: _Span
) -> Sequence[int]:
    found: list[tuple[int, int]] = []
    for index in world.crimes(now):
        crime = foretell(world, index)
        status = crime.status(now)
        if statuses is not None and status not in statuses:
            continue
        at = _times(crime, status)[field]
        if span.holds(at):
            found.append((-1 if at is None else at, index))
    return [index for _, index in sorted(found)]


def render(crime: Timeline, now: float) -> dict[str, object]:
    """Show one crime at a moment, as an element of ``crimes``."""
    status = crime.status(now)
    layout, rewards = crime.layout, crime.rewards
    return {
        "id": crime.id,
        "previous_crime_id": crime.previous_id,
        "name": layout.name,
        "difficulty": layout.difficulty,
        "status": status,
        **_times(crime, status),
        "slots": [_slot(seat, crime, status, now) for seat in crime.seats],
        "rewards": {
            "money": rewards.money,
            "items": rewards.items,
            "respect": rewards.respect,
            "scope": rewards.scope,
            "payout": rewards.payout if now >= rewards.paid_at else None,
        }
        if rewards and status == "Successful"
        else None,
    }


def _times(crime: Timeline, status: str) -> dict[str, int | None]:
    planned = status in _FINISHED or status == "Planning"
    return {
        "created_at": crime.created_at,
        "planning_at": crime.planning_at if planned else None,
        "executed_at": crime.executed_at if status in _FINISHED else None,
        "ready_at": crime.ready_at if planned else None,
        "expired_at": crime.expired_at,
    }


def _slot(seat: Seat, crime: Timeline, status: str, now: float) -> dict[str, object]:
    position = seat.position
    # Nobody joins a crime that has expired, however long one looks.
    joined = seat.joined_at <= now and seat.joined_at < crime.expired_at
    pass_rate = seat.pass_rate if joined else seat.owner_pass_rate
    return {
        "position": position.role,
        "position_info": {"id": position.id, "label": position.label, "number": position.number},
        "item_requirement": {
            "id": position.item_id,
            "is_reusable": position.reusable,
            "is_available": joined and seat.equipped_at <= now,
        }
        if position.item_id is not None
        else None,
        "user": _user(seat, crime, now, finished=status in _FINISHED) if joined else None,
        "checkpoint_pass_rate": 0 if status == "Expired" else pass_rate,
    }


def _user(seat: Seat, crime: Timeline, now: float, *, finished: bool) -> dict[str, object]:
    user: dict[str, object] = {
        "id": seat.user_id,
        "outcome": seat.outcome if finished else None,
        "joined_at": seat.joined_at,
        "progress": 100 if finished else _progress(seat, crime, now),
        "item_outcome": seat.item_outcome if finished else None,
    }
    if finished and seat.outcome_duration is not None:
        user["outcome_duration"] = seat.outcome_duration
    return user


def _progress(seat: Seat, crime: Timeline, now: float) -> float:
    """Tell how far a member's planning is, 0 to 100: they plan one after another, a day each."""
    if crime.planning_at is None:
        return 0
    done = (now - crime.planning_at - seat.rank * _DAY) / _DAY * 100
    # Whole numbers come without a fraction, as they do from Torn.
    return 0 if done <= 0 else 100 if done >= 100 else round(done, 2)  # noqa: PLR2004

"""Know what the faction's crimes do to its members: who plans one, and whom the last ones hurt."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from shared.simulator.timeline import LONGEST, foretell

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.simulator.world import World

__all__ = ["Confined", "Duties", "duties"]

_LONGEST_STAY = 28_800


@dataclass(frozen=True, slots=True)
class Confined:
    """Say that a crime put somebody into hospital or jail."""

    state: str
    since: int
    until: int
    crime: str


@dataclass(frozen=True, slots=True)
class Duties:
    """Hold, by user: when those in a crime that is not over joined (last), and who is confined by one."""

    joined: Mapping[int, int]
    confined: Mapping[int, Confined]


@lru_cache(maxsize=256)
def duties(world: World, now: int) -> Duties:
    """Look through the crimes the API shows, as far back as one can still matter."""
    crimes = world.crimes(now)
    first = bisect_right(crimes, now - LONGEST - _LONGEST_STAY, key=world.created_at)
    joined: dict[int, int] = {}
    confined: dict[int, Confined] = {}
    for index in crimes[first:]:
        crime = foretell(world, index)
        status = crime.status(now)
        if status in {"Planning", "Recruiting"}:
            for seat in crime.seats:
                if seat.joined_at <= now:
                    joined[seat.user_id] = max(seat.joined_at, joined.get(seat.user_id, 0))
        elif crime.executed_at is not None:
            for seat in crime.seats:
                until = crime.executed_at + (seat.outcome_duration or 0)
                if until > now and until > _end(confined.get(seat.user_id)):
                    state = "Hospital" if seat.outcome == "Hospitalized" else "Jail"
                    confined[seat.user_id] = Confined(state, crime.executed_at, until, crime.layout.name)
    return Duties(joined, confined)


def _end(stay: Confined | None) -> int:
    return stay.until if stay else 0

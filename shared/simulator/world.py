"""Hold what is fixed about the invented faction: its seed, its size, its people, and when each crime appears.

Nothing here changes. What the API shows at a moment is computed from the world and that moment.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from functools import cached_property

from shared.simulator.chance import among, whole
from shared.simulator.roster import Roster

__all__ = ["FactionSize", "World"]

_DAY = 86_400
_FIRST_ID = 1_000_000
_ADJECTIVES = "Amber Broken Crooked Distant Eastern Frozen Gilded Hidden Idle Lower Narrow Patient Velvet"
_NOUNS = "Almanac Bellfounders Canal Dockers Exchange Foundry Guild Harbourmasters Orchard Syndicate"


@dataclass(frozen=True, slots=True, kw_only=True)
class FactionSize:
    """Say how large the faction is.

    ``crimes`` appeared before the world's start, new ones at ``crimes_per_day``. ``founded`` (unix seconds)
    fixes the first one instead, so that worlds started at different times show the same history.
    """

    members: int = 100
    crimes: int = 320
    crimes_per_day: int = 4
    founded: int | None = None


@dataclass(frozen=True, kw_only=True)
class World:
    """Be the faction that does not exist.

    Crime ``i`` appears in the ``i``-th interval since 1970, so ids and times are the same whenever the
    simulator is started; ``start`` only says how far back the history goes.
    """

    seed: int
    start: int
    size: FactionSize = field(default_factory=FactionSize)

    @cached_property
    def faction_id(self) -> int:
        """Give the faction's id; seeds less than 39,989 apart have different ones."""
        return 10_000 + (self.seed * 7_919 + 4_321) % 39_989

    @cached_property
    def faction_name(self) -> str:
        """Give the faction's name."""
        adjective = among(_ADJECTIVES.split(), self.seed, "adjective")
        return f"{adjective} {among(_NOUNS.split(), self.seed, 'noun')}"

    @cached_property
    def founded_at(self) -> int:
        """Give the moment the faction was founded, between November 2016 and January 2019."""
        return 1_480_000_000 + whole(0, 800 * _DAY, self.seed, "founded")

    @cached_property
    def roster(self) -> Roster:
        """Give who is a member when."""
        return Roster(self.seed, self.size.members, self.founded_at)

    @property
    def interval(self) -> int:
        """Give the seconds in which one crime appears."""
        return _DAY // self.size.crimes_per_day

    @cached_property
    def earliest_crime(self) -> int:
        """Give the index of the first crime there ever was, which the API need not show any more."""
        return 0 if self.size.founded is None else -(-self.size.founded // self.interval)

    @cached_property
    def first_crime(self) -> int:
        """Give the index of the oldest crime the API still shows."""
        if self.size.founded is not None:
            return self.earliest_crime
        return max(0, self.last_crime(self.start) - self.size.crimes + 1)

    def last_crime(self, now: float) -> int:
        """Give the index of the newest crime at a moment."""
        index = int(now) // self.interval
        return index if self.created_at(index) <= now else index - 1

    def crimes(self, now: float) -> range:
        """Give the indices of all crimes that exist at a moment, oldest first."""
        return range(self.first_crime, self.last_crime(now) + 1)

    def created_at(self, index: int) -> int:
        """Give the moment a crime appears; it grows with the index."""
        return index * self.interval + zlib.crc32(f"{self.seed}/spawn/{index}".encode()) % self.interval

    def crime_id(self, index: int) -> int:
        """Give a crime's id."""
        return _FIRST_ID + index

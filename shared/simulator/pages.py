"""Make real-shaped pages of crimes in any number, for measuring without a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from shared.simulator.crimes import render
from shared.simulator.paging import Ask, links
from shared.simulator.timeline import timeline
from shared.simulator.world import FactionSize, World

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["crime_pages"]

_PER_DAY = 200  # a hundred thousand crimes fit in 500 days


def crime_pages(count: int, *, seed: int, now: float, limit: int = 100) -> Iterator[bytes]:
    """Yield page bodies of ``/faction/crimes``, newest crime first, ``count`` crimes in all.

    About 1.37 kB and 5.93 rows (crimes, slots, reward items) a crime. Nothing is kept: each page is made when
    it is asked for.
    """
    world = World(seed=seed, start=int(now), size=FactionSize(crimes=count, crimes_per_day=_PER_DAY))
    ask = Ask(path="/faction/crimes", params={"cat": "all", "sort": "DESC"}, base="https://api.torn.com/v2")
    newest_first = world.crimes(now)[::-1]
    for offset in range(0, count, limit):
        page = [render(timeline(world, index), now) for index in newest_first[offset : offset + limit]]
        metadata = {"links": links(ask, offset=offset, limit=limit, more=offset + limit < count)}
        yield msgspec.json.encode({"crimes": page, "_metadata": metadata})

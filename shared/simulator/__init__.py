"""Be a faction that does not exist: a local server that behaves as the real Torn API v2 does.

::

    command ─▶ server ─▶ sockets ─▶ handler ─▶ gate (keys, budget, cache)
                  │                    ├─────▶ plan ─▶ faults ─▶ spoilers, answer (ways of sending)
                  │                    └─────▶ refusals, paging
                  ├─▶ api (routes) ─▶ crimes ──────────▶ timeline ─▶ heists, roster ─┐
                  │        ├────────▶ members ─▶ states, actions, duties ─▶ timeline ├▶ world, people,
                  │        ├────────▶ balance ─▶ books ─▶ timeline, roster           │  goods, chance
                  │        ├────────▶ basic, wars, raids ─▶ territory_wars ─▶ duties ─┤
                  │        ├────────▶ catalogue, points (the city's) ─────────────────┘
                  │        └────────▶ declared ─▶ inventor ─▶ invented (any other endpoint.yaml's)
                  └─▶ replay (recorded bodies)

All it shows is a pure function of the seed and the clock: rosters, crimes, books and wars are foretold, never
remembered, and so agree with each other at any moment. Several factions may live side by side, one per key.
Not deployed.
"""

from __future__ import annotations

from shared.simulator.command import serve
from shared.simulator.faults import FAULTS, FOREVER, Fault
from shared.simulator.pages import crime_pages
from shared.simulator.plan import Faults
from shared.simulator.server import Replay, Simulator
from shared.simulator.world import FactionSize

__all__ = [
    "FAULTS",
    "FOREVER",
    "FactionSize",
    "Fault",
    "Faults",
    "Replay",
    "Simulator",
    "crime_pages",
    "serve",
]

"""Count chains of hits: one number per faction at a moment, the same in every war it fights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.simulator.chance import draw, whole

if TYPE_CHECKING:
    from shared.simulator.rivals import Rival
    from shared.simulator.world import World

__all__ = ["best_chain", "our_chain", "their_chain"]

_SPAN = 4 * 3_600
_QUARTER = 90 * 86_400


def our_chain(world: World, now: int) -> int:
    """Tell the faction's chain; it never passes the best one."""
    return _chain(world.faction_id, now)


def their_chain(rival: Rival, now: int) -> int:
    """Tell another faction's chain."""
    return _chain(rival.id, now)


def best_chain(world: World, now: int) -> int:
    """Tell the longest chain so far: now and then, in a quarter, it was beaten."""
    quarters = range((now - world.founded_at) // _QUARTER)
    beaten = (q for q in quarters if draw(world.seed, "chain", q) < 0.4)  # noqa: PLR2004
    return 1_000 + sum(whole(50, 2_500, world.seed, "longer by", q) for q in beaten)


def _chain(faction: int, now: int) -> int:
    """Grow from nothing to at most 900 hits in four hours, or rest."""
    span, into = divmod(now, _SPAN)
    if draw(faction, "rests", span) < 0.4:  # noqa: PLR2004
        return 0
    return into * whole(10, 900, faction, "hits", span) // _SPAN

"""Show pacts and wars as ``/faction/wars`` does.

At every moment there is a pact, a raid and a territory war that run, and a ranked war: announced three days
ahead, fought, then shown with its winner until the next is announced.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.simulator.chains import our_chain, their_chain
from shared.simulator.chance import between, draw, whole
from shared.simulator.raids import running_raids
from shared.simulator.rivals import FRIENDS, enemy
from shared.simulator.territory_wars import list_territory_wars

if TYPE_CHECKING:
    from shared.simulator.world import World

__all__ = ["ranked_wins", "show_wars"]

_DAY = 86_400
_ROUND = 14 * _DAY
_NOTICE = 3 * _DAY
_SHORTEST, _LONGEST = 4 * _DAY, 9 * _DAY
_PACTS = 4
_WON = 0.55


def show_wars(world: World, now: int) -> dict[str, object]:
    """Answer ``/faction/wars``."""
    return {
        "pacts": _pacts(world, now),
        "wars": {
            "ranked": _ranked(world, now),
            "raids": running_raids(world, now),
            "territory": list_territory_wars(world, now),
        },
    }


def ranked_wins(world: World, now: int) -> int:
    """Count the ranked wars won so far; it never falls."""
    first, last = world.founded_at // _ROUND + 1, now // _ROUND
    return sum(
        draw(world.seed, "ranked won", number) < _WON and _ranked_span(world, number)[1] <= now
        for number in range(first, last + 1)
    )


def _ranked_span(world: World, number: int) -> tuple[int, int]:
    start = number * _ROUND + _NOTICE
    return start, start + whole(_SHORTEST, _LONGEST, world.seed, "ranked lasts", number)


def _ranked(world: World, now: int) -> dict[str, object]:
    number = now // _ROUND
    start, end = _ranked_span(world, number)
    won = draw(world.seed, "ranked won", number) < _WON
    rival = enemy(world.seed, "ranked rival", number)
    done = min(1.0, max(0.0, (now - start) / (end - start)))
    winner_score = whole(6_000, 40_000, world.seed, "ranked score", number)
    scores = winner_score, int(winner_score * between(0.2, 0.95, world.seed, "ranked loser", number))
    ours, theirs = scores if won else scores[::-1]
    over = now >= end
    return {
        "war_id": 20_000 + number,
        "start": start,
        "end": end if over else None,
        "target": int(winner_score * 1.2),
        "winner": (world.faction_id if won else rival.id) if over else None,
        "factions": [
            {
                "id": world.faction_id,
                "name": world.faction_name,
                "score": int(ours * done),
                "chain": our_chain(world, now),
            },
            {
                "id": rival.id,
                "name": rival.name,
                "score": int(theirs * done),
                "chain": their_chain(rival, now),
            },
        ],
    }


def _pacts(world: World, now: int) -> list[dict[str, object]]:
    """List the pacts: the first is always renewed, the others are made and run out."""
    pacts: list[dict[str, object]] = []
    for place in range(_PACTS):
        period = whole(30, 90, world.seed, "pact", place) * _DAY
        turn = now // period
        if place == 0 or draw(world.seed, "pact", place, turn) < 0.5:  # noqa: PLR2004
            friend = FRIENDS[(world.seed + place) % len(FRIENDS)]
            pacts.append({"faction_id": friend.id, "faction_name": friend.name, "until": (turn + 1) * period})
    return pacts

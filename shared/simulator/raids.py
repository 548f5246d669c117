"""Raid and be raided: one raid begins every twenty days and lasts longer than that, so one always runs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from shared.simulator.chains import our_chain, their_chain
from shared.simulator.chance import between, draw, whole
from shared.simulator.paging import links
from shared.simulator.rivals import Rival, enemy

if TYPE_CHECKING:
    from shared.simulator.paging import Ask
    from shared.simulator.world import World

__all__ = ["Raid", "list_raids", "raids", "running_raids"]

_DAY = 86_400
_FIRST = 1_680_000_000  # raids came to this city in spring 2023
_EVERY, _UNEVEN = 20 * _DAY, _DAY
_SHORTEST, _LONGEST = 22 * _DAY, 30 * _DAY
_FIRST_ID = 1_200


@dataclass(frozen=True, slots=True)
class Raid:
    """Foretell a raid; the scores are its last ones."""

    id: int
    start: int
    end: int
    attacks: bool
    our_score: float
    their_score: float
    rival: Rival


@lru_cache(maxsize=4_000)
def _raid(world: World, number: int) -> Raid:
    seed = world.seed
    start = _FIRST + number * _EVERY + whole(0, _UNEVEN, seed, "raid", number)
    winner = between(900, 9_000, seed, "raid score", number)
    loser = winner * between(0.1, 0.95, seed, "raid loser", number)
    won = draw(seed, "raid won", number) < 0.65  # noqa: PLR2004
    return Raid(
        id=_FIRST_ID + number * 41 + whole(0, 40, seed, "raid id", number),
        start=start,
        end=start + whole(_SHORTEST, _LONGEST, seed, "raid lasts", number),
        attacks=draw(seed, "raid by us", number) < 0.6,  # noqa: PLR2004
        our_score=winner if won else loser,
        their_score=loser if won else winner,
        rival=enemy(seed, "raid rival", number),
    )


def raids(world: World, now: int) -> list[Raid]:
    """List all raids so far, oldest first."""
    every = (_raid(world, number) for number in range((now - _FIRST) // _EVERY + 1))
    return [raid for raid in every if raid.start <= now]


def list_raids(world: World, ask: Ask, now: int) -> dict[str, object]:
    """Answer ``/faction/raids``: a page, newest first. ``from`` (exclusive) and ``to`` mean the start."""
    limit = ask.integer("limit", 20, low=1, high=100) or 20
    offset = ask.integer("offset", 0, low=0) or 0
    after, until = ask.integer("from", None, low=0), ask.integer("to", None, low=0)
    found = [
        raid
        for raid in raids(world, now)
        if (after is None or raid.start > after) and (until is None or raid.start <= until)
    ]
    if ask.descending(default=True):
        found.reverse()
    return {
        "raids": [_shown(world, raid, now) for raid in found[offset : offset + limit]],
        "_metadata": {"links": links(ask, offset=offset, limit=limit, more=offset + limit < len(found))},
    }


def running_raids(world: World, now: int) -> list[dict[str, object]]:
    """Show the raids that run as ``/faction/wars`` does: scores are whole there."""
    shown: list[dict[str, object]] = []
    for raid in raids(world, now):
        if now < raid.end:
            factions = [
                {**side, "score": int(side["score"]), "chain": chain, "is_aggressor": aggressor}  # type: ignore[call-overload]
                for side, chain, aggressor in _sides(world, raid, now)
            ]
            shown.append({"war_id": raid.id, "start": raid.start, "end": None, "factions": factions})
    return shown


def _shown(world: World, raid: Raid, now: int) -> dict[str, object]:
    over = now >= raid.end
    aggressor, defender = (
        side if over else {**side, "chain": chain} for side, chain, _ in _sides(world, raid, now)
    )
    return {
        "id": raid.id,
        "start": raid.start,
        "end": raid.end if over else None,
        "aggressor": aggressor,
        "defender": defender,
    }


def _sides(world: World, raid: Raid, now: int) -> list[tuple[dict[str, object], int, bool]]:
    """Give aggressor and defender: what both paths show of them, chain, and who began."""
    done = min(1, (now - raid.start) / (raid.end - raid.start))
    rival = raid.rival
    us = {"id": world.faction_id, "name": world.faction_name, "score": round(raid.our_score * done, 2)}
    them = {"id": rival.id, "name": rival.name, "score": round(raid.their_score * done, 2)}
    ours, theirs = (
        (us, our_chain(world, now), raid.attacks),
        (them, their_chain(rival, now), not raid.attacks),
    )
    return [ours, theirs] if raid.attacks else [theirs, ours]

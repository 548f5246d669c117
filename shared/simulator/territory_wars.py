"""Fight for territories: a new war every two days, each for two to three days, about one land after another.

The faction attacks what it has not and defends what it has, so a land's past wars say whose it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from shared.simulator.actions import last_action
from shared.simulator.chains import our_chain, their_chain
from shared.simulator.chance import between, draw, whole
from shared.simulator.duties import duties
from shared.simulator.lands import CONTESTED, LANDS
from shared.simulator.rivals import Rival, enemy
from shared.simulator.states import state

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.simulator.world import World

__all__ = ["TerritoryWar", "held_since", "list_territory_wars", "on_walls", "running"]

_HOUR = 3_600
_EVERY = 48 * _HOUR
_UNEVEN = 2 * _HOUR
_SHORTEST, _LONGEST = 51 * _HOUR, 72 * _HOUR  # longer than from one start to the next: one always runs
_SHOWN_AFTER = 12 * _HOUR
_AWAKE = 2 * _HOUR
_WON = 0.78


@dataclass(frozen=True, slots=True)
class TerritoryWar:
    """Foretell a war. Attackers win when they reach the target, defenders when time is over."""

    number: int
    land: str
    start: int
    end: int
    ours: bool
    won: bool
    rival: Rival


@lru_cache(maxsize=4_000)
def _war(world: World, number: int) -> TerritoryWar:
    land = CONTESTED[number % len(CONTESTED)]
    begins = number * _EVERY + whole(0, _UNEVEN, world.seed, "territory war", number)
    won = draw(world.seed, "territory won", number) < _WON
    # Ours if the war before about the same land was won; before the founding nothing was.
    before = number - len(CONTESTED)
    ours = before * _EVERY >= world.founded_at and draw(world.seed, "territory won", before) < _WON
    # A war that the attackers win ends early.
    lasts = _LONGEST if won == ours else whole(_SHORTEST, _LONGEST, world.seed, "territory war lasts", number)
    rival = enemy(world.seed, "territory rival", number)
    return TerritoryWar(number, land, begins, begins + lasts, ours, won, rival)


def _recent(world: World, now: int) -> list[TerritoryWar]:
    """List the wars that run or ended a little while ago, by start."""
    newest = now // _EVERY
    wars = (_war(world, number) for number in range(newest - 3, newest + 1))
    return [war for war in wars if war.start <= now < war.end + _SHOWN_AFTER]


def running(world: World, now: int) -> list[TerritoryWar]:
    """List the wars that run; there is always one."""
    return [war for war in _recent(world, now) if now < war.end]


def held_since(world: World, land: str, now: int) -> int | None:
    """Tell since when a contested land has been the faction's; None if it is another's."""
    place = CONTESTED.index(land)
    number = (now // _EVERY - place) // len(CONTESTED) * len(CONTESTED) + place
    if _war(world, number).end > now:
        number -= len(CONTESTED)
    since = None
    while number * _EVERY >= world.founded_at and _war(world, number).won:
        since = _war(world, number).end
        number -= len(CONTESTED)
    return since


@lru_cache(maxsize=256)
def _walls(world: World, now: int) -> Mapping[int, tuple[int, ...]]:
    """Choose who stands on which war's wall: members who are in the city, well, and awake."""
    wars, busy = running(world, now), duties(world, now)
    found: dict[int, list[int]] = {war.number: [] for war in wars}
    for tenure in world.roster.present(now):
        person = tenure.person
        if draw(person, "wall", now // _HOUR) < 0.5 or now - last_action(person, now) > _AWAKE:  # noqa: PLR2004
            continue
        if state(person, busy.confined.get(tenure.id), now).state == "Okay":
            war = wars[whole(0, len(wars) - 1, person, "which wall", now // _HOUR)]
            if len(found[war.number]) < LANDS[war.land].slots:
                found[war.number].append(tenure.id)
    return {number: tuple(users) for number, users in found.items()}


def on_walls(world: World, now: int) -> frozenset[int]:
    """Tell which members stand on a wall."""
    return frozenset(user for users in _walls(world, now).values() for user in users)


def list_territory_wars(world: World, now: int) -> list[dict[str, object]]:
    """Show the wars that run, and for twelve hours those that ended, with their winner."""
    return [_shown(world, war, now) for war in _recent(world, now)]


def _shown(world: World, war: TerritoryWar, now: int) -> dict[str, object]:
    land, rival = LANDS[war.land], war.rival
    target = land.slots * 25_000
    attackers_win = war.won != war.ours
    reached = target if attackers_win else int(target * between(0.2, 0.9, world.seed, "reached", war.number))
    over = now >= war.end
    score = reached if over else int(reached * (now - war.start) / (war.end - war.start))
    walls = () if over else _walls(world, now)[war.number]
    theirs = [] if over else rival.players(whole(1, 9, world.seed, "their wall", war.number), war.number)
    us = {
        "id": world.faction_id,
        "name": world.faction_name,
        "score": 0 if war.ours else score,
        "chain": our_chain(world, now),
        "is_aggressor": not war.ours,
        "playerIds": list(walls),
    }
    them = {
        "id": rival.id,
        "name": rival.name,
        "score": score if war.ours else 0,
        "chain": their_chain(rival, now),
        "is_aggressor": war.ours,
        "playerIds": theirs,
    }
    winner = world.faction_id if war.won else rival.id
    return {
        "war_id": 300_000 + war.number,
        "territory": war.land,
        "start": war.start,
        "end": war.end if over else None,
        "target": target,
        "winner": winner if over else None,
        "factions": [them, us] if war.ours else [us, them],
    }

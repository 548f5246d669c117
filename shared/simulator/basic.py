"""Show the faction as ``/faction/basic`` and its lands as ``/faction/territory`` do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.simulator.chains import best_chain
from shared.simulator.chance import among, between, draw, whole
from shared.simulator.goods import GOODS
from shared.simulator.lands import CONTESTED, HOME, LANDS
from shared.simulator.territory_wars import held_since
from shared.simulator.wars import ranked_wins

if TYPE_CHECKING:
    from shared.simulator.world import World

__all__ = ["list_territory", "show_basic"]

_DAY = 86_400
_RANKS = ("Unranked", "Bronze", "Silver", "Gold", "Platinum", "Diamond")
_RACKET_TURN = 45 * _DAY
_RACKETS = ("Fishmarket Tolls", "Night Laundry", "Card Tables", "Scrap Yard", "Tram Depot Kiosk")


def show_basic(world: World, now: int) -> dict[str, object]:
    """Answer ``/faction/basic``."""
    seed, days = world.seed, max(0, now - world.founded_at) // _DAY
    leader, co_leader = (world.roster.founder(chair).id for chair in (0, 1))
    basic: dict[str, object] = {
        "id": world.faction_id,
        "name": world.faction_name,
        "tag": world.faction_name.removeprefix("The ")[:3].upper(),
        "tag_image": f"{world.faction_id}-{whole(10_000, 99_999, seed, 'tag')}.png",
        "banner_image": f"{world.faction_id}-{whole(10_000, 99_999, seed, 'banner')}.png",
        "leader_id": leader,
        "co_leader_id": co_leader,
        "respect": _respect(world, now),
        "days_old": days,
        "capacity": world.size.members,
        "members": len(world.roster.present(now)),
        "is_enlisted": True,
        "rank": _rank(world, now),
        "best_chain": best_chain(world, now),
    }
    if draw(seed, "note", now // (10 * _DAY)) < 0.7:  # noqa: PLR2004
        basic["note"] = "Planners: please check your items before you join."
    return {"basic": basic}


def _respect(world: World, now: int) -> int:
    """Earn some hundred a day, all day long."""
    return 200_000 + int(max(0, now - world.founded_at) / _DAY * between(400, 900, world.seed, "respect"))


def _rank(world: World, now: int) -> dict[str, object]:
    """Rise with the wars won, through three divisions a rank; the position in it changes by the day."""
    wins = ranked_wins(world, now)
    step = min(wins // 9, 3 * (len(_RANKS) - 1) - 1)
    return {
        "level": 1 + step,
        "name": _RANKS[1 + step // 3],
        "division": 3 - step % 3,
        "position": whole(1, 400, world.seed, "rank", now // _DAY),
        "wins": wins,
    }


def list_territory(world: World, now: int) -> dict[str, object]:
    """Answer ``/faction/territory``: what is held now, by id."""
    held = dict.fromkeys(HOME, world.founded_at + 30 * _DAY)
    for name in CONTESTED:
        if (since := held_since(world, name, now)) is not None:
            held[name] = since
    return {"territory": [_territory(world, name, held[name], now) for name in sorted(held)]}


def _territory(world: World, name: str, since: int, now: int) -> dict[str, object]:
    land = LANDS[name]
    return {
        "id": name,
        "acquired_at": since,
        "sector": land.sector,
        "size": land.size,
        "density": land.density,
        "slots": land.slots,
        "respect": land.respect,
        "coordinates": {"x": land.x, "y": land.y},
        "racket": _racket(world, name, now),
    }


def _racket(world: World, name: str, now: int) -> dict[str, object] | None:
    """Show the racket that a land has now and then; it grows a level every week."""
    turn, into = divmod(now, _RACKET_TURN)
    seed = world.seed
    begins = whole(0, 10 * _DAY, seed, "racket begins", name, turn)
    if draw(seed, "racket", name, turn) >= 0.25 or into < begins:  # noqa: PLR2004
        return None
    grown = min(4, (into - begins) // (7 * _DAY))
    kind = among(("Item", "Points", "Money"), seed, "racket pays", name, turn)
    created = turn * _RACKET_TURN + begins
    item = among(GOODS, seed, "racket item", name, turn).id if kind == "Item" else None
    quantity = {"Item": 1, "Points": 50, "Money": 2_000_000}[kind] * (1 + grown)
    return {
        "name": f"{among(_RACKETS, seed, 'racket name', name, turn)} {'I' * (1 + grown)}",
        "level": 1 + grown,
        "description": f"{quantity} {kind.lower()} daily",
        "reward": {"type": kind, "quantity": quantity, "id": item},
        "created_at": created,
        "changed_at": created + grown * 7 * _DAY,
    }

"""Foretell a crime's whole life: who joins when, when it is ready, how it ends, what it brings.

A timeline is a pure function of the world and the crime's index. Times are unix seconds.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from shared.simulator.goods import GOODS
from shared.simulator.heists import LAYOUTS, OPENINGS, WEIGHTS, Layout, Position, layout_named

if TYPE_CHECKING:
    from shared.simulator.world import World

__all__ = ["LONGEST", "Rewards", "Seat", "Timeline", "foretell", "timeline"]

_HOUR = 3_600
_DAY = 24 * _HOUR
_EXPIRES_AFTER = 7 * _DAY
_LONGEST_SEARCH = 14 * _DAY  # for an item that a slot needs
_LONGEST_DELAY = 3 * _DAY  # from the crime's end to its payout
LONGEST = _EXPIRES_AFTER + _LONGEST_SEARCH + 2 * _DAY  # from a crime's appearance to its end
_LOOT = tuple(
    good.id for good in GOODS if good.type in {"Collectible", "Drug", "Jewelry", "Material", "Tool"}
)
_PERCENTAGES = (100, 95, 90, 85, 80.5, 80, 77.25, 75, 66.7, 50)
_PAYOUTS = ("balance", "balance", "balance", "wallet", "inventory")
_IF_WON = ("Successful", "Injured", "Jailed", "Hospitalized", "Failed"), (91, 94, 96, 98, 100)
_IF_LOST = ("Failed", "Jailed", "Hospitalized", "Injured", "Successful"), (50, 70, 85, 95, 100)
_TIMED = frozenset({"Hospitalized", "Jailed"})


@dataclass(frozen=True, slots=True)
class Seat:
    """Foretell one slot. ``rank`` is the order of joining, which is the order of planning.

    ``chair`` is where to begin looking for who takes it: ``user_id``, a member until the crime's end.
    """

    position: Position
    chair: int
    user_id: int
    joined_at: int
    rank: int
    equipped_at: int
    pass_rate: int
    owner_pass_rate: int
    outcome: str
    outcome_duration: int | None
    item_outcome: dict[str, object] | None


@dataclass(frozen=True, slots=True)
class Rewards:
    """Foretell what a success brings; ``payout`` shows from its ``paid_at`` on."""

    money: int
    items: list[dict[str, int]]
    respect: int
    scope: int
    payout: dict[str, Any] | None
    paid_at: int


@dataclass(frozen=True, slots=True)
class Timeline:
    """Foretell a crime. Without ``planning_at`` its slots are never all filled and it expires."""

    id: int
    previous_id: int | None
    layout: Layout
    created_at: int
    expired_at: int
    planning_at: int | None
    ready_at: int | None
    executed_at: int | None
    seats: tuple[Seat, ...]
    rewards: Rewards | None

    def status(self, now: float) -> str:
        """Tell the crime's status at a moment."""
        if self.planning_at is None or self.executed_at is None:
            return "Recruiting" if now < self.expired_at else "Expired"
        if now < self.planning_at:
            return "Recruiting"
        if now < self.executed_at:
            return "Planning"
        return "Successful" if self.rewards else "Failure"


def timeline(world: World, index: int) -> Timeline:
    """Foretell the crime with this index."""
    rng = random.Random(f"{world.seed}/crime/{index}")
    created_at = world.created_at(index)
    layout, previous_id = _layout(world, index, created_at, rng)
    won = rng.random() < 0.86 - 0.012 * layout.difficulty
    seats = _seats(world, layout, created_at, rng, won=won)
    joined = max(seat.joined_at for seat in seats)
    expired_at = created_at + _EXPIRES_AFTER
    planning_at = ready_at = executed_at = rewards = None
    if joined < expired_at:
        planning_at = joined
        ready_at = planning_at + len(seats) * _DAY
        late = rng.random()
        executed_at = max(ready_at, *(seat.equipped_at for seat in seats)) + int(late**6 * 20 * _HOUR) + 1
        rewards = _rewards(world, layout, executed_at, rng) if won else None
    seats = _taken(world, seats, executed_at or expired_at)
    return Timeline(
        world.crime_id(index),
        previous_id,
        layout,
        created_at,
        expired_at,
        planning_at,
        ready_at,
        executed_at,
        seats,
        rewards,
    )


# Foretelling is pure, so remembering what was foretold changes nothing but the time it takes.
foretell = lru_cache(maxsize=5_000)(timeline)


def _taken(world: World, seats: tuple[Seat, ...], end: int) -> tuple[Seat, ...]:
    """Name who takes each slot: people who are members from the moment they join until the crime's end."""
    users: set[int] = set()
    taken = []
    for seat in seats:
        # Nobody joins after the end; such a seat stays empty and only has to have a name.
        user = world.roster.member(seat.chair, min(seat.joined_at, end), end, but=users).id
        users.add(user)
        taken.append(replace(seat, user_id=user))
    return tuple(taken)


def _layout(world: World, index: int, created_at: int, rng: random.Random) -> tuple[Layout, int | None]:
    """Choose what is attempted: every tenth crime follows an earlier one that succeeded in time."""
    (chosen,) = rng.choices(LAYOUTS, cum_weights=WEIGHTS)
    if index % 10 == 6:  # noqa: PLR2004 - these are the ones that others follow
        return rng.choice(OPENINGS), None
    # The distance ends in 3, so an origin's index ends in 6 and no origin follows another crime itself.
    origin = index - (12 * _DAY // world.interval // 10 * 10 + 3)
    if index % 10 == 9 and origin >= 0:  # noqa: PLR2004
        first = timeline(world, origin)
        if first.layout.opens and first.rewards and first.executed_at and first.executed_at < created_at:
            return layout_named(first.layout.opens), first.id
    return chosen, None


def _seats(
    world: World, layout: Layout, created_at: int, rng: random.Random, *, won: bool
) -> tuple[Seat, ...]:
    """Seat members one after another, in no order of position."""
    count = len(layout.positions)
    chairs = rng.sample(range(world.size.members), count)
    ranks = rng.sample(range(count), count)
    # Now and then hardly anybody is interested.
    pace = (60 if rng.random() < 0.06 else 7) * _HOUR  # noqa: PLR2004
    joined, times = created_at, []
    for _ in range(count):
        joined += 1 + int(rng.expovariate(1 / pace))
        times.append(joined)
    seats = []
    for position, chair, rank in zip(layout.positions, chairs, ranks, strict=True):
        outcomes, weights = _IF_WON if won else _IF_LOST
        (outcome,) = rng.choices(outcomes, cum_weights=weights)
        equipped_at, item_outcome = times[rank], None
        if position.item_id is not None:
            if rng.random() < 0.2:  # noqa: PLR2004 - the item has to be found first
                equipped_at += min(_LONGEST_SEARCH, int(rng.expovariate(1 / (2 * _DAY))))
            item_outcome = _item_outcome(position, rng, won=won)
        seats.append(
            Seat(
                position,
                chair,
                0,
                times[rank],
                rank,
                equipped_at,
                min(100, max(5, round(rng.gauss(74, 9)))),
                rng.randint(35, 90),
                outcome,
                rng.randrange(600, 28_800) if outcome in _TIMED else None,
                item_outcome,
            )
        )
    return tuple(seats)


def _item_outcome(position: Position, rng: random.Random, *, won: bool) -> dict[str, object] | None:
    lost = rng.random() < (0.02 if won else 0.2)
    if position.reusable and not lost:
        return None
    return {
        "owned_by": "faction" if rng.random() < 0.4 else "user",  # noqa: PLR2004
        "item_id": position.item_id,
        "item_uid": rng.randrange(8_000_000_000, 19_000_000_000),
        "outcome": "lost" if lost else "used",
    }


def _rewards(world: World, layout: Layout, executed_at: int, rng: random.Random) -> Rewards:
    (kinds,) = rng.choices((0, 1, 2, 3), cum_weights=(27, 64, 86, 100))
    items = [{"id": good, "quantity": rng.randint(1, 12)} for good in rng.sample(_LOOT, kinds)]
    # A crime that brings goods sometimes brings no money; one that brings no goods always does.
    unpaid = items and rng.random() < 0.15  # noqa: PLR2004
    money = 0 if unpaid else int(layout.difficulty**3 * 1_100_000 * rng.uniform(0.7, 1.5))
    paid_at = executed_at + min(_LONGEST_DELAY, int(rng.expovariate(1 / (8 * _HOUR))))
    payout: dict[str, Any] | None = None
    if rng.random() < 0.7:  # noqa: PLR2004
        payout = {
            "type": rng.choice(_PAYOUTS),
            "percentage": rng.choice(_PERCENTAGES),
            "paid_by": _payer(world, rng.choice(range(world.size.members)), paid_at),
            "paid_at": paid_at,
        }
    return Rewards(
        money, items, layout.difficulty * rng.randint(2, 9), layout.difficulty + 1, payout, paid_at
    )


def _payer(world: World, chair: int, paid_at: int) -> int:
    return world.roster.member(chair, paid_at, paid_at, but=set()).id

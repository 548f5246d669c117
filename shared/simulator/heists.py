"""List the organised crimes a faction can attempt: difficulty, positions, items, what follows.

One line is one crime. A position is ``Role`` or ``Role:Item``; ``*`` after the item says it survives the
crime. The names are those players know; the items are this city's.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import accumulate

from shared.simulator.goods import ID_OF

__all__ = ["LAYOUTS", "OPENINGS", "WEIGHTS", "Layout", "Position", "layout_named"]

# name | difficulty | how often | positions | what a success opens
_TABLE = """
Mob Mentality | 1 | 4 | Looter, Looter, Looter, Looter |
Pet Project | 1 | 5 | Kidnapper:Smoke Flask, Muscle, Picklock:Lock Rake* |
Cash Me if You Can | 2 | 8 | Thief, Lookout |
Best of the Lot | 2 | 4 | Picklock:Lock Rake*, Car Thief, Muscle, Imitator:Cloned Badge* |
Smoke and Wing Mirrors| 3  | 4 | Car Thief, Imitator:Cloned Badge*, Hustler, Hustler |
Market Forces | 3 | 3 | Enforcer, Negotiator, Lookout, Arsonist:Paraffin Block, Muscle |
Gaslight the Way | 3 | 2 | Imitator:Usher Uniform*, Imitator, Imitator, Looter, Looter, Looter |
Snow Blind | 4 | 5 | Hustler, Imitator, Muscle, Muscle | Bidding War
Stage Fright | 4 | 1 | Enforcer, Muscle, Muscle, Muscle, Lookout:Periscope Rod*, Sniper:Long Meridian* |
Plucking the Lotus | 4 | 3 | Mole, Robber, Robber, Lookout:Periscope Rod* |
Guardian Angels | 5 | 4 | Enforcer, Hustler, Engineer:Wire Spool |
No Reserve | 5 | 6 | Car Thief, Techie:Glass Scriber, Engineer:Line Tracer* |
Counter Offer | 5 | 3 | Robber, Looter, Hacker:Pocket Jammer*, Picklock:Skeleton Dial*, Engineer |
Honey Trap | 6 | 5 | Enforcer, Muscle, Muscle |
Bidding War | 6 | 2 | Robber:Flash Bottle, Driver, Robber, Robber, Bomber:Nail Charge, Bomber |
Leave No Trace | 6 | 5 | Techie:Pocket Jammer*, Negotiator, Imitator |
Blast from the Past | 7 | 3 | Picklock, Hacker:Line Tracer*, Engineer:Wire Spool, Bomber, Muscle, Muscle |
Window of Opportunity | 7 | 3 | Looter, Looter, Engineer:Glass Scriber, Muscle, Muscle |
Clinical Precision | 7 | 5 | Thief:Lock Rake*, Cleaner, Assassin, Imitator:Usher Uniform* | Gone Fission
Break the Bank | 8 | 3 | Robber, Muscle, Muscle, Thief, Muscle, Thief:Thermal Lance |
Stacking the Deck | 8 | 5 | Cat Burglar:Hand Winch*, Driver, Hacker, Imitator:Invitation | Ace in the Hole
Manifest Cruelty | 8 | 4 | Hacker:Radio Scanner*, Interrogator, Reviver:Smelling Salts, Cat Burglar |
Gone Fission | 9 | 1 | Hijacker, Engineer, Pickpocket, Imitator, Bomber:Nail Charge |
Ace in the Hole | 9 | 1 | Imitator, Muscle, Muscle, Hacker:Pocket Jammer*, Driver |
Crane Reaction | 10 | 1 | Sniper:Prefect*, Lookout, Engineer:Hand Winch*, Bomber, Muscle, Muscle |
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Describe one place in a crime: P1 to P6, the role, and the item it needs, if any."""

    id: str
    role: str
    label: str
    number: int
    item_id: int | None
    reusable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Describe a crime as the city knows it, before anybody attempts it."""

    name: str
    difficulty: int
    weight: int
    positions: tuple[Position, ...]
    opens: str | None


def _positions(text: str) -> tuple[Position, ...]:
    seen: Counter[str] = Counter()
    positions = []
    for place, entry in enumerate(text.split(","), start=1):
        role, _, item = entry.strip().partition(":")
        seen[role] += 1
        positions.append(
            Position(
                id=f"P{place}",
                role=role,
                label=f"{role} #{seen[role]}",
                number=seen[role],
                item_id=ID_OF[item.removesuffix("*")] if item else None,
                reusable=item.endswith("*"),
            )
        )
    return tuple(positions)


def _layout(line: str) -> Layout:
    name, difficulty, weight, positions, opens = (cell.strip() for cell in line.split("|"))
    return Layout(
        name=name,
        difficulty=int(difficulty),
        weight=int(weight),
        positions=_positions(positions),
        opens=opens or None,
    )


LAYOUTS: tuple[Layout, ...] = tuple(_layout(line) for line in _TABLE.strip().splitlines())
WEIGHTS: tuple[int, ...] = tuple(accumulate(layout.weight for layout in LAYOUTS))
OPENINGS: tuple[Layout, ...] = tuple(layout for layout in LAYOUTS if layout.opens)
_BY_NAME = {layout.name: layout for layout in LAYOUTS}


def layout_named(name: str) -> Layout:
    """Find a crime's layout by its name."""
    return _BY_NAME[name]

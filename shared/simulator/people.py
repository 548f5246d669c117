"""Invent the people of the faction: ids and names that never change for a seed."""

from __future__ import annotations

import random
from dataclasses import dataclass

__all__ = ["Member", "members"]

_FIRST = (
    "Ash Bram Cinder Dross Elm Flint Grit Hex Iron Jolt Knot Lark Moss Nail Onyx Pike Quill Rook Salt Tarn"
)
_LAST = "bane ditch fold gate heel jaw kiln latch marrow notch reed shade thorn vault wick yard"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Describe one member of the faction."""

    id: int
    name: str


def members(seed: int, count: int) -> tuple[Member, ...]:
    """Name ``count`` members, in the order they joined. More members never rename the first ones."""
    rng = random.Random(f"{seed}/members")
    firsts, lasts = _FIRST.split(), _LAST.split()
    people: dict[int, Member] = {}
    while len(people) < count:
        number = rng.randint(100_000, 3_999_999)
        name = f"{rng.choice(firsts)}{rng.choice(lasts)}{rng.choice(['', '', '', str(rng.randint(1, 99))])}"
        people.setdefault(number, Member(id=number, name=name))
    return tuple(people.values())

"""Invent people: ids that never change, names that a few change every month."""

from __future__ import annotations

from dataclasses import dataclass

from shared.simulator.chance import among, between, draw, whole

__all__ = ["Person"]

_FIRST_NAMES = (
    "Ash Bram Cinder Dross Elm Flint Grit Hex Iron Jolt Knot Lark Moss Nail Onyx Pike Quill Rook Salt Tarn"
)
_LAST_NAMES = "bane ditch fold gate heel jaw kiln latch marrow notch reed shade thorn vault wick yard"
_FIRST, _LAST = _FIRST_NAMES.split(), _LAST_NAMES.split()
_DAY = 86_400
_LOWEST = 100_000
_CHAIRS, _TURNS, _STEP = 3_889, 997, 389  # primes: steps through them come back only after all


@dataclass(frozen=True, slots=True)
class Person:
    """Be the ``turn``-th occupant of a chair in the faction that a seed makes."""

    seed: int
    chair: int
    turn: int

    @property
    def id(self) -> int:
        """Give the player's id: no two people of a faction share one."""
        column = (self.seed * 31 + self.chair * 1_009) % _CHAIRS
        start = whole(0, _TURNS - 1, self.seed, "id", self.chair)
        return _LOWEST + _CHAIRS * ((start + self.turn * _STEP) % _TURNS) + column

    def name(self, now: float) -> str:
        """Give the name at a moment; most keep theirs for years, some change it every few months."""
        period = between(60, 900, self, "name period") * _DAY
        version = int(now / period + draw(self, "name phase"))
        # The chair's number keeps the names of those who are members together apart.
        return (
            f"{among(_FIRST, self, 'first', version)}{among(_LAST, self, 'last', version)}{self.chair or ''}"
        )

    def __str__(self) -> str:
        return f"{self.seed}/person/{self.chair}/{self.turn}"

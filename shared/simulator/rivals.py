"""Name the other factions of the city: some are friends and have pacts, the others are fought."""

from __future__ import annotations

from dataclasses import dataclass

from shared.simulator.chance import whole

__all__ = ["ENEMIES", "FRIENDS", "Rival", "enemy"]

_FIRST_ID = 51_000  # above every faction of ours
_NAMES = (
    "Tollkeepers, The Ninth Pier, Slow Lanterns, Brass Parish, Hollow Court, Winter Freight, The Unlisted,"
    " Salt and Tar, Lamplight Union, Pale Harbour, The Long Table, Gravel Choir, Night Ferry, Copper Vigil,"
    " Ashen Ledger, Third Rail, The Quiet Hands, Marsh Kings, Cold Anvil, Vesper Row, Ropewalk, Iron Nursery,"
    " The Last Tram, Kiln Street"
)


@dataclass(frozen=True, slots=True)
class Rival:
    """Be another faction."""

    id: int
    name: str

    def players(self, count: int, *what: object) -> list[int]:
        """Choose some of its people; their ids are nobody's of ours."""
        return sorted({whole(4_400_000, 4_999_999, self.id, *what, place) for place in range(count)})


_ALL = tuple(Rival(_FIRST_ID + 37 * place, name) for place, name in enumerate(_NAMES.split(", ")))
FRIENDS: tuple[Rival, ...] = _ALL[:6]
ENEMIES: tuple[Rival, ...] = _ALL[6:]


def enemy(*what: object) -> Rival:
    """Choose whom a war is with."""
    return ENEMIES[whole(0, len(ENEMIES) - 1, *what)]

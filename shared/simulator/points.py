"""Show the city's points market as ``/market/pointsmarket`` does: the same for every faction.

A listing is made every four minutes, at that hour's price or a little more, and stands until it is sold.
"""

from __future__ import annotations

import math

from shared.simulator.chance import draw, whole

__all__ = ["list_points"]

_DAY = 86_400
_EVERY = 240
_SHORTEST, _LONGEST = 3_600, 5 * 3_600
_FIRST_ID = 10_000_000
_SIZES = (5, 25, 100, 100, 250, 1_000, 3_000)


def list_points(seed: int, now: int) -> dict[str, object]:
    """Answer ``/market/pointsmarket``: 15 to 75 listings, cheapest first."""
    found = []
    for number in range((now - _LONGEST) // _EVERY, now // _EVERY + 1):
        made = number * _EVERY + whole(0, _EVERY - 1, seed, "listed", number)
        # Most are sold soon: short lives are much more frequent than long ones.
        lasts = _SHORTEST + int((_LONGEST - _SHORTEST) * draw(seed, "sold", number) ** 2)
        if made <= now < made + lasts:
            found.append(_listing(seed, number, made, (now - made) / lasts))
    found.sort(key=lambda listing: (listing["cost"], listing["id"]))
    return {"pointsmarket": found}


def _listing(seed: int, number: int, made: int, age: float) -> dict[str, int]:
    asked = _price(seed, made) * (1 + 0.03 * draw(seed, "greed", number) ** 2)
    cost = round(asked / 10) * 10 + whole(-1, 0, seed, "undercut", number)
    size = _SIZES[whole(0, len(_SIZES) - 1, seed, "size", number)] + whole(0, 20, seed, "odd", number)
    # Some are bought in parts.
    quantity = size if age < 0.5 or draw(seed, "parts", number) < 0.7 else max(1, size // 2)  # noqa: PLR2004
    return {"id": _FIRST_ID + number, "quantity": quantity, "cost": cost, "total_cost": quantity * cost}


def _price(seed: int, at: int) -> float:
    """Move between 41,600 and 48,400 over weeks, days and hours."""
    swings = ((0.05, 23 * _DAY), (0.02, 3.7 * _DAY), (0.006, 0.31 * _DAY))
    moved = sum(
        size * math.sin(math.tau * (at / period + draw(seed, "swing", period))) for size, period in swings
    )
    return 45_000 * (1 + moved)

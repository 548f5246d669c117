"""What a replace may not do to a table: leave it empty, or take too many of its rows away."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from shared.errors import ReplaceRefused

if TYPE_CHECKING:
    from shared.endpoint import Table

__all__ = ["most_before", "refuse_empty", "shrunk"]

# Shares are decimal fractions: 3 rows that are a tenth are of 30, not of 29.999...
_ROUNDING = 1e-9


def refuse_empty(name: str, table: Table, count: int) -> None:
    """Refuse to leave a table without rows that may not be.

    Raises:
        ReplaceRefused: it is so.
    """
    if not count and not table.allow_empty:
        raise ReplaceRefused(
            f"the table {name} would be replaced with nothing; it was left as it is",
            next_step="look at the archived answer; if it is right, set `allow_empty: true` "
            "for this table in endpoint.yaml",
        )


def most_before(table: Table, count: int) -> int | None:
    """Return how many rows there may be that ``count`` rows replace; None: any number."""
    left = 1 - table.max_shrink
    if not left or (table.allow_empty and not count):
        return None
    return math.floor(count / left + _ROUNDING)


def shrunk(name: str) -> ReplaceRefused:
    """Return the refusal of a replace that would take too many rows away."""
    return ReplaceRefused(
        f"the table {name} would lose more of its rows than it may; it was left as it is",
        next_step="look at the archived answer; if it is right, raise `max_shrink` for this table "
        "in endpoint.yaml",
    )

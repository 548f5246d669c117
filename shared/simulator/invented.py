"""Invent the value at one place of a body, from what the columns that take it declare.

A value is either numbered, which makes it a key's (the same at any time, another for every number), or drawn:
then it moves a little with the clock, within what the columns' checks allow.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from shared.simulator.chance import among, draw, whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.endpoint import Column, Scalar

__all__ = ["Place", "Value"]

Value = str | int | float | bool | dict[str, object]

_HOUR, _DAY = 3_600, 86_400
_TURN = 30 * _DAY
_FIRST_MOMENT = 1_600_000_000
_FIRST_DAY = date(2020, 9, 13).toordinal()
_WIDEST = 1_000_000  # of a number that has no bounds on both sides
_INT64 = -(2**63), 2**63 - 1
_WORDS = ("Amber", "Canal", "Copper", "Harbour", "Lantern", "Marble", "Orchard", "Quay", "Tinder", "Velvet")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Hold what the columns of one place allow there: a type, bounds, or a choice of values."""

    type: str
    unit: str
    low: float | None
    high: float | None
    choices: tuple[Scalar, ...]

    @classmethod
    def of(cls, columns: Sequence[Column]) -> Place:
        """Bring together what several columns want of one place; their type is the same."""
        checks = [column.check for column in columns if column.check is not None]
        low = max((check.min for check in checks if check.min is not None), default=None)
        high = min((check.max for check in checks if check.max is not None), default=None)
        allowed = [check.enum for check in checks if check.enum is not None]
        first = columns[0]
        if first.type == "BOOLEAN":
            allowed.append([False, True])
        choices = [
            value
            for value in dict.fromkeys(allowed[0] if allowed else ())
            if all(value in enum for enum in allowed) and _within(value, low, high)
        ]
        if first.type == "INTEGER":
            low = None if low is None else max(math.ceil(low), _INT64[0])
            high = None if high is None else min(math.floor(high), _INT64[1])
        return cls(type=first.type, unit=first.unit, low=low, high=high, choices=tuple(choices))

    @property
    def capacity(self) -> float:
        """Count the different values there are; infinity where nothing bounds them."""
        if self.choices:
            return len(self.choices)
        if self.type in {"INTEGER", "FLOAT"} and self.low is not None and self.high is not None:
            return max(1, math.floor(self.high - self.low) + 1)
        return math.inf

    def numbered(self, number: int, *words: object) -> Value:
        """Give a value that no other number below ``capacity`` has, and that the clock does not change."""
        if self.choices:
            return self.choices[number % len(self.choices)]
        first = whole(1_000, 99_000, *words, "first")
        if self.type in {"INTEGER", "FLOAT"}:
            if self.low is None:
                value = first + number if self.high is None else self.high - number
            else:
                value = self.low + number + (first if self.high is None else 0)
            return int(value) if self.type == "INTEGER" else float(value)
        if self.type == "TIMESTAMP":
            return self._moment(_FIRST_MOMENT + _HOUR * (first + number) // 2)
        if self.type == "DATE":
            return date.fromordinal(_FIRST_DAY + number).isoformat()
        return f"{among(_WORDS, *words)} {first + number}"

    def drawn(self, now: int, *words: object) -> Value:
        """Give a value as it is now."""
        if self.choices:
            return among(self.choices, *words, (now + whole(0, _DAY, *words)) // _DAY)
        if self.type in {"INTEGER", "FLOAT"}:
            return self._amount(now, *words)
        # What happened stays as it was for a month, and has happened by now.
        moment = now - now % _TURN - whole(0, _TURN, *words)
        if self.type == "TIMESTAMP":
            return self._moment(moment)
        if self.type == "DATE":
            return datetime.fromtimestamp(moment, UTC).date().isoformat()
        text = f"{among(_WORDS, *words)} {among(_WORDS, *words, 'second')}"
        return {"text": text, "is_new": draw(*words, now // _DAY) < 0.5} if self.type == "JSON" else text  # noqa: PLR2004

    def _amount(self, now: int, *words: object) -> int | float:
        """Stand still for an hour, then move by up to a tenth of what the bounds leave."""
        high = self.high
        low = self.low if self.low is not None else 0 if high is None or high >= 0 else high - _WIDEST
        high = low + _WIDEST if high is None else max(low, min(high, low + _WIDEST))
        share = 0.9 * draw(*words) + 0.1 * draw(*words, now // _HOUR)
        if self.type == "INTEGER":
            return int(low) + int((int(high) - int(low) + 1) * share)
        return max(low, min(high, round(low + (high - low) * share, 2)))

    def _moment(self, seconds: int) -> Value:
        if self.unit == "iso":
            return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
        return seconds * 1_000 + seconds % 997 if self.unit == "ms" else seconds


def _within(value: Scalar, low: float | None, high: float | None) -> bool:
    if isinstance(value, str | bool):
        return True
    return (low is None or value >= low) and (high is None or value <= high)

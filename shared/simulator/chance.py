"""Draw numbers that depend on nothing but what they are drawn for.

A generator of ``random`` costs ten microseconds to seed; a page of members needs a thousand draws.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["among", "between", "draw", "whole"]

_T = TypeVar("_T")
_UNIT = 1 / (1 << 53)


def draw(*what: object) -> float:
    """Draw from 0 (inclusive) to 1 (exclusive), always the same for the same words and numbers."""
    text = "/".join(map(str, what)).encode()
    return (int.from_bytes(blake2b(text, digest_size=8).digest(), "big") >> 11) * _UNIT


def between(low: float, high: float, *what: object) -> float:
    """Draw a number between two bounds."""
    return low + (high - low) * draw(*what)


def whole(low: int, high: int, *what: object) -> int:
    """Draw a whole number between two bounds, both inclusive."""
    return low + int((high - low + 1) * draw(*what))


def among(choices: Sequence[_T], *what: object) -> _T:
    """Draw one of several."""
    return choices[int(len(choices) * draw(*what))]

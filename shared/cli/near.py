"""What a person may have meant by a name that does not exist."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["unknown"]


def unknown(kind: str, name: str, names: Iterable[str]) -> str:
    """Say that there is no such thing, which name is near, and which there are."""
    there = list(names)
    near = get_close_matches(name, there, 1)
    meant = f" Did you mean {near[0]}?" if near else ""
    return f"There is no {kind} {name[:80]!r}.{meant} There are: {', '.join(there) or 'none'}."

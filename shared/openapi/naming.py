"""Names for columns and tables: lower-case, short, each once, and the same every time."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Names", "singular", "snake"]

#: A table's or column's name may have 128; what people type should be shorter.
_LONGEST = 100
_BORDER = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_OTHER = re.compile(r"[^a-z0-9]+")


def snake(*parts: str) -> str:
    """Return words as one name: ``forumThreads`` is forum_threads; a digit in front gets an n_."""
    words = []
    for part in parts:
        plain = unicodedata.normalize("NFKD", part).encode("ascii", "ignore").decode()
        words.append(_OTHER.sub("_", _BORDER.sub("_", plain).lower()).strip("_"))
    name = "_".join(filter(None, words)) or "field"
    return f"n_{name}" if name[0].isdigit() else name


def singular(word: str) -> str:
    """Return one of several: slots → slot, properties → property."""
    if word.endswith("children"):
        return word.removesuffix("ren")
    for ending, instead in (("ies", "y"), ("sses", "ss"), ("xes", "x"), ("ches", "ch"), ("nuses", "nus")):
        if word.endswith(ending) and len(word) > len(ending) + 1:
            return word.removesuffix(ending) + instead
    if len(word) > 1 and word.endswith("s") and not word.endswith(("ss", "us", "is", "news")):
        return word.removesuffix("s")
    return word


class Names:
    """Gives every place a name that no other has.

    Args:
        taken: Names that are not to be given.
        prefix: Stands before a name that would be one of these.
    """

    def __init__(self, taken: Iterable[str] = (), *, prefix: str = "") -> None:
        self._others = frozenset(taken)
        self._taken = set(self._others)
        self._prefix = prefix

    def give(self, *parts: str) -> str:
        """Return a free name made of these parts, numbered if another place has it already."""
        name = short = _shortened(snake(*parts))
        if name in self._others and self._prefix:
            name = short = _shortened(snake(self._prefix, name))
        number = 1
        while name in self._taken:
            number += 1
            name = f"{short}_{number}"
        self._taken.add(name)
        return name


def _shortened(name: str) -> str:
    if len(name) <= _LONGEST:
        return name
    # The end says most; the hash keeps apart what then looks the same.
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return snake(f"{name[-(_LONGEST - 11) :].partition('_')[2] or name[: _LONGEST - 11]}_{digest}")

"""Answer with recorded bodies, byte for byte."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from shared.simulator.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from shared.simulator.paging import Ask

__all__ = ["Recordings"]

_WRONG_FIELDS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Recordings:
    """Hold bodies by the last segment of the paths they answer: "items" answers ``/torn/items``."""

    bodies: Mapping[str, bytes]

    @classmethod
    def read(cls, files: Iterable[str | Path]) -> Recordings:
        """Read recordings. ``SEGMENT=PATH`` says what a file answers; else its first key does.

        ``_metadata`` does not count as a key.
        """
        bodies: dict[str, bytes] = {}
        for entry in files:
            segment, equals, name = str(entry).partition("=")
            explicit = bool(equals) and "/" not in segment
            body = Path(name if explicit else str(entry)).read_bytes()
            bodies[segment if explicit else _selection(str(entry), body)] = body
        return cls(bodies=bodies)

    def body(self, ask: Ask, now: float) -> bytes:  # noqa: ARG002 - a recording does not change with the clock
        """Give the recording for a path, or refuse as Torn refuses an unknown selection."""
        segment = ask.path.rpartition("/")[2]
        if segment not in self.bodies:
            raise Refusal(_WRONG_FIELDS)
        return self.bodies[segment]


def _selection(name: str, body: bytes) -> str:
    document = json.loads(body)
    keys = [key for key in document if key != "_metadata"] if isinstance(document, dict) else []
    if not keys:
        message = f"{name} does not say what it answers: give it as SEGMENT={name}"
        raise ValueError(message)
    return str(keys[0])

"""Stand at the API's door: keys, call budget, 29-second cache. Time is the simulator's clock."""

from __future__ import annotations

import hashlib
import re
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from shared.simulator.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from shared.simulator.paging import Ask

__all__ = ["Budget", "Cache", "Keys", "fingerprint"]

_KEY_EMPTY, _INCORRECT_KEY, _TOO_MANY = 1, 2, 5
_MINUTE = 60
_ANY_KEY = re.compile(r"[A-Za-z0-9]{16}")


def fingerprint(key: str) -> str:
    """Name a key without telling it: the first 8 hex digits of its SHA-256."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Know which keys are good. Without a list, any 16 letters and digits are."""

    accepted: Collection[str] | None = None

    @staticmethod
    def read(authorization: str | None) -> str:
        """Read the key from the header ``Authorization: ApiKey <key>``; empty where there is none."""
        scheme, _, key = (authorization or "").partition(" ")
        return key.strip() if scheme.lower() == "apikey" else ""

    def check(self, key: str, *, in_url: bool) -> None:
        """Refuse an absent or wrong key. One in the URL is refused too: it would end up in logs.

        The real API takes keys from the URL. Here that is an error, so that no client comes to rely on it.
        """
        if in_url:
            raise Refusal(_INCORRECT_KEY)
        if not key:
            raise Refusal(_KEY_EMPTY)
        good = _ANY_KEY.fullmatch(key) if self.accepted is None else key in self.accepted
        if not good:
            raise Refusal(_INCORRECT_KEY)


@dataclass(slots=True, kw_only=True)
class Budget:
    """Count calls per key in a rolling minute. Refused calls do not count."""

    calls: int
    _times: dict[str, deque[float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def spend(self, key: str, now: float) -> None:
        """Take one call from the key's budget, or refuse."""
        with self._lock:
            times = self._times.setdefault(key, deque())
            while times and times[0] <= now - _MINUTE:
                times.popleft()
            if len(times) >= self.calls:
                raise Refusal(_TOO_MANY)
            times.append(now)


@dataclass(slots=True)
class _Entry:
    body: bytes
    made_at: float
    timestamps: set[str | None]


@dataclass(slots=True, kw_only=True)
class Cache:
    """Keep each path's answer per key for some seconds, whatever the other parameters say.

    Only a ``timestamp`` that was not seen in that time gets a new answer: page 2 without one is page 1 again.
    """

    seconds: float
    _entries: dict[tuple[str, str], _Entry] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, key: str, ask: Ask, now: float, make: Callable[[], bytes]) -> tuple[bytes, bool]:
        """Give the answer, and whether it was a kept one. An answer that is refused is not kept."""
        place, timestamp = (ask.path, fingerprint(key)), ask.params.get("timestamp")
        with self._lock:
            entry = self._entries.get(place)
            if entry is None or not entry.made_at <= now < entry.made_at + self.seconds:
                entry = None
            elif timestamp is None or timestamp in entry.timestamps:
                return entry.body, True
        body = make()
        with self._lock:
            seen = (entry.timestamps if entry else set()) | {timestamp}
            self._entries[place] = _Entry(body, now, seen)
        return body, False

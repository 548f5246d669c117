"""A call budget: never more than so many calls in any rolling minute.

The API counts a rolling minute, so a bucket that refills while it is emptied could be caught with
up to twice its size; this one gives a token back exactly a minute after it was taken.
(pyrate-limiter does the same, but importing it costs more CPU than a whole scheduled run spends
on its pages.)
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from shared.errors import OutOfTime

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Budget"]


class Budget:
    """``calls`` tokens per ``period`` seconds, shared by all threads that use one key."""

    def __init__(
        self,
        calls: int,
        *,
        period: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._taken: deque[float] = deque(maxlen=calls)
        self._period = period
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()

    def take(self, *, deadline: float) -> float:
        """Take one token, waiting for it if need be; return the seconds waited.

        Raises:
            OutOfTime: the next token comes only after ``deadline`` (on the budget's clock).
        """
        with self._lock:
            now = self._clock()
            full = len(self._taken) == self._taken.maxlen
            due = max(now, self._taken[0] + self._period) if full else now
            if due > deadline:
                raise OutOfTime(
                    f"the budget of {self._taken.maxlen} calls a minute frees a call in "
                    f"{due - now:.0f} s, after the run's time is up",
                    next_step="raise calls_per_minute or ask for less (lookback, params)",
                )
            # The token is dated when it may be used, so that waiting callers queue up.
            self._taken.append(due)
        if due > now:
            self._sleep(due - now)
        return due - now

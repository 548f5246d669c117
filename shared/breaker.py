"""Leave a host alone that failed too often, or that has closed itself to us."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

from pybreaker import CircuitBreaker, CircuitBreakerError

from shared.errors import BackOff, CircuitOpen, OutOfTime, RetrySoon

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Breaker"]

_T = TypeVar("_T")


class Breaker:
    """Calls to one host, refused here while it is left alone.

    Repeated ``RetrySoon`` open it, until a single call that goes well closes it again. A
    ``BackOff`` of one key is no outage; one of ``everything`` opens it at once, for as long as
    it says.
    """

    def __init__(
        self, host: str, *, circuit: CircuitBreaker | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._host = host
        self._clock = clock
        self._closed_until = float("-inf")
        self._circuit = circuit or CircuitBreaker(
            fail_max=8, reset_timeout=30, exclude=[_is_no_outage], throw_new_error_on_trip=False
        )

    def call(self, ask: Callable[[], _T]) -> _T:
        """Call ``ask`` and note how it went.

        Raises:
            CircuitOpen: the host is left alone; ``ask`` was not called.
        """
        left = self._closed_until - self._clock()
        if left > 0:
            raise self._left_alone("is closed to us", left)
        try:
            answer: _T = self._circuit.call(ask)
        except CircuitBreakerError:
            raise self._left_alone("failed too often", self._circuit.reset_timeout) from None
        except BackOff as error:
            if error.everything:
                self._closed_until = self._clock() + error.after
                self._circuit.open()  # after that time, one call tries it out
            raise
        return answer

    def _left_alone(self, why: str, seconds: float) -> CircuitOpen:
        return CircuitOpen(
            f"{self._host} {why} and is left alone for {seconds:.0f} s",
            next_step="nothing: the message is delivered again",
        )


def _is_no_outage(error: object) -> bool:
    return not isinstance(error, RetrySoon) or isinstance(error, OutOfTime)

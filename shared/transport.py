"""Generic HTTP: one pooled session, timeouts, retries, a call budget, a breaker, bounds.

Knows bytes, status and headers, and nothing of any API. What an answer means is said by the
``check`` that the caller passes: it raises ``Retryable`` (asked again, within bounds) or
``Permanent`` (handed on).
"""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, InvalidHeader
from urllib3.util import Retry

from shared.breaker import Breaker
from shared.errors import (
    BackOff,
    BrokenContract,
    CircuitOpen,
    OutOfTime,
    Retryable,
)
from shared.http_errors import place, problem_of
from shared.links import stay_on, with_params

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pybreaker import CircuitBreaker
    from requests.auth import AuthBase

    from shared.budget import Budget

__all__ = ["Limits", "Response", "Transport", "with_params"]

_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of one call; seconds and bytes."""

    connect: float = 5.0
    read: float = 30.0
    attempts: int = 4
    backoff: float = 0.5
    backoff_max: float = 20.0
    longest_wait: float = 75.0
    body: int = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A whole answer; ``asked_at`` is when it was asked for, so its state is no older."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    asked_at: datetime

    def retry_after(self) -> float | None:
        """Return the seconds that a Retry-After header asks for, if there is a valid one."""
        value = self.headers.get("Retry-After")
        if value is None:
            return None
        try:
            return Retry().parse_retry_after(value)
        except (InvalidHeader, ValueError, OverflowError):
            return None


class Transport:
    """GET requests to one host, one at a time: threads that share a transport take turns."""

    def __init__(  # noqa: PLR0913 - the seams of tests, by name
        self,
        base_url: str,
        *,
        user_agent: str,
        limits: Limits | None = None,
        breaker: CircuitBreaker | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._limits = limits or Limits()
        self._clock = clock
        self._sleep = sleep
        self._breaker = Breaker(urlsplit(self.base_url).netloc, circuit=breaker, clock=clock)
        # A requests session is not made for several threads; one call at a time keeps to the
        # host's limits, too.
        self._turn = threading.Lock()
        self._session = requests.Session()
        self._session.headers["User-Agent"] = user_agent
        # Retries are counted in one place, here; the adapter's own would multiply them.
        adapter = HTTPAdapter(pool_connections=1, pool_maxsize=1, max_retries=0)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)

    def close(self) -> None:
        """Close the pooled connections."""
        self._session.close()

    def resolve(self, link: str) -> str:
        """Return the whole URL of a path or link, if it stays on the configured host.

        Raises:
            BrokenContract: the link leads elsewhere; following it would hand over the key.
        """
        return stay_on(self.base_url, link)

    def get(  # noqa: PLR0913 - what a call is made of, by name
        self,
        url: str,
        *,
        auth: AuthBase,
        budget: Budget,
        deadline: float,
        check: Callable[[Response], None],
        fresh: Callable[[str], str] = str,
    ) -> Response:
        """Ask for ``url`` until ``check`` accepts the answer; ``fresh`` renews it for every try.

        Args:
            url: A path below the base, or a whole URL on the configured host.
            auth: Adds the key to the request, so that it stands in no URL and no header of ours.
            budget: One token is taken for every try.
            deadline: On the transport's clock; nothing is waited for beyond it.
            check: Raises what is wrong with an answer.
            fresh: Rewrites the URL before each try.

        Raises:
            Retryable: still failing after the last try, or the wait would be too long.
            Permanent: what ``check`` raised, a foreign link, a redirect or an oversized body.
        """
        url = self.resolve(url)
        last: Retryable | None = None
        for attempt in range(1, self._limits.attempts + 1):
            try:
                budget.take(deadline=deadline)
                return self._attempt(fresh(url), auth, deadline, check)
            except OutOfTime:
                # What failed before says more than that there was no time to try again.
                if last is not None:
                    raise last from None
                raise
            except Retryable as error:
                last = error
                wait = self._wait(error, attempt)
                if (
                    attempt == self._limits.attempts
                    or isinstance(error, CircuitOpen)
                    or wait > self._limits.longest_wait
                    or self._clock() + wait > deadline
                ):
                    raise
                self._sleep(wait)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _wait(self, error: Retryable, attempt: int) -> float:
        if isinstance(error, BackOff) and error.after > 0:
            return error.after
        ceiling = min(self._limits.backoff_max, self._limits.backoff * 2.0 ** (attempt - 1))
        return ceiling * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret

    def _attempt(
        self, url: str, auth: AuthBase, deadline: float, check: Callable[[Response], None]
    ) -> Response:
        def ask() -> Response:
            response = self._send(url, auth, deadline)
            check(response)
            return response

        left = min(deadline - self._clock(), threading.TIMEOUT_MAX)
        if left <= 0 or not self._turn.acquire(timeout=left):
            raise OutOfTime("the run's time is up", next_step="the next delivery goes on")
        try:
            return self._breaker.call(ask)
        finally:
            self._turn.release()

    def _send(self, url: str, auth: AuthBase, deadline: float) -> Response:
        left = deadline - self._clock()
        if left <= 0:
            raise OutOfTime("the run's time is up", next_step="the next delivery goes on")
        timeout = (min(self._limits.connect, left), min(self._limits.read, left))
        asked_at = datetime.now(UTC)
        try:
            with self._session.get(
                url, auth=auth, timeout=timeout, stream=True, allow_redirects=False
            ) as raw:
                body = self._body(raw, url, deadline)
        except (requests.RequestException, HTTPError, ValueError) as error:
            problem = problem_of(error, url)
        else:
            return Response(
                url=url, status=raw.status_code, headers=raw.headers, body=body, asked_at=asked_at
            )
        # Raised out here, where no cause and no context is attached: the library's errors hold
        # the request, and with it the key.
        raise problem

    def _body(self, raw: requests.Response, url: str, deadline: float) -> bytes:
        if 300 <= raw.status_code < 400:  # noqa: PLR2004
            raise BrokenContract(
                f"{place(url)} answered with a redirect (HTTP {raw.status_code}); it was not followed",
                next_step="check TORN_API_URL",
            )
        parts: list[bytes] = []
        size = 0
        # read1 returns with whatever has come, so that a drip of bytes cannot outlast the
        # deadline, and never unpacks more than it was asked for.
        while chunk := raw.raw.read1(_CHUNK, decode_content=True):
            size += len(chunk)
            if size > self._limits.body:
                raise BrokenContract(
                    f"{place(url)} answered with more than {self._limits.body:,} bytes",
                    next_step="ask for less (limit, lookback)",
                )
            if self._clock() > deadline:
                raise OutOfTime(
                    f"{place(url)} was still answering when the run's time was up",
                    next_step="the next delivery goes on",
                )
            parts.append(chunk)
        return b"".join(parts)

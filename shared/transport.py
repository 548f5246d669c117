"""Generic HTTP: one pooled session, timeouts, retries, a call budget, a breaker, bounds.

Knows bytes, status and headers, and nothing of any API. What an answer means is said by the
``check`` that the caller passes: it raises ``Retryable`` (asked again, within bounds) or
``Permanent`` (handed on).
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import requests
from pybreaker import CircuitBreaker, CircuitBreakerError
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.exceptions import InvalidHeader
from urllib3.util import Retry

from shared.errors import (
    BackOff,
    BrokenContract,
    CircuitOpen,
    FixConfiguration,
    OutOfTime,
    Retryable,
    RetrySoon,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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
        except InvalidHeader:
            return None


class Transport:
    """GET requests to one host."""

    def __init__(
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
        self._breaker = breaker or CircuitBreaker(
            fail_max=8, reset_timeout=30, exclude=[_is_no_outage], throw_new_error_on_trip=False
        )
        self._session = requests.Session()
        self._session.headers["User-Agent"] = user_agent
        # Retries are counted in one place, here; the adapter's own would multiply them.
        adapter = HTTPAdapter(pool_connections=1, pool_maxsize=4, max_retries=0)
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
        base = urlsplit(self.base_url)
        url = self.base_url + link if link.startswith("/") and not link.startswith("//") else link
        parts = urlsplit(urljoin(self.base_url + "/", url))
        if (parts.scheme, parts.netloc) != (base.scheme, base.netloc):
            raise BrokenContract(
                f"a link leads to {parts.scheme}://{parts.hostname}, not to the configured "
                f"{base.scheme}://{base.netloc}; it was not followed",
                next_step="check TORN_API_URL; if it is right, the API sent a foreign link: report it",
            )
        return parts.geturl()

    def get(
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
        for attempt in range(1, self._limits.attempts + 1):
            budget.take(deadline=deadline)
            try:
                return self._attempt(fresh(url), auth, deadline, check)
            except Retryable as error:
                wait = self._wait(error, attempt)
                if (
                    attempt == self._limits.attempts
                    or isinstance(error, CircuitOpen | OutOfTime)
                    or wait > self._limits.longest_wait
                    or self._clock() + wait > deadline
                ):
                    raise
                self._sleep(wait)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _wait(self, error: Retryable, attempt: int) -> float:
        if isinstance(error, BackOff):
            return error.after
        ceiling = min(self._limits.backoff_max, self._limits.backoff * 2 ** (attempt - 1))
        return ceiling * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret

    def _attempt(
        self, url: str, auth: AuthBase, deadline: float, check: Callable[[Response], None]
    ) -> Response:
        def ask() -> Response:
            response = self._send(url, auth, deadline)
            check(response)
            return response

        try:
            answer: Response = self._breaker.call(ask)
        except CircuitBreakerError as error:
            host = urlsplit(self.base_url).netloc
            raise CircuitOpen(
                f"{host} failed too often and is left alone for {self._breaker.reset_timeout} s",
                next_step="nothing: the message is delivered again",
            ) from error
        except BackOff as error:
            if error.everything:
                self._breaker.open()
            raise
        return answer

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
                body = self._body(raw, deadline)
                answer = Response(
                    url=url, status=raw.status_code, headers=raw.headers, body=body, asked_at=asked_at
                )
        except requests.Timeout as error:
            raise RetrySoon(
                f"{_place(url)} did not answer within {timeout[1]:.0f} s",
                next_step="nothing: it is asked again",
            ) from error
        except requests.exceptions.InvalidHeader:
            # Its text holds the header's value, which is the key: no cause, no context.
            raise FixConfiguration(
                "the API key holds characters that a header may not",
                next_step="store the key again, without spaces or line ends",
            ) from None
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError,
                requests.exceptions.ContentDecodingError) as error:
            raise RetrySoon(
                f"{_place(url)} cannot be reached or broke off: {_reason(error)}",
                next_step="check the network if this lasts; it is asked again",
            ) from error
        if 300 <= answer.status < 400:  # noqa: PLR2004
            raise BrokenContract(
                f"{_place(url)} answered with a redirect (HTTP {answer.status}); it was not followed",
                next_step="check TORN_API_URL",
            )
        return answer

    def _body(self, raw: requests.Response, deadline: float) -> bytes:
        parts: list[bytes] = []
        size = 0
        for chunk in raw.iter_content(_CHUNK):
            size += len(chunk)
            if size > self._limits.body:
                raise BrokenContract(
                    f"{_place(raw.url)} answered with more than {self._limits.body // 2**20} MiB",
                    next_step="ask for less (limit, lookback)",
                )
            if self._clock() > deadline:
                raise OutOfTime(
                    f"{_place(raw.url)} was still answering when the run's time was up",
                    next_step="the next delivery goes on",
                )
            parts.append(chunk)
        return b"".join(parts)


def with_params(url: str, params: Mapping[str, object]) -> str:
    """Return the URL with these query parameters set, replacing those of the same name."""
    parts = urlsplit(url)
    query = {**dict(parse_qsl(parts.query, keep_blank_values=True)), **{k: _text(v) for k, v in params.items()}}
    return parts._replace(query=urlencode(query)).geturl()


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _is_no_outage(error: object) -> bool:
    return not isinstance(error, RetrySoon)


def _place(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname}{parts.path}"


def _reason(error: Exception) -> str:
    """Return the innermost reason of a requests error, without the URL it repeats."""
    inner: BaseException = error
    while inner.__cause__ or inner.__context__:
        inner = inner.__cause__ or inner.__context__  # type: ignore[assignment]
    return f"{type(inner).__name__}: {inner}"[:200]

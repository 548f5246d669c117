"""What is Torn's alone: the auth header, what an answer means, the next page.

With its error codes in ``torn_errors`` all that knows this API; a second API is a second such pair.
"""

from __future__ import annotations

import secrets
import threading
import time
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from requests.auth import AuthBase

from shared.errors import (
    BackOff,
    BrokenContract,
    FixConfiguration,
    RetrySoon,
)
from shared.jsontext import parse_forgiving
from shared.links import with_params
from shared.torn_errors import AGAIN, TOO_MANY, error_of

if TYPE_CHECKING:
    from requests import PreparedRequest

    from shared.transport import Response

__all__ = ["ENVELOPE", "KeyAuth", "check", "error_of", "fresh", "next_link"]

#: Keys that stand beside the records in every answer.
ENVELOPE = ("_metadata",)

_T = TypeVar("_T", bound=msgspec.Struct)
_TOO_SOON = {408, 425}
_PER_MICROSECOND = 10**6


class KeyAuth(AuthBase):
    """Puts the key into the Authorization header, at the last moment and nowhere else."""

    __slots__ = ("_key",)  # so that vars() is empty, too

    def __init__(self, key: str) -> None:
        self._key = key

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Add the header."""
        request.headers["Authorization"] = f"ApiKey {self._key}"
        return request


class _Answer(msgspec.Struct):
    error: Any = None
    code: Any = None


# Nothing here is optional: a page that does not say whether it is the last must not pass for it.
class _Links(msgspec.Struct):
    next: str | None


class _Metadata(msgspec.Struct):
    links: _Links


class _Page(msgspec.Struct):
    metadata: _Metadata = msgspec.field(name="_metadata")


_answer = msgspec.json.Decoder(_Answer)
_page = msgspec.json.Decoder(_Page)


class _Stamps:
    """Numbers that grow, each given out once: Unix microseconds, then six random digits.

    Threads share the microseconds and so never meet. Processes meet in one now and then; drawn anew for every
    number, the digits part even those that were forked from one that had imported this.
    """

    def __init__(self) -> None:
        self._last = 0
        self._lock = threading.Lock()

    def next(self) -> int:
        with self._lock:
            self._last = max(time.time_ns() // 1000, self._last + 1)
            return self._last * _PER_MICROSECOND + secrets.randbelow(_PER_MICROSECOND)


_stamps = _Stamps()


def fresh(url: str) -> str:
    """Give a URL a timestamp of its own: the API's 29-second cache ignores all else.

    The API takes a 32-bit integer or any text. Seconds, and at times even microseconds, would be the same in
    two processes that read one selection at once, and the one would get the other's page; this goes as text.
    """
    return with_params(url, {"timestamp": _stamps.next()})


def check(response: Response) -> None:
    """Raise what is wrong with an answer; return when it carries data.

    Errors come as HTTP 200 with ``{"error": {"code", "error"}}`` or flat, as 429, as a 403
    challenge in HTML, or as no JSON at all.

    Raises:
        CollectError: see ``shared.errors`` for which one asks for what.
    """
    after = response.retry_after()
    if response.status == 429:  # noqa: PLR2004
        raise BackOff(
            "Torn answered HTTP 429, too many requests",
            after=TOO_MANY if after is None else after,
            next_step="lower calls_per_minute if this repeats",
        )
    if response.status >= 500 or response.status in _TOO_SOON:  # noqa: PLR2004
        text = f"Torn answered HTTP {response.status}"
        raise BackOff(text, after=after, next_step=AGAIN) if after else RetrySoon(text, next_step=AGAIN)
    try:
        answer = _read(_answer, response.body)
    except ValueError as error:
        if response.status == 403:  # noqa: PLR2004
            raise BackOff(
                "Torn's gatekeeper answered HTTP 403 with a web page instead of data",
                after=300.0,
                everything=True,
                next_step="if it lasts, the address this runs from is being refused",
            ) from error
        if response.status >= 400:  # noqa: PLR2004
            raise FixConfiguration(
                f"Torn answered HTTP {response.status}", next_step="check the request's path"
            ) from error
        raise RetrySoon(
            f"Torn's answer of {len(response.body)} bytes is not JSON, or was cut short",
            next_step=AGAIN,
        ) from error
    problem = error_of(answer.error, answer.code)
    if problem is not None:
        raise problem
    if response.status >= 400:  # noqa: PLR2004
        raise FixConfiguration(f"Torn answered HTTP {response.status}", next_step="check the request's path")


def next_link(body: bytes) -> str | None:
    """Return ``_metadata.links.next``: a whole URL without a key, or None on the last page.

    Raises:
        BrokenContract: the links are no longer what they were, so that the next page is unknown.
    """
    try:
        metadata = _read(_page, body).metadata
    except ValueError as error:
        raise BrokenContract(
            f"the link to the next page is not as declared: {error}",
            next_step="compare `_metadata` in the archived answer with the API's description",
        ) from error
    return metadata.links.next or None


def _read(decoder: msgspec.json.Decoder[_T], body: bytes) -> _T:
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # One bad record must not cost its page: only what nobody can parse is refused here.
        data = parse_forgiving(body)
    if not isinstance(data, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - as what does not parse
    known = decoder.type.__struct_encode_fields__
    return msgspec.convert({k: v for k, v in data.items() if k in known}, decoder.type)

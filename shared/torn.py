"""What is Torn's alone: the auth header, the error codes, the next page.

The only module that knows this API; a second API is a second such module.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import msgspec
from requests.auth import AuthBase

from shared.errors import (
    BackOff,
    CollectError,
    FixConfiguration,
    RetrySoon,
    StopCategory,
    StopKey,
)
from shared.jsontext import parse_forgiving
from shared.transport import with_params

if TYPE_CHECKING:
    from requests import PreparedRequest

    from shared.transport import Response

__all__ = ["ENVELOPE", "KeyAuth", "check", "error_of", "fresh", "next_link"]

#: Keys that stand beside the records in every answer.
ENVELOPE = ("_metadata",)

_RETRY_SOON = {0: "unknown error", 12: "key read error", 15: "temporary error", 17: "backend error"}
# code → (meaning, seconds to leave it alone, whether all calls stop)
_BACK_OFF = {
    5: ("too many requests", 60.0, False),
    8: ("this IP address is blocked", 900.0, True),
    9: ("the API is disabled", 300.0, True),
    24: ("the API is closed for a while", 300.0, True),
}
_STOP_KEY = {
    1: "the key is empty",
    2: "the key is incorrect",
    10: "the key's owner is in federal jail",
    13: "the key's owner has been inactive for too long",
    16: "the key's access level is too low for this",
    18: "the key is paused by its owner",
}
_CONFIGURATION = {
    3: "wrong type",
    4: "wrong fields",
    6: "incorrect id",
    7: "the id is another's, or the key lacks faction access",
    21: "incorrect category",
    22: "this selection is only in API v1",
    23: "this selection is only in API v2",
    25: "invalid stat",
    26: "only for categories or stats, not both",
    28: "no such id-entity relation",
    29: "invalid category or filter",
    30: "unknown or invalid parameter",
}
_DAILY_LIMIT = 14


class KeyAuth(AuthBase):
    """Puts the key into the Authorization header, at the last moment and nowhere else."""

    def __init__(self, key: str) -> None:
        self._key = key

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = f"ApiKey {self._key}"
        return request


class _Links(msgspec.Struct):
    next: str | None = None


class _Metadata(msgspec.Struct):
    links: _Links | None = None


class _Answer(msgspec.Struct):
    metadata: _Metadata | None = msgspec.field(default=None, name="_metadata")
    error: Any = None
    code: Any = None


_decode = msgspec.json.Decoder(_Answer).decode


def fresh(url: str) -> str:
    """Give a URL a timestamp of its own: the API's 29-second cache ignores all else."""
    return with_params(url, {"timestamp": time.time_ns() // 1_000_000})


def check(response: Response) -> None:
    """Raise what is wrong with an answer; return when it carries data.

    Errors come as HTTP 200 with ``{"error": {"code", "error"}}`` or flat, as 429, as a 403
    challenge in HTML, or as no JSON at all.

    Raises:
        CollectError: see ``shared.errors`` for which one asks for what.
    """
    if response.status == 429:  # noqa: PLR2004
        raise BackOff(
            "Torn answered HTTP 429, too many requests",
            after=response.retry_after() or 60.0,
            next_step="lower calls_per_minute if this repeats",
        )
    if response.status >= 500:  # noqa: PLR2004
        after = response.retry_after()
        text = f"Torn answered HTTP {response.status}"
        raise BackOff(text, after=after) if after else RetrySoon(text)
    try:
        answer = _read(response.body)
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
            next_step="nothing: it is asked again",
        ) from error
    problem = error_of(answer.error, answer.code)
    if problem is not None:
        raise problem
    if response.status >= 400:  # noqa: PLR2004
        raise FixConfiguration(
            f"Torn answered HTTP {response.status}", next_step="check the request's path"
        )


def next_link(body: bytes) -> str | None:
    """Return ``_metadata.links.next``: a whole URL without a key, or None on the last page."""
    metadata = _read(body).metadata
    return metadata.links.next if metadata and metadata.links else None


def error_of(error: object, flat_code: object = None) -> CollectError | None:
    """Map an error body, nested or flat, to what is to be done; None when it is no error."""
    if isinstance(error, dict):
        code, text = error.get("code"), error.get("error")
    elif error is not None:
        code, text = flat_code, error
    else:
        return None
    said = f"Torn error {code}"
    if not isinstance(code, int) or isinstance(code, bool):
        return RetrySoon(f"Torn sent an error without a code: {str(text)[:100]}")
    if code in _BACK_OFF:
        meaning, after, everything = _BACK_OFF[code]
        return BackOff(f"{said}: {meaning}", after=after, everything=everything, code=code)
    if code in _STOP_KEY:
        return StopKey(
            f"{said}: {_STOP_KEY[code]}",
            next_step="give the run a key that works: TORN_API_KEY here, "
            "a new version of the secret in the cloud",
            code=code,
        )
    if code in _CONFIGURATION:
        return FixConfiguration(
            f"{said}: {_CONFIGURATION[code]}",
            next_step="check path and params in endpoint.yaml, and what the message set",
            code=code,
        )
    if code == _DAILY_LIMIT:
        return StopCategory(
            f"{said}: the day's read limit of this category is used up",
            next_step="wait until 24 hours have passed, or ask less often",
            code=code,
        )
    meaning = _RETRY_SOON.get(code, f"a code we do not know: {str(text)[:100]}")
    return RetrySoon(f"{said}: {meaning}", code=code)


def _read(body: bytes) -> _Answer:
    try:
        return _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        # One bad record must not cost its page: only what nobody can parse is refused here.
        data = parse_forgiving(body)
        if not isinstance(data, dict):
            raise ValueError("not a JSON object") from None
        try:
            return msgspec.convert(
                {k: data.get(k) for k in ("_metadata", "error", "code")}, _Answer
            )
        except msgspec.ValidationError as error:
            raise ValueError(f"_metadata: {error}") from None

"""Torn's error codes, and what each asks for; with ``shared.torn`` all that is Torn's alone."""

from __future__ import annotations

from shared.errors import (
    BackOff,
    CollectError,
    FixConfiguration,
    RetrySoon,
    StopCategory,
    StopKey,
)
from shared.names import shown

__all__ = ["AGAIN", "TOO_MANY", "error_of"]

#: Seconds until a rolling minute has passed.
TOO_MANY = 60.0
_RETRY_SOON = {0: "unknown error", 12: "key read error", 15: "temporary error", 17: "backend error"}
_WAIT = "nothing: the message is delivered again"
# code → (meaning, seconds to leave it alone, whether all calls stop, what a person does)
_BACK_OFF = {
    5: (
        "too many requests",
        TOO_MANY,
        False,
        "lower calls_per_minute if this repeats: an owner's keys count as one",
    ),
    8: ("this IP address is blocked", 900.0, True, "if it lasts, look for what else calls from this address"),
    9: ("the API is disabled", 300.0, True, _WAIT),
    24: ("the API is closed for a while", 300.0, True, _WAIT),
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
_LARGEST_CODE = 99_999
AGAIN = "nothing: it is asked again"


def error_of(error: object, flat_code: object = None) -> CollectError | None:
    """Map an error body, nested or flat, to what is to be done; None when it is no error."""
    if isinstance(error, dict):
        code, text = error.get("code"), error.get("error")
    elif error is not None:
        code, text = flat_code, error
    else:
        return None
    if isinstance(code, str) and code.isascii() and code.isdigit():
        code = int(code[:9])
    # What the API says may hold anything, half a surrogate pair included, and is recorded.
    said = shown(text, 100)
    if isinstance(code, bool) or not isinstance(code, int) or not 0 <= code <= _LARGEST_CODE:
        return RetrySoon(f"Torn sent an error without a code: {said}", next_step=AGAIN)
    return _of_code(code, said)


def _of_code(code: int, text: str) -> CollectError:
    said = f"Torn error {code}"
    if code in _BACK_OFF:
        meaning, after, everything, step = _BACK_OFF[code]
        return BackOff(f"{said}: {meaning}", after=after, everything=everything, next_step=step, code=code)
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
    meaning = _RETRY_SOON.get(code, f"a code we do not know: {text}")
    return RetrySoon(f"{said}: {meaning}", next_step=AGAIN, code=code)

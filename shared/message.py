"""From a CloudEvent to a request: what to collect, for whom, and what the run is called.

The same work always has the same name, so that a message delivered twice is one run:

- a scheduled message (attribute ``origin=schedule``): ``endpoint/account/slot``,
- a backfill: ``endpoint/account/from-to``,
- any other: ``endpoint/account/message id``, so that a person can always ask again.

A message that names no account, where there are several, is divided into one for each. A part's run
is named after the message that was divided, whenever the part is delivered.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from shared.errors import MessageRefused
from shared.names import safe_name, shown, written
from shared.request_rules import segment_problem
from shared.schedule import every, floor, rfc3339, slot_name, utc

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.endpoint import Endpoint, Scalar
    from shared.settings import Account

__all__ = ["ALL", "GLOBAL", "Event", "Part", "Request", "divide", "read_message"]

#: The account of endpoints that are read once for all.
GLOBAL = "global"
#: The account of a message that is meant for every account, until it is divided.
ALL = "*"
# Attributes of a part: the divided message's id, and when that was published.
_DIVIDED, _PUBLISHED = "divided", "published"
_LARGEST = 64 * 1024
_TEXT = re.compile(r"[\w .,:+-]{0,100}")
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)


class Event(Protocol):
    """What a CloudEvent gives us: its attributes by name, and its data."""

    data: Any

    def __getitem__(self, name: str) -> Any:
        """Return an attribute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One run's work, named."""

    endpoint: str
    account: str
    name: str
    message_id: str
    published_at: datetime
    slot: datetime | None = None
    window: tuple[datetime, datetime] | None = None
    params: Mapping[str, Scalar] = field(default_factory=dict)

    @property
    def run_id(self) -> str:
        """Return the run's name, the same for every delivery."""
        return f"{self.endpoint}/{self.account}/{self.name}"

    @property
    def folder(self) -> str:
        """Return the run's folder in the archive."""
        # A backfill asked for again on another day is the same run, so its folder has its own date.
        when = self.slot or (self.window[0] if self.window else self.published_at)
        return f"{self.endpoint}/{self.account}/{when.astimezone(UTC).date()}/{safe_name(self.name)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One account's part of a message that was meant for all."""

    data: bytes
    attributes: Mapping[str, str]

    @property
    def encoded(self) -> str:
        """Return the data as Pub/Sub pushes it."""
        return base64.b64encode(self.data).decode()


class _Body(msgspec.Struct, forbid_unknown_fields=True):
    account: str | None = None
    params: dict[str, str | int | float | bool] = {}
    from_: str | int | None = msgspec.field(default=None, name="from")
    to: str | int | None = None


_body = msgspec.json.Decoder(_Body)


def message_id(event: Event) -> str:
    """Return the Pub/Sub message's id, which is the event's."""
    return safe_name(str(_message(event).get("messageId") or _attribute(event, "id") or "unnamed"))


def read_message(endpoint: Endpoint, accounts: Mapping[str, Account], event: Event) -> Request:
    """Read what a message asks for.

    Args:
        endpoint: What may be asked for.
        accounts: Who it may be asked for.
        event: A Pub/Sub message as functions-framework hands it over.

    Raises:
        MessageRefused: not JSON, too large, unknown fields, or overrides that are not allowed.
    """
    message = _message(event)
    body = _parse(message.get("data"), endpoint)
    attributes = message.get("attributes")
    attributes = attributes if isinstance(attributes, dict) else {}
    published = _published(message, event, attributes)
    account = _account(endpoint, accounts, body.account)
    params = {name: _override(endpoint, name, value) for name, value in body.params.items()}
    window = _window(endpoint, body)
    _placeholders(endpoint, params)
    divided = attributes.get(_DIVIDED)
    identity = safe_name(str(divided)) if divided else message_id(event)
    scheduled = attributes.get("origin") == "schedule"
    if scheduled and not params and window is None:
        slot = floor(published, every(endpoint.every))
        return Request(
            endpoint=endpoint.name,
            account=account,
            name=slot_name(slot),
            message_id=identity,
            published_at=published,
            slot=slot,
        )
    if window is not None:
        name = f"{slot_name(window[0])}-{slot_name(window[1])}"
        if params:
            name += "-" + "-".join(f"{k}={written(v)}" for k, v in sorted(params.items()))
    else:
        name = identity
    return Request(
        endpoint=endpoint.name,
        account=account,
        name=name,
        message_id=identity,
        published_at=published,
        window=window,
        params=params,
    )


def divide(request: Request, accounts: Mapping[str, Account], event: Event) -> list[Part]:
    """Return the parts of a message that is meant for every account."""
    message = _message(event)
    data = base64.b64decode(message.get("data") or "")
    body = msgspec.json.decode(data) if data.strip() else {}
    origin = {"origin": "schedule"} if request.slot is not None else {}
    named = {_DIVIDED: request.message_id, _PUBLISHED: rfc3339(request.published_at)}
    return [
        Part(data=msgspec.json.encode({**body, "account": account}), attributes={**origin, **named})
        for account in accounts
    ]


def _message(event: Event) -> dict[str, Any]:
    data = event.data
    message = data.get("message") if isinstance(data, dict) else None
    return message if isinstance(message, dict) else {}


def _attribute(event: Event, name: str) -> Any:
    try:
        return event[name]
    except KeyError:
        return None


def _parse(encoded: object, endpoint: Endpoint) -> _Body:
    if encoded is None:
        return _Body()
    if not isinstance(encoded, str) or len(encoded) > _LARGEST:
        size = (
            f"{len(encoded)} bytes" if isinstance(encoded, str) else f"no text but a {type(encoded).__name__}"
        )
        raise _refused(endpoint, f"its data is {size}; at most {_LARGEST} bytes of base64 are read")
    try:
        text = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _refused(endpoint, "its data is not base64") from error
    if not text.strip():
        return _Body()
    try:
        return _body.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise _refused(endpoint, f"its data is not what is allowed: {shown(error, 300)}") from error


def _published(message: Mapping[str, Any], event: Event, attributes: Mapping[str, Any]) -> datetime:
    try:
        found = utc(
            str(attributes.get(_PUBLISHED) or message.get("publishTime") or _attribute(event, "time"))
        )
    except (ValueError, OverflowError):
        found = None
    # The framework makes a time up when the message has none; so do we.
    return found if found and found >= _EARLIEST else datetime.now(UTC)


def _account(endpoint: Endpoint, accounts: Mapping[str, Account], named: str | None) -> str:
    if endpoint.scope == "global":
        if named not in {None, GLOBAL}:
            raise _refused(
                endpoint, f"it names the account {shown(named)!r}; this endpoint is read once for all"
            )
        return GLOBAL
    if named is None:
        return next(iter(accounts)) if len(accounts) == 1 else ALL
    if named not in accounts:
        raise _refused(endpoint, f"it names the account {shown(named)!r}; there are {', '.join(accounts)}")
    return named


def _override(endpoint: Endpoint, name: str, value: Scalar) -> Scalar:
    if name not in endpoint.overridable:
        allowed = ", ".join(endpoint.overridable) or "none"
        raise _refused(endpoint, f"it sets {shown(name)!r}; a message may set: {allowed}")
    if isinstance(value, str) and not _TEXT.fullmatch(value):
        raise _refused(
            endpoint, f"its {name!r} holds characters other than letters, digits, space and . , : + -"
        )
    return value


def _placeholders(endpoint: Endpoint, params: Mapping[str, Scalar]) -> None:
    for request in endpoint.requests.values():
        for name in request.placeholders:
            if name not in params and name not in request.params:
                raise _refused(endpoint, f"it does not set {name!r}, which stands in {request.path}")
            problem = segment_problem(params[name]) if name in params else None
            if problem is not None:
                raise _refused(endpoint, f"its {name!r}: {problem}")


def _window(endpoint: Endpoint, body: _Body) -> tuple[datetime, datetime] | None:
    if body.from_ is None and body.to is None:
        return None
    if not any(request.window for request in endpoint.requests.values()):
        raise _refused(endpoint, "it sets a window, but no request of this endpoint has one")
    if body.from_ is None or body.to is None:
        raise _refused(endpoint, "a window needs both `from` and `to`")
    begin, end = _moment(endpoint, "from", body.from_), _moment(endpoint, "to", body.to)
    if begin >= end:
        raise _refused(endpoint, f"its window ends ({shown(body.to)}) before it begins ({shown(body.from_)})")
    return begin, end


def _moment(endpoint: Endpoint, name: str, value: str | int) -> datetime:
    try:
        return datetime.fromtimestamp(value, UTC) if isinstance(value, int) else utc(value)
    except (ValueError, OverflowError, OSError) as error:
        raise _refused(
            endpoint,
            f"its `{name}` is {shown(value)!r}, not unix seconds or a moment as 2026-11-20T10:00:00Z",
        ) from error


def _refused(endpoint: Endpoint, why: str) -> MessageRefused:
    return MessageRefused(
        f"the message was refused: {why}",
        next_step="send {} or, say, "
        '{"account": "default", "params": {"%s": "…"}}; it is not delivered again'
        % (endpoint.overridable[0] if endpoint.overridable else "name"),
    )

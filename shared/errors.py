"""Everything that can go wrong, by what is to be done about it.

::

    CollectError                     has a message and a next step for a person
    ├── Retryable                    raised to the platform: the message is delivered again
    │   ├── RetrySoon                the API, the network or a store failed for a moment
    │   │   ├── CircuitOpen          the host failed too often; not asked for a while
    │   │   ├── OutOfTime            the run's time is used up; the next delivery goes on
    │   │   ├── StorageFailed        archive or disk refused a write
    │   │   └── WarehouseBusy        another process holds the database
    │   └── BackOff                  a limit was hit; ``after`` says for how many seconds
    └── Permanent                    recorded, alerted, acknowledged: another try changes nothing
        ├── StopKey                  the key is dead, denied or may not read this
        ├── StopCategory             the day's read limit of this category is used up
        ├── FixConfiguration         endpoint.yaml, a setting or a request is wrong
        │   └── EndpointInvalid      every mistake of one endpoint.yaml
        ├── MessageRefused           the message asks for what the endpoint does not allow
        └── BrokenContract           the data is not what was declared
            ├── TooManyRejected      more rejected rows than the endpoint accepts
            └── ReplaceRefused       a replace that would leave the table empty, or take too much
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "BackOff",
    "BrokenContract",
    "CircuitOpen",
    "CollectError",
    "EndpointInvalid",
    "FixConfiguration",
    "MessageRefused",
    "OutOfTime",
    "Permanent",
    "ReplaceRefused",
    "RetrySoon",
    "Retryable",
    "StopCategory",
    "StopKey",
    "StorageFailed",
    "TooManyRejected",
    "WarehouseBusy",
]


class CollectError(Exception):
    """Base of all errors of a run: what happened, and what a person does next."""

    def __init__(self, message: str, *, next_step: str = "", code: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step
        self.code = code
        #: Rows for ledger tables that are recorded with the failure.
        self.ledger: dict[str, list[dict[str, Any]]] = {}

    def __str__(self) -> str:
        return f"{self.message} → {self.next_step}" if self.next_step else self.message


class Retryable(CollectError):  # noqa: N818 - says what to do, not what it is
    """Raise when the next delivery may cure it."""


class RetrySoon(Retryable):
    """Raise when the API, the network or a store failed for a moment."""


class CircuitOpen(RetrySoon):
    """Raise when a host failed too often lately and is not asked for a while."""


class OutOfTime(RetrySoon):
    """Raise when the run's time is used up."""


class StorageFailed(RetrySoon):
    """Raise when the archive or the disk refuses a read or a write."""


class WarehouseBusy(RetrySoon):
    """Raise when another process held the database for longer than the bounded wait."""


class BackOff(Retryable):
    """Raise when a limit was hit; ``after`` is the number of seconds to leave the API alone.

    ``everything`` says that the whole host is closed to us, not this one key.
    """

    def __init__(
        self,
        message: str,
        *,
        after: float,
        everything: bool = False,
        next_step: str = "",
        code: int | None = None,
    ) -> None:
        super().__init__(message, next_step=next_step, code=code)
        self.after = after
        self.everything = everything


class Permanent(CollectError):  # noqa: N818 - as above
    """Raise when another try changes nothing: recorded, alerted, acknowledged."""


class StopKey(Permanent):
    """Raise when the key is dead, denied, absent or may not read this."""


class StopCategory(Permanent):
    """Raise when the day's read limit of this category is used up."""


class FixConfiguration(Permanent):
    """Raise when endpoint.yaml, a setting or a request is wrong."""


class EndpointInvalid(FixConfiguration):
    """Raise with every mistake of one endpoint.yaml, one line each, in ``problems``."""

    def __init__(self, file: str, problems: list[str]) -> None:
        count = f"{len(problems)} mistake{'s' if len(problems) != 1 else ''}"
        super().__init__(
            f"{file}: {count}\n" + "\n".join(f"  {p}" for p in problems),
            next_step="correct the file; functions/endpoint.schema.json has every key, "
            "`tcdatalogger endpoints` checks again",
        )
        self.problems = problems


class MessageRefused(Permanent):
    """Raise when the message asks for what the endpoint does not allow."""


class BrokenContract(Permanent):
    """Raise when the data is not what was declared."""


class TooManyRejected(BrokenContract):
    """Raise when more records are rejected than the endpoint accepts."""


class ReplaceRefused(BrokenContract):
    """Raise when a replace would leave a table empty, or take away more of it, than it may."""

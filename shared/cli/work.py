"""One endpoint's run for one account, as the command does it; what is sent to a process and comes back."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from shared.cli.hooks import derive_of
from shared.cli.local import Local, Message, make_collector, one_endpoint
from shared.errors import CollectError
from shared.message import GLOBAL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from shared.archive import Page
    from shared.endpoint import Endpoint
    from shared.ledger import Attempt

__all__ = ["GOOD", "Ended", "Work", "collect", "works"]

#: Outcomes after which nothing is left to do.
GOOD = frozenset({"ok", "repeated", "superseded", "missed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One message for one endpoint; ``slot`` makes it the scheduler's."""

    endpoint: str
    body: bytes = b"{}"
    account: str | None = None
    slot: datetime | None = None

    def at(self, slot: datetime) -> Work:
        """Return the same as the scheduler's work for a slot."""
        return replace(self, slot=slot)

    @property
    def label(self) -> str:
        """Return what a person calls it: the endpoint, and the account if there are several."""
        return self.endpoint if self.account in {None, GLOBAL} else f"{self.endpoint}/{self.account}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How one run ended, as plain values."""

    work: Work
    outcome: str
    rows: dict[str, int] = field(default_factory=dict)
    pages: int = 0
    rejected: int = 0
    drift: int = 0
    seconds: float = 0.0
    error: str = ""
    next_step: str = ""
    #: The row of ``runs``; None when the process ended before it made one.
    record: dict[str, Any] | None = None

    @property
    def good(self) -> bool:
        """Say whether nothing is left to do."""
        return self.outcome in GOOD


def works(
    endpoints: Iterable[Endpoint], accounts: Iterable[str], body: dict[str, Any], account: str | None
) -> list[Work]:
    """Return what is to be done: every endpoint for every account, or for the one that is named."""
    import json  # noqa: PLC0415 - nothing else here needs it

    several = list(accounts)
    found = []
    for endpoint in endpoints:
        each: list[str | None] = [None] if endpoint.scope == "global" else [account]
        if endpoint.scope == "account" and account is None and len(several) > 1:
            each = [*several]
        for one in each:
            named = body if one is None else {**body, "account": one}
            found.append(Work(endpoint=endpoint.name, account=one, body=json.dumps(named).encode()))
    return found


def collect(work: Work, here: Local, on_page: Callable[[Page, int], None]) -> Ended:
    """Do the work in this process; what went wrong is recorded, and in what is returned."""
    began = datetime.now(UTC)
    try:
        endpoint = one_endpoint(work.endpoint)
        collector = make_collector(endpoint, here, derive=derive_of(endpoint), on_page=on_page)
    except CollectError as error:
        return Ended(work=work, outcome="failed", error=error.message, next_step=error.next_step)
    try:
        attempt = collector.handle(Message(work.body, slot=work.slot))
    except CollectError:
        # Recorded already, as far as it could be.
        assert collector.last is not None
        attempt = collector.last
    return _ended(work, attempt, (datetime.now(UTC) - began).total_seconds())


def _ended(work: Work, attempt: Attempt, seconds: float) -> Ended:
    error = attempt.error
    return Ended(
        work=work,
        outcome=attempt.outcome,
        rows=attempt.rows,
        pages=attempt.pages or 0,
        rejected=attempt.quality.rejected if attempt.quality else 0,
        drift=attempt.drift or 0,
        seconds=seconds,
        error=str(getattr(error, "message", error)) if error else "",
        next_step=getattr(error, "next_step", "") or "",
        record=attempt.row(),
    )

"""What a month of an endpoint uses of each service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.cost.facts import ASSUMED, INSTALLATION, LIMITS
from shared.cost.filled import loaded, streamed
from shared.cost.queries import billed_bytes
from shared.cost.setup import MONTH_DAYS
from shared.cost.telemetry import logged, metered
from shared.cost.timing import billed_seconds, core_share, run_seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.cost.sizes import Sizes

__all__ = ["Line", "month_lines"]

#: An instance reads a key again after so long, see ``shared.keys``.
_KEY_SECONDS = 300
_DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Line:
    """A quantity of one priced item, and whose it is: an endpoint's, or what has its name in brackets."""

    endpoint: str
    item: str
    quantity: float


@dataclass(frozen=True, slots=True)
class _Month:
    """How often things happen in a month."""

    slots: int
    #: Runs that collect, one for each slot and account.
    runs: int
    #: Runs that make one message for each account out of one for all.
    divided: int


def month_lines(sizes: Sizes) -> Iterator[Line]:
    """Yield what one endpoint uses in a month."""
    setup, accounts = sizes.setup, sizes.accounts
    slots = setup.slots_a_day * MONTH_DAYS
    divides = setup.endpoint.scope == "account" and accounts > 1
    month = _Month(slots, slots * setup.parts(accounts), slots if divides else 0)
    reads = min(setup.slots_a_day, _DAY_SECONDS // _KEY_SECONDS) * MONTH_DAYS * setup.parts(accounts)
    used = {
        **_run(sizes, month),
        "scheduler_jobs": 1,
        # Each message is published and delivered.
        "pubsub_bytes": (month.runs + month.divided) * 2 * LIMITS.amount("message_minimum"),
        "secret_reads": reads,
        **_archive(sizes, month),
        **_bigquery(sizes, month),
        **logged(month.runs + month.divided, reads, sizes.months),
        **metered(INSTALLATION.metrics.run.values(), month.runs, setup.parts(accounts)),
    }
    for item, quantity in used.items():
        yield Line(setup.name, item, quantity)


def _run(sizes: Sizes, month: _Month) -> dict[str, float]:
    setup = sizes.setup
    started = month.slots * min(setup.parts(sizes.accounts), setup.max_instances)
    seconds = (
        month.runs * billed_seconds(run_seconds(setup, sizes.figures).total)
        + month.divided * billed_seconds(ASSUMED.divide_seconds)
        + started * billed_seconds(ASSUMED.start_seconds / core_share(setup))
    )
    return {
        "run_cpu": seconds * setup.vcpu,
        "run_memory": seconds * setup.gib,
        "run_requests": month.runs + month.divided,
    }


def _archive(sizes: Sizes, month: _Month) -> dict[str, float]:
    # The pages and the manifest are put, and the names of streams; the manifest is looked for, and the
    # pages are read back.
    objects = month.runs * (sizes.figures.pages + 1)
    notes = month.runs if streamed(sizes.setup, sizes.figures) else 0
    return {
        "archive_bytes": month.runs * sizes.figures.packed * sizes.months,
        "archive_writes": objects + notes,
        "archive_reads": objects,
    }


def _bigquery(sizes: Sizes, month: _Month) -> dict[str, float]:
    figures = sizes.figures
    records = month.runs + month.divided
    kept = records * ASSUMED.ledger_row_bytes * sizes.months
    settled = kept * sizes.settled_share()
    return {
        "bigquery_loads": month.runs * len(loaded(sizes.setup, figures)),
        "bigquery_active": sizes.active() + kept - settled,
        "bigquery_long_term": sizes.settled() + settled,
        "bigquery_queries": month.runs * billed_bytes(sizes),
        "bigquery_insert_all": records * max(LIMITS.amount("streamed_row_minimum"), ASSUMED.ledger_row_bytes),
        "bigquery_storage_write": month.runs * sum(map(figures.table_bytes, streamed(sizes.setup, figures))),
    }

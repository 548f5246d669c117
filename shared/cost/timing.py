"""How long a run takes as a function: fetching, flattening on its share of a CPU, waiting for BigQuery."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

from shared.cost.facts import ASSUMED
from shared.cost.filled import loaded, streamed
from shared.cost.queries import statements, transactions
from shared.cost.sizes import Sizes

if TYPE_CHECKING:
    from shared.cost.figures import RunFigures
    from shared.cost.setup import Setup
    from shared.warehouse.families import Family

__all__ = ["Seconds", "billed_seconds", "core_share", "run_seconds", "transaction_seconds"]

#: Functions are billed by tenths of a second.
_TENTHS = 10


@dataclass(frozen=True, slots=True)
class Seconds:
    """A time, and how it comes about."""

    total: float
    arithmetic: str


def run_seconds(setup: Setup, figures: RunFigures) -> Seconds:
    """Return the seconds of one run for one account."""
    if figures.in_cloud:
        total = figures.fetch + figures.flatten + figures.write
        return Seconds(
            total, f"fetch {figures.fetch:.2f} + flatten {figures.flatten:.2f} + write {figures.write:.2f}"
        )
    # A simulated faction answers at once.
    fetch = max(figures.fetch, figures.pages * ASSUMED.page_seconds) if figures.simulated else figures.fetch
    share = core_share(setup)
    loads = ASSUMED.load_seconds if loaded(setup, figures) else 0.0
    streams = ASSUMED.stream_seconds * len(streamed(setup, figures))
    changes = sum(transaction_seconds(setup, figures, one).total for one in transactions(setup, figures))
    waits = loads + streams + changes + ASSUMED.record_seconds
    return Seconds(
        fetch + figures.flatten / share + waits,
        f"fetch {fetch:.2f} + flatten {figures.flatten:.2f} / {share:g} vCPU + BigQuery {waits:.2f}, assumed",
    )


def transaction_seconds(setup: Setup, figures: RunFigures, family: Family) -> Seconds:
    """Return the seconds for which a family's transaction keeps others from its tables."""
    if figures.in_cloud:
        return Seconds(figures.write, "its measured write")
    count = len(statements(Sizes(setup, figures, accounts=1, months=1), family))
    each = ASSUMED.statement_seconds
    return Seconds(count * each, f"{count} statements x {each:g}, assumed")


def core_share(setup: Setup) -> float:
    """Return the share of one core that a single thread gets."""
    return min(1.0, setup.vcpu)


def billed_seconds(seconds: float) -> float:
    """Return the seconds that are billed for a run, or a start, of so many."""
    # A hair less, so that 0.3 as a sum of floats is not a tenth more.
    return ceil(seconds * _TENTHS - 1e-9) / _TENTHS

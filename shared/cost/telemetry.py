"""What a month's log lines, and the metrics that are made from them, come to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.cost.facts import ASSUMED, INSTALLATION, LIMITS
from shared.cost.setup import MONTH_DAYS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shared.cost.facts import Metric

__all__ = ["logged", "metered"]

_MONTH_MINUTES = MONTH_DAYS * 24 * 60


def logged(requests: int, reads: int, months: int) -> dict[str, float]:
    """Return the bytes of log lines.

    Args:
        requests: Messages that a function answered; each ends with a record.
        reads: How often keys were read, which the audit log says.
        months: How long it has been collecting.
    """
    kept = requests * ASSUMED.record_bytes + reads * ASSUMED.read_bytes
    # All of it stands in the project's bucket for a month; this in the installation's as well, for longer.
    further = min(months, INSTALLATION.log_retention_days / MONTH_DAYS) - 1
    return {
        "log_bytes": requests * ASSUMED.request_bytes + 2 * kept,
        "log_retention": kept * max(0.0, further),
    }


def metered(metrics: Iterable[Metric], runs: int, accounts: int) -> dict[str, float]:
    """Return the bytes of the points that runs leave in metrics: a series has one a minute at the most."""
    sizes = {
        "counter": LIMITS.amount("counter_bytes"),
        "distribution": LIMITS.amount("distribution_bytes"),
    }
    return {
        "metric_bytes": sum(
            sizes[one.kind] * min(runs, _MONTH_MINUTES * (accounts if one.by_account else 1))
            for one in metrics
        )
    }

"""What a month of alert policies uses: conditions, and what their evaluations return."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.cost.facts import INSTALLATION
from shared.cost.services import Line
from shared.cost.setup import MONTH_DAYS
from shared.schedule import every

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from shared.cost.setup import Setup
    from shared.job import Job

__all__ = ["ALERTS", "Policy", "alert_lines", "policies"]

#: The name for what alerts use.
ALERTS = "(alerts)"

_HOUR = 3_600
_MONTH_SECONDS = MONTH_DAYS * 24 * _HOUR


@dataclass(frozen=True, slots=True)
class Policy:
    """An alert policy of one condition."""

    #: Its key in Terraform.
    name: str
    #: From one evaluation to the next.
    seconds: int
    #: How many series an evaluation returns while all is well.
    series: int

    @property
    def points(self) -> float:
        """Return what a month's evaluations return."""
        return _MONTH_SECONDS / self.seconds * self.series


def policies(setups: Sequence[Setup], jobs: Sequence[Job], accounts: int) -> list[Policy]:
    """Return the policies that there are: one for each kind of trouble, and one for each `every`."""
    alerts = INSTALLATION.alerts
    # Seconds from slot to slot → how many series are watched.
    watched: dict[float, int] = {}
    for setup in setups:
        watched[setup.interval] = watched.get(setup.interval, 0) + setup.parts(accounts)
    for job in jobs:
        interval = every(job.every).total_seconds()
        watched[interval] = watched.get(interval, 0) + 1
    sizes = {"none": 0, "one": 1, "each": sum(watched.values())}
    found = [Policy(kind, alerts.seconds, sizes[size]) for kind, size in alerts.series.items()]
    for interval, series in watched.items():
        seconds = alerts.stale.seconds if interval >= _HOUR else alerts.stale.seconds_below_an_hour
        found.append(Policy(f"stale_{interval / 60:.0f}", seconds, series))
    return found


def alert_lines(setups: Sequence[Setup], jobs: Sequence[Job], accounts: int) -> Iterator[Line]:
    """Yield what alerts use in a month in which all is well."""
    there = policies(setups, jobs, accounts)
    yield Line(ALERTS, "alert_conditions", len(there))
    yield Line(ALERTS, "alert_points", sum(one.points for one in there))

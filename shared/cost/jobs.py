"""What a month of the jobs uses: schedules and short runs. What a backup keeps is counted with the tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.cost.facts import ASSUMED, INSTALLATION, LIMITS
from shared.cost.services import Line
from shared.cost.setup import MONTH_DAYS, gib_of, slots_a_day, vcpu_of
from shared.cost.telemetry import logged, metered
from shared.cost.timing import billed_seconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from shared.job import Job

__all__ = ["JOBS", "job_lines"]

#: The name for what jobs use.
JOBS = "(jobs)"


def job_lines(jobs: Iterable[Job], months: int) -> Iterator[Line]:
    """Yield what jobs use in a month, after ``months`` of collecting."""
    for job in jobs:
        runs, vcpu = slots_a_day(job.every) * MONTH_DAYS, vcpu_of(job.memory)
        start = ASSUMED.start_seconds / min(1.0, vcpu)
        seconds = runs * (billed_seconds(ASSUMED.job_seconds) + billed_seconds(start))
        used = {
            "run_cpu": seconds * vcpu,
            "run_memory": seconds * gib_of(job.memory),
            "run_requests": runs,
            "scheduler_jobs": 1,
            "pubsub_bytes": runs * 2 * LIMITS.amount("message_minimum"),
            **logged(runs, 0, months),
            **metered(INSTALLATION.metrics.job.values(), runs, 1),
        }
        for item, quantity in used.items():
            yield Line(JOBS, item, quantity)

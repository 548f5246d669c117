"""Every function that is billed, and what it is billed as."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.cost.setup import vcpu_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.cost.setup import Setup
    from shared.job import Job

__all__ = ["Deployed", "deployed"]


@dataclass(frozen=True, slots=True)
class Deployed:
    """A function with its schedule, and the tables that it fills."""

    every: str
    memory: str
    vcpu: float
    max_instances: int
    tables: tuple[str, ...] = ()


def deployed(setups: Sequence[Setup], jobs: Sequence[Job]) -> dict[str, Deployed]:
    """Return the functions by name: each endpoint's and each job's."""
    found = {
        one.name: Deployed(
            one.endpoint.every, one.endpoint.memory, one.vcpu, one.max_instances, tuple(one.endpoint.tables)
        )
        for one in setups
    }
    # Two of a job's runs at once would do the same work.
    return found | {job.name: Deployed(job.every, job.memory, vcpu_of(job.memory), 1) for job in jobs}

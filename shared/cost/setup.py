"""How an endpoint is deployed, as far as it costs: its schedule, its memory, how it writes."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import msgspec

from shared.cost.facts import LIMITS
from shared.schedule import DAY, every

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shared.endpoint import Endpoint

__all__ = [
    "MONTH_DAYS",
    "Setup",
    "appending",
    "gib_of",
    "setups_of",
    "slots_a_day",
    "streaming",
    "vcpu_of",
    "with_instances",
]

#: The month of every bill.
MONTH_DAYS = 30

_GIB = {"Mi": 1 / 1024, "Gi": 1.0}


@dataclass(frozen=True, slots=True)
class Setup:
    """An endpoint, and what is set beside it."""

    endpoint: Endpoint
    max_instances: int = 1

    @property
    def name(self) -> str:
        """Return the endpoint's name."""
        return self.endpoint.name

    @property
    def interval(self) -> float:
        """Return the seconds from one slot to the next."""
        return every(self.endpoint.every).total_seconds()

    @property
    def slots_a_day(self) -> int:
        """Return how often a day the schedule fires."""
        return slots_a_day(self.endpoint.every)

    @property
    def gib(self) -> float:
        """Return the function's memory in GiB."""
        return gib_of(self.endpoint.memory)

    @property
    def vcpu(self) -> float:
        """Return the CPU that comes with the memory."""
        return vcpu_of(self.endpoint.memory)

    def parts(self, accounts: int) -> int:
        """Return the runs of one slot: one for each account, unless it is read for all."""
        return accounts if self.endpoint.scope == "account" else 1

    def streams(self, table: str) -> bool:
        """Say whether a table's rows are streamed; else a load job brings them."""
        return self.endpoint.writer == "stream" and self.endpoint.tables[table].mode == "append"


def setups_of(endpoints: Iterable[Endpoint]) -> list[Setup]:
    """Return endpoints as they are deployed: each by a function of one instance."""
    return [Setup(endpoint) for endpoint in endpoints]


def streaming(setup: Setup) -> Setup:
    """Return the setup with ``writer: stream``."""
    return replace(setup, endpoint=msgspec.structs.replace(setup.endpoint, writer="stream"))


def with_instances(setup: Setup, number: int) -> Setup:
    """Return the setup with this many instances of its function."""
    return replace(setup, max_instances=number)


def appending(setup: Setup) -> Setup:
    """Return the setup with every merged table appended to instead."""
    tables = {
        name: msgspec.structs.replace(table, mode="append") if table.mode == "merge" else table
        for name, table in setup.endpoint.tables.items()
    }
    return replace(setup, endpoint=msgspec.structs.replace(setup.endpoint, tables=tables))


def slots_a_day(text: str) -> int:
    """Return how often a day a schedule fires."""
    return DAY // every(text)


def gib_of(memory: str) -> float:
    """Return a memory size in GiB."""
    number, unit = re.findall(r"\d+|\D+", memory)
    return int(number) * _GIB[unit]


def vcpu_of(memory: str) -> float:
    """Return the CPU that comes with a memory size: that of the next size that is sold."""
    sizes, wanted = {gib_of(size): share for size, share in LIMITS.vcpu.items()}, gib_of(memory)
    return sizes[min((size for size in sizes if size >= wanted), default=max(sizes))]

"""The month's bill: what is used, at its price, with and without what is free."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from shared.cost.alerts import alert_lines
from shared.cost.common import image_lines, key_lines
from shared.cost.facts import PRICES
from shared.cost.jobs import job_lines
from shared.cost.services import month_lines
from shared.cost.sizes import Sizes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shared.cost.facts import Price
    from shared.cost.figures import RunFigures
    from shared.cost.services import Line
    from shared.cost.setup import Setup
    from shared.job import Job

__all__ = ["Bill", "make_bill"]


@dataclass(frozen=True)
class Bill:
    """A month's lines, for so many accounts."""

    accounts: int
    lines: tuple[Line, ...]

    @cached_property
    def quantities(self) -> dict[str, float]:
        """Return how much is used of each item."""
        found = dict.fromkeys(PRICES.items, 0.0)
        for line in self.lines:
            found[line.item] += line.quantity
        return found

    def charge(self, line: Line, *, free: bool) -> float:
        """Return what a line costs; what is free of its item is shared out by use."""
        price, used = PRICES.items[line.item], self.quantities[line.item]
        if not free or not used:
            return price.cost(line.quantity)
        return price.cost(line.quantity) * max(0.0, used - self._free(price)) / used

    def _free(self, price: Price) -> float:
        if price.rest_of is None:
            return price.free
        return price.free + max(0.0, PRICES.items[price.rest_of].free - self.quantities[price.rest_of])

    def total(self, *, free: bool) -> float:
        """Return the whole month."""
        return sum(self.charge(line, free=free) for line in self.lines)

    def by_service(self, *, free: bool) -> dict[str, float]:
        """Return what each service costs."""
        found = {price.service: 0.0 for price in PRICES.items.values()}
        for line in self.lines:
            found[PRICES.items[line.item].service] += self.charge(line, free=free)
        return found

    def by_endpoint(self, *, free: bool) -> dict[str, float]:
        """Return what each endpoint costs, and what no single one uses."""
        found: dict[str, float] = {}
        for line in self.lines:
            found[line.endpoint] = found.get(line.endpoint, 0.0) + self.charge(line, free=free)
        return found


def make_bill(
    setups: Sequence[Setup],
    figures: Mapping[str, RunFigures],
    accounts: int,
    months: int = 12,
    jobs: Sequence[Job] = (),
) -> Bill:
    """Return a month's bill of everything that Terraform makes.

    Args:
        setups: The endpoints that are deployed.
        figures: Endpoint → what a run takes.
        accounts: How many factions.
        months: How long it has been collecting: what is kept costs, and is read again by merges.
        jobs: The jobs that are deployed beside them.
    """
    lines = [
        line for setup in setups for line in month_lines(Sizes(setup, figures[setup.name], accounts, months))
    ]
    lines += job_lines(jobs, months)
    lines += key_lines(setups, accounts)
    lines += alert_lines(setups, jobs, accounts)
    lines += image_lines(len(setups) + len(jobs))
    return Bill(accounts, tuple(lines))

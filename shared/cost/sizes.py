"""How large the tables are, some months on: what storage costs, and what a transaction reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from shared.cost.facts import ASSUMED
from shared.cost.setup import MONTH_DAYS
from shared.endpoint_rules import request_of
from shared.schedule import duration
from shared.warehouse.families import families

if TYPE_CHECKING:
    from shared.cost.figures import RunFigures
    from shared.cost.setup import Setup
    from shared.warehouse.families import Family

__all__ = ["Sizes"]

#: After as many months without a change a partition costs half.
_ACTIVE_MONTHS = 3


@dataclass(frozen=True, slots=True)
class Sizes:
    """An endpoint's tables, with all accounts' rows in them, after ``months`` of collecting."""

    setup: Setup
    figures: RunFigures
    accounts: int
    months: int

    def stored(self, family: Family, name: str) -> float:
        """Return the logical bytes of a table."""
        return self._all_accounts(name) * self._runs_kept(family)

    def touched(self, family: Family) -> float:
        """Return the bytes of the root's partitions that a merge reads: those of its rows' days."""
        table = self.setup.endpoint.tables[family.root]
        if table.partition is None or self._lookback(family) is None:
            return self.stored(family, family.root)
        return self._all_accounts(family.root)

    def active(self) -> float:
        """Return the bytes of all tables that cost the whole price, and of their backups."""
        return sum(
            self.stored(family, name) * (1 - self._settled(family, name)) + self._backed_up(family, name)
            for family in families(self.setup.endpoint)
            for name in family.tables
        )

    def settled(self) -> float:
        """Return the bytes that nothing has changed for 90 days."""
        return sum(
            self.stored(family, name) * self._settled(family, name)
            for family in families(self.setup.endpoint)
            for name in family.tables
        )

    def settled_share(self) -> float:
        """Return the share of months that are over for good, in a table that is only added to."""
        return max(0, self.months - _ACTIVE_MONTHS) / self.months

    def _settled(self, family: Family, name: str) -> float:
        tables = self.setup.endpoint.tables
        added = tables[family.root].mode == "append" and tables[name].partition is not None
        return self.settled_share() if added else 0.0

    def _runs_kept(self, family: Family) -> float:
        """Return how many runs' rows a table of this family holds of each account."""
        mode = self.setup.endpoint.tables[family.root].mode
        if mode == "append":
            return self.setup.slots_a_day * MONTH_DAYS * self.months
        lookback = self._lookback(family)
        if mode == "merge" and lookback is not None:
            return max(1.0, timedelta(days=MONTH_DAYS * self.months) / lookback)
        return 1.0

    def _backed_up(self, family: Family, name: str) -> float:
        """Return the bytes of a table's snapshots: of each what the table has no more, a run's rows."""
        if self.setup.endpoint.tables[family.root].mode == "append":
            return 0.0
        return self._all_accounts(name) * ASSUMED.backups

    def _all_accounts(self, name: str) -> float:
        return self.figures.table_bytes(name) * self.setup.parts(self.accounts)

    def _lookback(self, family: Family) -> timedelta | None:
        endpoint = self.setup.endpoint
        request = request_of(endpoint, endpoint.tables[family.root])
        text = endpoint.requests[request].lookback if request is not None else None
        return duration(text) if text is not None else None

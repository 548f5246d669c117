"""What a run's rows are like: nulls, duplicates, values out of range.

Checks look at whole columns. A value that a ``warn`` check does not like is kept and counted; one
that a ``reject`` check does not like costs its record (``Refused``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from shared.columns import Constant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.columns import Values
    from shared.endpoint import Check, Column

__all__ = ["Quality", "Refused", "check_columns"]


class Refused(ValueError):  # noqa: N818 - a verdict on a value, caught where its record is set aside
    """Raise when a value cannot be kept: a ``reject`` check dislikes it, or it is NULL where it must not."""


@dataclass(slots=True)
class Quality:
    """Counts of one run, per table: rows, nulls per column, warnings, duplicate keys."""

    records: int = 0
    rejected: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    nulls: dict[str, dict[str, int]] = field(default_factory=dict)
    warnings: dict[str, dict[str, int]] = field(default_factory=dict)
    duplicates: dict[str, int] = field(default_factory=dict)

    def add(self, table: str, rows: int, nulls: Mapping[str, int]) -> None:
        """Count one batch's rows, and the NULLs of its columns that have any."""
        self.rows[table] = self.rows.get(table, 0) + rows
        known = self.nulls.setdefault(table, {})
        for name, count in nulls.items():
            known[name] = known.get(name, 0) + count

    def warn(self, table: str, counts: Mapping[str, int]) -> None:
        """Count values that a ``warn`` check did not like: ``{"difficulty max 10": 3}``."""
        if counts:
            warnings = self.warnings.setdefault(table, {})
            for what, count in counts.items():
                warnings[what] = warnings.get(what, 0) + count

    def duplicate(self, table: str, count: int) -> None:
        """Count rows whose key another row of this run has."""
        if count:
            self.duplicates[table] = self.duplicates.get(table, 0) + count

    def null_shares(self) -> dict[str, dict[str, float]]:
        """Return the share of NULLs per table and column, of those that have any."""
        return {
            table: {name: round(count / self.rows[table], 4) for name, count in nulls.items() if count}
            for table, nulls in self.nulls.items()
            if self.rows[table]
        }


def check_columns(columns: Mapping[str, Column], values: Mapping[str, Values]) -> dict[str, int]:
    """Return how many values each check dislikes, of those that any check dislikes.

    Raises:
        Refused: a ``reject`` check dislikes one.

    """
    counts: dict[str, int] = {}
    for name, column in columns.items():
        check = column.check
        found = values[name]
        if check is None or isinstance(found, Constant):
            continue
        # The distinct values are few where checks are of use, and a set is one pass in C.
        distinct = set(found)
        distinct.discard(None)
        for what, bad in _disliked(check, distinct):
            if check.severity == "reject":
                raise Refused(f"{name}: {min(bad, key=str)!r} is not within: {what}")
            counts[f"{name} {what}"] = sum(value in bad for value in found)
    return counts


def _disliked(check: Check, distinct: set[Any]) -> list[tuple[str, set[Any]]]:
    found = []
    if distinct and check.min is not None and min(distinct) < check.min:
        found.append((f"min {check.min:.15g}", {v for v in distinct if v < check.min}))
    if distinct and check.max is not None and max(distinct) > check.max:
        found.append((f"max {check.max:.15g}", {v for v in distinct if v > check.max}))
    if check.enum is not None and not distinct.issubset(check.enum):
        found.append((f"enum {', '.join(map(str, check.enum))}", distinct.difference(check.enum)))
    return found

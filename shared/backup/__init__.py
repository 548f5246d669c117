"""Backups of every table, and the way back, for the command and for the scheduled job.

Each warehouse has its own way to keep a table as it was, a snapshot or a copied file; both keep
them under the same names, for the same times, and put them back under the same promise: what is
put back is counted before it takes a table's place, the change is one transaction, and what was
there before is itself kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from shared.errors import FixConfiguration

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from datetime import datetime

    from shared.backup.retention import Kind

__all__ = ["Backups", "Restored", "Snapshot", "open_backups"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One table as it was at one time."""

    table: str
    #: What it is asked for by: a snapshot's own name, or that of the file it is in.
    name: str
    kind: Kind
    taken_at: datetime
    #: None: somebody took its end away.
    expires: datetime | None
    rows: int
    #: Was made by this very call.
    new: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What became of one table."""

    table: str
    #: The backup that was taken.
    source: str
    #: The table that has the rows now: itself, or another beside it.
    into: str
    rows: int
    #: None: it was not there.
    rows_before: int | None = None
    #: What keeps the rows that were there before; None when nothing was changed.
    undo: str | None = None


class Backups(Protocol):
    """The backups of one warehouse."""

    def tables(self) -> list[str]:
        """Return the tables that are there and backed up."""

    def rows(self, tables: Iterable[str]) -> dict[str, int]:
        """Return how many rows these tables have now; of those that are not there, nothing."""

    def snapshots(self, tables: Collection[str] | None = None) -> list[Snapshot]:
        """Return the backups of these tables, or of all; the oldest first."""

    def take(self, now: datetime) -> list[Snapshot]:
        """Back every table up, once a day, and let go of what is past its time."""

    def restore(
        self, chosen: Sequence[Snapshot], now: datetime, *, to: str | None = None, dry_run: bool = False
    ) -> list[Restored]:
        """Put tables back as they were, all at once; or one beside, under the name ``to``.

        ``dry_run`` does everything up to the change, and leaves nothing behind.
        """


def open_backups(
    url: str,
    tables: Iterable[str],
    *,
    wait: float = 60.0,
    seconds: float = 1_800.0,
    told: Callable[[str], None] = lambda _: None,
) -> Backups:
    """Return the backups of the warehouse that a URL names.

    Args:
        url: What the setting WAREHOUSE is.
        tables: What is backed up, beside the ledger's; a DuckDB file is copied whole.
        wait: Seconds to wait for another process that holds the database.
        seconds: Seconds to wait for one of BigQuery's jobs; a snapshot's takes a few.
        told: Hears of backups that cannot be read, and are left out.

    Raises:
        FixConfiguration: there is no such kind of warehouse.
    """
    kind, _, place = url.partition(":")
    if kind == "duckdb":
        from pathlib import Path  # noqa: PLC0415

        from shared.backup.duckdb import DuckDBBackups  # noqa: PLC0415 - 75 ms, only here

        return DuckDBBackups(Path(place), wait=wait, told=told)
    if kind == "bigquery":
        from shared.backup.bigquery import BigQueryBackups  # noqa: PLC0415 - 300 ms, only here
        from shared.warehouse.bigquery_client import Place  # noqa: PLC0415

        project, _, dataset = place.rpartition(".")
        return BigQueryBackups(Place(project, dataset), tables, seconds=seconds)
    raise FixConfiguration(
        f"WAREHOUSE: {url!r} is neither duckdb:FILE nor bigquery:PROJECT.DATASET",
        next_step="correct WAREHOUSE",
    )

"""Backups in BigQuery: one snapshot per table and day, made by a copy job, gone by its own expiration.

A snapshot costs what differs from the table since; nothing is read or moved to make it. Its job's
id is made from the table and the day, so that a second backup of a day, also at the same time,
makes nothing twice. Rows that were streamed in the last minutes, as the ledger's are, BigQuery puts
into the next day's snapshot.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from google.api_core import exceptions
from google.cloud import bigquery

from shared.backup import Snapshot
from shared.backup.bigquery_restore import Restore, counts
from shared.backup.retention import end, kind_for, read_stem, stem
from shared.errors import BrokenContract, FixConfiguration
from shared.ledger import LEDGER
from shared.schedule import rfc3339
from shared.warehouse.bigquery_jobs import Jobs, explained
from shared.warehouse.bigquery_ledger import log_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import date, datetime

    from shared.backup import Restored
    from shared.backup.retention import Kind
    from shared.warehouse.bigquery_client import Place
    from shared.warehouse.bigquery_jobs import Started

__all__ = ["BigQueryBackups"]

#: Tables asked about at a time.
_AT_ONCE = 8
_AGAIN = 3


class BigQueryBackups:
    """The snapshots in a dataset, beside their tables."""

    def __init__(self, place: Place, tables: Iterable[str], *, seconds: float = 1_800.0) -> None:
        self._place = place
        self._declared = [*map(log_name, LEDGER), *tables]
        self._jobs = Jobs(place, seconds=seconds)

    def tables(self) -> list[str]:
        """Return the declared tables that are there; the ledger's are those below its views."""
        there = {item.table_id for item in self._items() if item.table_type == "TABLE"}
        return [name for name in self._declared if name in there]

    def rows(self, tables: Iterable[str]) -> dict[str, int]:
        """Count rows; BigQuery answers from what it knows of its tables, for nothing."""
        wanted, there = list(tables), {item.table_id for item in self._items()}
        try:
            return counts(self._place, [name for name in wanted if name in there])
        except exceptions.GoogleAPICallError as error:
            raise explained(error) from error

    def snapshots(self, tables: Collection[str] | None = None) -> list[Snapshot]:
        """Return the snapshots of these tables, or of all; the oldest first."""
        names = [
            item.table_id
            for item in self._items()
            if item.table_type == "SNAPSHOT"
            and (named := _named(item.table_id)) is not None
            and (tables is None or named[0] in tables)
        ]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            found = [one for one in pool.map(self._snapshot, names) if one is not None]
        return sorted(found, key=lambda one: (one.taken_at, one.table))

    def take(self, now: datetime) -> list[Snapshot]:
        """Make a snapshot of every table that has none of this day.

        Raises:
            FixConfiguration: there are no tables, or this account may not.
            RetrySoon: BigQuery is too busy.
        """
        tables = self.tables()
        if not tables:
            raise FixConfiguration(
                f"{self._place.project}.{self._place.dataset} has none of the declared tables",
                next_step="make them: `tcdatalogger tables apply`, in the cloud `terraform apply`",
            )
        there = self.snapshots(tables)
        started: dict[str, tuple[Kind, Started]] = {}
        done: dict[str, Snapshot] = {}
        for table in tables:
            days = {one.name: _day(one) for one in there if one.table == table and one.kind != "undo"}
            today = [one for one in there if one.name in days and days[one.name] == now.date()]
            if today:
                done[table] = today[0]
                continue
            kind = kind_for(now.date(), [(days[one.name], one.kind) for one in there if one.name in days])
            started[table] = kind, self._start(table, kind, now)
        for table, (kind, job) in started.items():
            done[table] = self._finish(table, kind, now, job)
        return [done[table] for table in tables]

    def restore(
        self, chosen: Sequence[Snapshot], now: datetime, *, to: str | None = None, dry_run: bool = False
    ) -> list[Restored]:
        """Put tables back by one transaction, which leaves everything else about them as it is.

        Raises:
            FixConfiguration: the rows do not fit, or this account may not.
            BrokenContract: what was restored is not what the snapshot has.
            RetrySoon: BigQuery is too busy, or the table was written meanwhile.
        """
        restore = Restore(self._place, self._jobs, now)
        try:
            if to is not None:
                return [restore.beside(chosen[0], to)]
            return restore.instead(chosen, self._keep, dry_run=dry_run)
        except exceptions.GoogleAPICallError as error:
            raise explained(error) from error

    def _keep(self, table: str, now: datetime) -> str:
        """Make a snapshot of what a restore replaces."""
        return self._finish(table, "undo", now, self._start(table, "undo", now)).name

    def _items(self) -> list[Any]:
        try:
            return list(self._place.client.list_tables(f"{self._place.project}.{self._place.dataset}"))
        except exceptions.GoogleAPICallError as error:
            raise explained(error) from error

    def _snapshot(self, name: str, *, new: bool = False) -> Snapshot | None:
        """Return what a snapshot is; None if it is none of ours, or gone."""
        named = _named(name)
        try:
            found = self._place.client.get_table(self._place.table(name))
        except exceptions.NotFound:
            return None
        except exceptions.GoogleAPICallError as error:
            raise explained(error) from error
        of = found.snapshot_definition
        if named is None or of is None or of.snapshot_time is None:
            return None
        if of.base_table_reference is None or of.base_table_reference.table_id != named[0]:
            return None
        return Snapshot(
            table=named[0],
            name=name,
            kind=named[1],
            taken_at=of.snapshot_time,
            expires=found.expires,
            rows=int(found.num_rows or 0),
            new=new,
        )

    def _start(self, table: str, kind: Kind, now: datetime, number: int = 0) -> Started:
        name = stem(kind, now)
        config = bigquery.CopyJobConfig(
            operation_type=bigquery.OperationType.SNAPSHOT,
            destination_expiration_time=rfc3339(end(kind, now)),
            labels={"command": "backup" if kind != "undo" else "restore"},
        )

        def submit(job_id: str) -> Any:
            return self._place.client.copy_table(
                self._place.table(table), self._place.table(f"{table}__{name}"), job_id=job_id,
                location=self._place.location, job_config=config,
            )  # fmt: skip

        return self._jobs.start(("backup", table, name), submit, number)

    def _finish(self, table: str, kind: Kind, now: datetime, started: Started) -> Snapshot:
        name = f"{table}__{stem(kind, now)}"
        for _ in range(_AGAIN):
            try:
                job = self._jobs.finish(started)
            except BrokenContract:
                # Of two backups at once, one may find that the other has made it.
                if kind == "undo" or (found := self._snapshot(name)) is None:
                    raise
                return self._ended(found, kind, now)
            if (found := self._snapshot(name, new=not job.repeated)) is not None:
                return self._ended(found, kind, now)
            # Its job was done before, and somebody has deleted the snapshot since.
            started = self._start(table, kind, now, job.number + 1)
        raise FixConfiguration(
            f"the snapshot {name} is deleted as soon as it is made",
            next_step="see who deletes it: the project's audit log",
        )

    def _ended(self, found: Snapshot, kind: Kind, now: datetime) -> Snapshot:
        """See that a snapshot has its end: one without costs for ever."""
        if found.expires is not None:
            return found
        table = bigquery.Table(self._place.table(found.name))
        table.expires = end(kind, now)
        try:
            expires = self._place.client.update_table(table, ["expires"]).expires
        except exceptions.GoogleAPICallError as error:
            again = self._snapshot(found.name)
            if again is None or again.expires is None:
                raise explained(error) from error
            expires = again.expires
        return replace(found, expires=expires)


def _named(name: str) -> tuple[str, Kind] | None:
    """Return the table and kind that a snapshot's name tells."""
    table, between, rest = name.rpartition("__")
    known = read_stem(rest)
    return (table, known[1]) if between and table and known is not None else None


def _day(snapshot: Snapshot) -> date:
    """Return the day that a snapshot is of, by its name: its job may end after midnight."""
    known = read_stem(snapshot.name.rpartition("__")[2])
    assert known is not None
    return known[0]

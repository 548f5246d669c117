"""The way back in BigQuery: restored beside, counted, then taken over by one transaction.

The transaction deletes a table's rows and inserts the others. It reads and writes them all, which
costs a query; in return no reader sees the table by half, and what else it is stays as it is:
partitions, clusters, descriptions, labels, permissions, and what Terraform knows of it. A copy job
over the table would cost nothing and take those with it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from google.api_core import exceptions
from google.cloud import bigquery

from shared.backup import Restored
from shared.backup.fitting import Shape, insertable
from shared.errors import BrokenContract, FixConfiguration, RetrySoon
from shared.schedule import rfc3339

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from shared.backup import Snapshot
    from shared.warehouse.bigquery_client import Place
    from shared.warehouse.bigquery_jobs import Jobs

__all__ = ["Restore", "counts"]

#: What is restored beside and was not taken away, because the command was killed, goes by itself.
_KEPT = timedelta(days=1)
_LABELS = {"command": "restore"}
#: What the error of a refused transaction begins with.
_REFUSED = "RESTORE_REFUSED: "
_KINDS = {"INT64": "INTEGER", "FLOAT64": "FLOAT", "BOOL": "BOOLEAN"}


@dataclass(slots=True)
class _Swap:
    """One table, and what is to take its rows' place."""

    snapshot: Snapshot
    beside: str
    columns: list[str] = field(default_factory=list)
    rows: int = 0
    before: int = 0
    undo: str = ""


class Restore:
    """Restores at one time, which is in the names of what it makes."""

    def __init__(self, place: Place, jobs: Jobs, now: datetime) -> None:
        self._place = place
        self._jobs = jobs
        self._now = now

    def beside(self, snapshot: Snapshot, name: str) -> Restored:
        """Restore a table under another name, where nothing is yet."""
        if self._there(name) is not None:
            raise FixConfiguration(f"there is a table {name} already", next_step="choose another name")
        rows = self._restored(snapshot, name, None)
        return Restored(table=snapshot.table, source=snapshot.name, into=name, rows=rows)

    def instead(
        self, chosen: Sequence[Snapshot], keep: Callable[[str, datetime], str], *, dry_run: bool
    ) -> list[Restored]:
        """Put tables back in one transaction; ``keep`` makes a snapshot of one as it is, and names it."""
        swaps = [_Swap(one, f"{one.table}__restored_{self._now:%Y%m%dT%H%M%S}") for one in chosen]
        try:
            for swap in swaps:
                self._prepare(swap)
            if not dry_run:
                for swap in swaps:
                    swap.undo = keep(swap.snapshot.table, self._now)
                self._swap(swaps)
        finally:
            for swap in swaps:
                self._place.client.delete_table(self._place.table(swap.beside), not_found_ok=True)
        return [
            Restored(
                table=swap.snapshot.table,
                source=swap.snapshot.name,
                into=swap.snapshot.table,
                rows=swap.rows,
                rows_before=swap.before,
                undo=swap.undo or None,
            )
            for swap in swaps
        ]

    def _prepare(self, swap: _Swap) -> None:
        name = swap.snapshot.table
        table = self._there(name)
        if table is None:
            raise FixConfiguration(
                f"there is no table {name} to restore into",
                next_step="make it: `tcdatalogger tables apply`, in the cloud `terraform apply`; then again",
            )
        if table.streaming_buffer is not None:
            raise FixConfiguration(
                f"{name} was written by streaming a short while ago: BigQuery lets nobody delete those rows "
                "yet; nothing was changed",
                next_step="stop collecting and wait, up to 90 minutes; or restore it beside, with --to NAME",
            )
        swap.rows = self._restored(swap.snapshot, swap.beside, self._now + _KEPT)
        restored = self._place.client.get_table(self._place.table(swap.beside))
        swap.columns = insertable(name, _shape(table.schema), _shape(restored.schema))
        swap.before = counts(self._place, [name])[name]

    def _restored(self, snapshot: Snapshot, name: str, expires: datetime | None) -> int:
        """Restore a snapshot into a new table, and see that it is all there; return its rows."""
        config = bigquery.CopyJobConfig(
            operation_type=bigquery.OperationType.RESTORE,
            write_disposition=bigquery.WriteDisposition.WRITE_EMPTY,
            labels=_LABELS,
        )
        if expires is not None:
            config.destination_expiration_time = rfc3339(expires)

        def submit(job_id: str) -> Any:
            return self._place.client.copy_table(
                self._place.table(snapshot.name), self._place.table(name), job_id=job_id,
                location=self._place.location, job_config=config,
            )  # fmt: skip

        self._jobs.run(("restore", snapshot.name, name, self._now.isoformat()), submit)
        found = counts(self._place, [snapshot.name, name])
        schemas = [
            _shape(self._place.client.get_table(self._place.table(one)).schema)
            for one in (snapshot.name, name)
        ]
        if found[snapshot.name] != found[name] or schemas[0] != schemas[1]:
            raise BrokenContract(
                f"{snapshot.name} has {found[snapshot.name]} rows, what was restored of it {found[name]}"
                f"{'' if schemas[0] == schemas[1] else ', and other columns'}; no table was changed",
                next_step=f"look at {name}, and try another backup",
            )
        return found[name]

    def _swap(self, swaps: Sequence[_Swap]) -> None:
        sql = "\n".join(
            [
                "BEGIN TRANSACTION;",
                *(line for swap in swaps for line in self._lines(swap)),
                "COMMIT TRANSACTION;",
            ]
        )
        config = bigquery.QueryJobConfig(labels=_LABELS)

        def submit(job_id: str) -> Any:
            return self._place.client.query(
                sql, job_id=job_id, job_config=config, location=self._place.location, job_retry=None
            )

        what = [part for swap in swaps for part in (swap.snapshot.table, swap.snapshot.name)]
        try:
            started = self._jobs.start(("restore", *what, self._now.isoformat()), submit)
            try:
                self._jobs.finish(started)
            except KeyboardInterrupt:
                # What BigQuery has begun it would end without us.
                self._place.client.cancel_job(started.job.job_id, location=self._place.location)
                raise
        except BrokenContract as error:
            _, refused, rest = error.message.partition(_REFUSED)
            if not refused:
                raise
            raise RetrySoon(
                f"{rest.split(';')[0].splitlines()[0]}; nothing was changed",
                next_step="restore it again, best while nothing collects",
            ) from error

    def _lines(self, swap: _Swap) -> list[str]:
        """Return the part of the transaction that is one table's."""
        name = swap.snapshot.table
        table = self._place.quoted(name)
        columns = ", ".join(f"`{column}`" for column in swap.columns)
        here = f"(SELECT COUNT(*) FROM {table})"
        return [
            _unless(
                f"{here} = (SELECT COUNT(*) FROM {self._place.quoted(swap.undo)})",
                f"{name} was written meanwhile",
            ),
            f"DELETE FROM {table} WHERE TRUE;",
            f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {self._place.quoted(swap.beside)};",
            _unless(f"{here} = {swap.rows}", f"{name} would not have the rows of its backup"),
        ]

    def _there(self, name: str) -> bigquery.Table | None:
        try:
            return self._place.client.get_table(self._place.table(name))
        except exceptions.NotFound:
            return None


def counts(place: Place, names: Iterable[str]) -> dict[str, int]:
    """Return how many rows tables have: exactly, which their metadata promises for none."""
    wanted = list(names)
    if not wanted:
        return {}
    sql = " UNION ALL ".join(
        f"SELECT {number} AS place, COUNT(*) AS found FROM {place.quoted(name)}"
        for number, name in enumerate(wanted)
    )
    config = bigquery.QueryJobConfig(labels=_LABELS, use_query_cache=False)
    # A question has no identity: asked again it is another.
    rows = place.client.query(sql, location=place.location, job_config=config).result()
    return {wanted[row["place"]]: int(row["found"]) for row in rows}


def _unless(condition: str, what: str) -> str:
    return f"IF NOT ({condition}) THEN RAISE USING MESSAGE = '{_REFUSED}{what}'; END IF;"


def _shape(schema: Iterable[bigquery.SchemaField]) -> dict[str, Shape]:
    return {
        column.name: Shape(_KINDS.get(column.field_type, column.field_type), column.mode == "REQUIRED")
        for column in schema
    }

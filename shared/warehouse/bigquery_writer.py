"""One run's writing to BigQuery: Parquet in memory, load jobs, and a transaction where rows are replaced."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from google.cloud import bigquery

from shared.errors import BrokenContract, ReplaceRefused
from shared.logs import log
from shared.warehouse import Written
from shared.warehouse.bigquery_modes import REFUSED, Script, insert_order
from shared.warehouse.bigquery_schema import label, staging_table
from shared.warehouse.families import families
from shared.warehouse.run_rows import RunRows

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from shared.endpoint import Endpoint
    from shared.warehouse.bigquery_client import Place
    from shared.warehouse.bigquery_jobs import Jobs, Started
    from shared.warehouse.bigquery_ledger import Ledger
    from shared.warehouse.families import Family

__all__ = ["JOB_SECONDS", "BigQueryWriter", "Run"]

JOB_SECONDS = 300.0
_ANY = 2**62


@dataclass(frozen=True, slots=True)
class Run:
    """Whose rows these are."""

    endpoint: Endpoint
    run_id: str
    account: str

    @property
    def labels(self) -> dict[str, str]:
        """Return what a job says of itself."""
        return {
            "endpoint": label(self.endpoint.name),
            "run_id": label(self.run_id),
            "schema_version": str(self.endpoint.version),
        }

    def staging(self, table: str) -> str:
        """Return the name of a table's staging table: this run's alone."""
        return f"stage_{table}_{hashlib.sha256(self.run_id.encode()).hexdigest()[:16]}"


class BigQueryWriter:
    """One run's writing; see ``shared.warehouse.Writer``."""

    #: What is done already shows when its jobs are given again.
    done = False

    def __init__(self, place: Place, jobs: Jobs, ledger: Ledger, run: Run) -> None:
        self._place = place
        self._jobs = jobs
        self._ledger = ledger
        self._run = run
        self._tables = run.endpoint.tables
        self._rows = RunRows(run.endpoint)
        self._entries: dict[str, list[dict[str, Any]]] = {}

    def write(self, table: str, batch: pa.RecordBatch) -> None:
        """Take one batch of a declared table."""
        self._rows.add(table, batch)

    def finish(self) -> Written:
        """Load every table, side by side; then do the transaction of each family that needs one.

        Raises:
            ReplaceRefused: a replace would leave a table empty, or much smaller, than it may.
            FixConfiguration, BrokenContract, RetrySoon: see ``Jobs``.
        """
        kinds = {family: self._tables[family.root].mode for family in families(self._run.endpoint)}
        for family, mode in kinds.items():
            if mode == "replace":
                self._refuse_empty(family)
        started = {
            name: self._load(name, staged=mode != "append")
            for family, mode in kinds.items()
            for name in family.tables
            if self._rows.count(name)
        }
        loaded = {name: self._jobs.finish(load) for name, load in started.items()}
        fresh = [not job.repeated for job in loaded.values()]
        rows = {name: self._rows.count(name) for name in self._tables}
        superseded = False
        for family, mode in kinds.items():
            if mode == "append" or (mode == "merge" and family.root not in loaded):
                continue
            job, written = self._take(family, mode)
            fresh.append(not job.repeated)
            rows |= written
            superseded |= bool(self._rows.count(family.root)) and not any(written.values())
        for name, count in rows.items():
            log.debug("wrote %s: %d rows", name, count)
        if fresh and not any(fresh):
            return Written(repeated=True)
        return Written(rows, superseded=superseded)

    def record(self, table: str, rows: list[dict[str, Any]]) -> None:
        """Keep rows of a ledger table until the commit."""
        self._entries.setdefault(table, []).extend(rows)

    def commit(self) -> None:
        """Write the ledger: the rows are there."""
        self._ledger.saw(self._run.endpoint, self._run.run_id)
        self._ledger.insert(self._entries)

    def _load(self, name: str, *, staged: bool) -> Started:
        target = self._place.table(self._run.staging(name) if staged else name)
        data = self._rows.parquet(name)
        config = bigquery.LoadJobConfig(
            source_format=bigquery.SourceFormat.PARQUET,
            write_disposition=bigquery.WriteDisposition.WRITE_APPEND,
            create_disposition=bigquery.CreateDisposition.CREATE_NEVER,
            labels=self._run.labels,
        )
        config.job_timeout_ms = int(JOB_SECONDS * 1_000)

        def submit(job_id: str) -> Any:
            if staged:
                table = staging_table(target, self._run.endpoint, name)
                self._place.client.create_table(table, exists_ok=True)
            return self._place.client.load_table_from_file(
                io.BytesIO(data), target, size=len(data), job_id=job_id, job_config=config,
                location=self._place.location, num_retries=0,
            )  # fmt: skip

        return self._jobs.start((self._run.run_id, name, "stage" if staged else "load"), submit)

    def _take(self, family: Family, mode: str) -> tuple[Started, dict[str, int]]:
        """Do a family's transaction; return the rows that it wrote per table."""
        loaded = [name for name in family.tables if self._rows.count(name)]
        script = Script(
            self._run.endpoint,
            family,
            self._place.quoted,
            {name: self._place.quoted(self._run.staging(name)) for name in loaded},
            {name: list(columns) for name, columns in self._rows.columns.items()},
        )
        if mode == "merge":
            condition, parameters = self._pruned(family.root)
            sql = script.merge(condition)
        else:
            sql, parameters = script.replace(), self._bounds(family)
        config = bigquery.QueryJobConfig(labels=self._run.labels, query_parameters=parameters)
        config.job_timeout_ms = int(JOB_SECONDS * 1_000)

        def submit(job_id: str) -> Any:
            return self._place.client.query(
                sql, job_id=job_id, job_config=config, location=self._place.location, job_retry=None
            )

        try:
            done = self._jobs.run((self._run.run_id, family.root, mode), submit)
        except BrokenContract as error:
            _, refused, rest = error.message.partition(REFUSED)
            if not refused:
                raise
            raise ReplaceRefused(
                f"the table {rest.split(';')[0].split()[0]} would lose more rows than it may; "
                "it was left as it is",
                next_step="look at the archived answer; if it is right, raise `max_shrink` for this "
                "table in endpoint.yaml",
            ) from error
        order = [name for name in insert_order(mode, family) if name in loaded]
        written = dict.fromkeys(family.tables, 0) | self._inserted(done, order)
        for name in loaded:
            # They would go by themselves in a day.
            self._place.client.delete_table(self._place.table(self._run.staging(name)), not_found_ok=True)
        return done, written

    def _inserted(self, done: Started, order: Sequence[str]) -> dict[str, int]:
        """Return the rows per table that a transaction's INSERTs wrote, as its own jobs say."""
        jobs = self._place.client.list_jobs(parent_job=done.job.job_id)
        inserts = [job for job in jobs if job.statement_type == "INSERT"]
        # Their ids end in their place in the script.
        inserts.sort(key=lambda job: int(job.job_id.rpartition("_")[2]))
        return {name: int(job.num_dml_affected_rows or 0) for name, job in zip(order, inserts, strict=True)}

    def _pruned(self, root: str) -> tuple[str, list[Any]]:
        """Return the condition, and its parameters, that keeps a merge to the partitions its rows are in."""
        column, days = self._tables[root].partition, self._rows.days.get(root)
        if column is None or days is None:
            return "TRUE", []
        kind = self._rows.columns[root][column].type
        conditions = [f"t.`{column}` IS NULL"] if days.nulls else []
        if days.first is None:
            return conditions[0], []
        conditions.append(f"t.`{column}` BETWEEN @first AND @last")
        return f"({' OR '.join(conditions)})", [
            bigquery.ScalarQueryParameter("first", kind, days.first),
            bigquery.ScalarQueryParameter("last", kind, days.last),
        ]

    def _bounds(self, family: Family) -> list[Any]:
        """Return what a replace compares with: whose rows, how new, and how many there may be before."""
        # An empty answer is as new as now.
        newest = self._rows.newest.get(family.root) or datetime.now(UTC)
        found: list[Any] = [
            bigquery.ScalarQueryParameter("account", "STRING", self._run.account),
            bigquery.ScalarQueryParameter("newest", "TIMESTAMP", newest),
        ]
        for number, name in enumerate(family.tables):
            left = 1 - self._tables[name].max_shrink
            emptied = self._tables[name].allow_empty and not self._rows.count(name)
            most = _ANY if emptied or not left else int(self._rows.count(name) / left)
            found.append(bigquery.ScalarQueryParameter(f"at_most_{number}", "INT64", most))
        return found

    def _refuse_empty(self, family: Family) -> None:
        for name in family.tables:
            if not self._rows.count(name) and not self._tables[name].allow_empty:
                raise ReplaceRefused(
                    f"the table {name} would be replaced with nothing; it was left as it is",
                    next_step="look at the archived answer; if it is right, set `allow_empty: true` "
                    "for this table in endpoint.yaml",
                )

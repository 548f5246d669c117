"""What a run asks of BigQuery: load jobs, transactions, snapshots, each to be given under an id."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from google.cloud import bigquery

from shared.schedule import rfc3339
from shared.warehouse import no_note
from shared.warehouse.bigquery_jobs import REQUEST_SECONDS
from shared.warehouse.bigquery_schema import label, staging_table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shared.endpoint import Endpoint
    from shared.warehouse import Note
    from shared.warehouse.bigquery_client import Place

__all__ = ["JOB_SECONDS", "Requests", "Run"]

JOB_SECONDS = 300.0
#: How long what a replace took away can be had back.
_KEPT = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Run:
    """Whose rows these are."""

    endpoint: Endpoint
    run_id: str
    account: str
    note: Note = no_note

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
        return f"stage_{table}_{self._mark}"

    def before(self, table: str) -> str:
        """Return the name of the snapshot of what a table held before this run."""
        return f"before_{table}_{self._mark}"

    @property
    def _mark(self) -> str:
        return hashlib.sha256(self.run_id.encode()).hexdigest()[:16]


class Requests:
    """Makes one run's jobs; each method returns what gives the job under an id."""

    def __init__(self, place: Place, run: Run) -> None:
        self._place = place
        self._run = run

    def load(self, table: str, data: bytes, *, target: str | None = None) -> Callable[[str], Any]:
        """Append a Parquet file's rows to a table."""
        config = bigquery.LoadJobConfig(
            source_format=bigquery.SourceFormat.PARQUET,
            write_disposition=bigquery.WriteDisposition.WRITE_APPEND,
            create_disposition=bigquery.CreateDisposition.CREATE_NEVER,
            labels=self._run.labels,
        )
        config.job_timeout_ms = int(JOB_SECONDS * 1_000)

        def submit(job_id: str) -> Any:
            # num_retries: what was cut off is looked for before it is given again.
            return self._place.client.load_table_from_file(
                io.BytesIO(data), self._place.table(target or table), size=len(data), job_id=job_id,
                job_config=config, location=self._place.location, num_retries=0, timeout=REQUEST_SECONDS,
            )  # fmt: skip

        return submit

    def stage(self, table: str, data: bytes) -> Callable[[str], Any]:
        """Append a Parquet file's rows to a staging table of this run, which is made first."""
        target = self._run.staging(table)
        load = self.load(table, data, target=target)

        def submit(job_id: str) -> Any:
            made = staging_table(self._place.table(target), self._run.endpoint, table)
            self._place.client.create_table(made, exists_ok=True)
            return load(job_id)

        return submit

    def script(self, sql: str, parameters: Sequence[Any]) -> Callable[[str], Any]:
        """Run a multi-statement transaction."""
        config = bigquery.QueryJobConfig(labels=self._run.labels, query_parameters=list(parameters))
        config.job_timeout_ms = int(JOB_SECONDS * 1_000)

        def submit(job_id: str) -> Any:
            return self._place.client.query(
                sql, job_id=job_id, job_config=config, location=self._place.location, job_retry=None,
                timeout=REQUEST_SECONDS,
            )  # fmt: skip

        return submit

    def snapshot(self, table: str) -> Callable[[str], Any]:
        """Keep a table as it is, beside it, for some days."""
        config = bigquery.CopyJobConfig(
            operation_type=bigquery.OperationType.SNAPSHOT, labels=self._run.labels
        )
        # The client has no name for it.
        config._properties["copy"]["destinationExpirationTime"] = rfc3339(  # noqa: SLF001
            datetime.now(UTC) + _KEPT
        )
        source, target = self._place.table(table), self._place.table(self._run.before(table))

        def submit(job_id: str) -> Any:
            return self._place.client.copy_table(
                source, target, job_id=job_id, job_config=config, location=self._place.location,
                timeout=REQUEST_SECONDS,
            )  # fmt: skip

        return submit

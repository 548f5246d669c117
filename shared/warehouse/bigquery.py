"""BigQuery: every row by a load job that is free, atomic, and done once by its id.

``append`` loads into the table itself; ``merge`` and ``replace`` load into staging tables, from
which one multi-statement transaction takes the rows. All jobs' ids are made from the run, so that
a redelivery finds what is done and goes on from there. The ledger is written last, at least once,
with an insert id for each row; what is read are views that keep one row of each.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from google.api_core import exceptions
from google.cloud import bigquery

from shared.errors import FixConfiguration
from shared.warehouse import Change, no_note
from shared.warehouse.bigquery_client import Place
from shared.warehouse.bigquery_jobs import Jobs, explained
from shared.warehouse.bigquery_ledger import Ledger
from shared.warehouse.bigquery_requests import JOB_SECONDS, Run
from shared.warehouse.bigquery_tables import declared_tables, plan_table
from shared.warehouse.bigquery_writer import BigQueryWriter

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

    from shared.endpoint import Endpoint
    from shared.warehouse import Note

__all__ = ["BigQueryWarehouse"]


class BigQueryWarehouse:
    """Tables in one dataset; what is made there is made by Terraform, or ``tcdatalogger tables apply``."""

    def __init__(self, project: str, dataset: str) -> None:
        self.place = Place(project, dataset)
        self.jobs = Jobs(self.place, seconds=JOB_SECONDS)
        self.ledger = Ledger(self.place)

    @contextmanager
    def begin(
        self, endpoint: Endpoint, run_id: str, account: str, *, note: Note = no_note
    ) -> Iterator[BigQueryWriter]:
        """Begin one run's writing."""
        yield BigQueryWriter(self.place, self.jobs, self.ledger, Run(endpoint, run_id, account, note))

    def record(self, entries: dict[str, list[dict[str, Any]]]) -> None:
        """Add rows to ledger tables."""
        self.ledger.insert(entries)

    def apply(self, endpoints: Sequence[Endpoint], *, dry_run: bool = False) -> list[Change]:
        """Bring tables up to what is declared; make the dataset if it is not there.

        Raises:
            FixConfiguration: this account may not.
        """
        try:
            if not dry_run:
                self.place.client.create_dataset(f"{self.place.project}.{self.place.dataset}", exists_ok=True)
            plans = [plan_table(self.place, table) for table in declared_tables(self.place, endpoints)]
            changes = [
                Change(plan.table.table_id, what, refused)
                for plan in plans
                for refused, found in ((True, plan.refused), (False, plan.changes))
                for what in found
            ]
            if not dry_run and not any(change.refused for change in changes):
                for plan in plans:
                    plan.apply(self.place)
        except exceptions.GoogleAPICallError as error:
            raise explained(error) from error
        return changes

    def query(self, sql: str, parameters: list[Any] | None = None) -> pa.Table:
        """Return a query's rows.

        Raises:
            FixConfiguration: the SQL is wrong, or would write.
        """
        given = [bigquery.ScalarQueryParameter(None, "STRING", value) for value in parameters or []]
        dataset = bigquery.DatasetReference(self.place.project, self.place.dataset)
        config = bigquery.QueryJobConfig(default_dataset=dataset, query_parameters=given)
        dry = bigquery.QueryJobConfig(default_dataset=dataset, query_parameters=given, dry_run=True)
        client = self.place.client
        try:
            kind = client.query(sql, job_config=dry).statement_type
            if kind != "SELECT":
                raise FixConfiguration(
                    f"the query failed: it is {kind}, and only SELECT is allowed", next_step="correct it"
                )
            return client.query(sql, job_config=config).result().to_arrow(create_bqstorage_client=False)
        except exceptions.GoogleAPICallError as error:
            if isinstance(error, exceptions.BadRequest | exceptions.NotFound):
                raise FixConfiguration(
                    f"the query failed: {error.message}",
                    next_step="correct it; `tcdatalogger endpoints` lists tables and columns",
                ) from error
            raise explained(error) from error

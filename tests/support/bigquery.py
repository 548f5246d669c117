"""The BigQuery emulator as a process of its own, and datasets in it.

It answers Google's own client over REST as BigQuery does, for what is used here, with these exceptions,
where tests look at the request instead: it makes a table that a load job should only find, keeps no
partitions apart, knows one location, and may take a job's id twice when both come at once.
"""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.request import urlopen

from shared.warehouse import no_note
from shared.warehouse.bigquery import BigQueryWarehouse
from shared.warehouse.bigquery_client import EMULATOR
from shared.warehouse.bigquery_ledger import ledger_table, log_name
from shared.warehouse.bigquery_schema import declared_table
from shared.warehouse.bigquery_tables import make_tables
from support.processes import ROOT, Process, environment, free_port, must_skip, unmeasured, until

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    import pyarrow as pa
    from google.cloud import bigquery

    from shared.endpoint import Endpoint
    from shared.warehouse import Note
    from shared.warehouse.bigquery_writer import BigQueryWriter

__all__ = ["FOLDER", "SERVE", "Dataset", "Emulator", "emulated"]

FOLDER = ROOT / os.environ.get("EMULATOR", ".venv-emulator")
SERVE = Path(__file__).parent / "emulator" / "serve.py"


def emulated() -> tuple[Path, dict[str, str]]:
    """Return the emulator's Python, and the environment that its programs need."""
    if not (FOLDER / ".ready").exists():
        must_skip(f"{FOLDER} is not there: `make test` makes it, with Python 3.13 or PYTHON313=...")
    return FOLDER / "bin" / "python", environment(HOME=str(FOLDER / "home"), **unmeasured())


class Emulator(Process):
    """An emulator whose data is in a folder that it is given."""

    def __init__(self, folder: Path) -> None:
        python, env = emulated()
        self.port, self.grpc_port = free_port(), free_port()
        super().__init__(
            [python, SERVE, "--host", "127.0.0.1", "--port", str(self.port),
             "--grpc-port", str(self.grpc_port), "--project", "proj", "--dataset", "none",
             "--data-dir", folder / "data", "serve"],
            folder=folder,
            env=env,
        )  # fmt: skip

    @property
    def host(self) -> str:
        """Give the value of BIGQUERY_EMULATOR_HOST."""
        return f"127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        try:
            self.listens(self.port)
            until(self._answers, what="the emulator answers")
        except BaseException:
            self.stop()
            raise
        return self

    def _answers(self) -> bool:
        with urlopen(f"http://{self.host}/bigquery/v2/projects/proj/datasets", timeout=20) as answer:
            return bool(answer.status == 200)


class Dataset:
    """A dataset of one test; tables are made when an endpoint's rows are first written."""

    def __init__(self, host: str, name: str = "", *, project: str = "proj", make: bool = True) -> None:
        self.host = host
        self.project = project
        self.name = name or f"d{uuid.uuid4().hex[:12]}"
        self._made: set[str] = set()
        os.environ[EMULATOR] = host
        self.warehouse = BigQueryWarehouse(self.project, self.name)
        if make:
            self.client.create_dataset(f"{self.project}.{self.name}", exists_ok=True)

    @property
    def url(self) -> str:
        """Give the value of WAREHOUSE."""
        return f"bigquery:{self.project}.{self.name}"

    @property
    def client(self) -> bigquery.Client:
        """Give Google's client."""
        return self.warehouse.place.client

    def prepare(self, *endpoints: Endpoint) -> None:
        """Make endpoints' tables, and what most tests need of the ledger: each takes a while to make."""
        tables = {name for endpoint in endpoints for name in endpoint.tables}
        if tables <= self._made:
            return
        self.made(*endpoints)
        place = self.warehouse.place
        for name in ("runs", "schema_versions"):
            self.client.create_table(ledger_table(place.table(log_name(name)), name), exists_ok=True)
        for endpoint in endpoints:
            for name in endpoint.tables:
                self.client.create_table(declared_table(place.table(name), endpoint, name), exists_ok=True)

    def made(self, *endpoints: Endpoint) -> None:
        """Take endpoints' tables for made: another process has seen to it."""
        self._made |= {name for endpoint in endpoints for name in endpoint.tables}

    def prepare_all(self, *endpoints: Endpoint) -> list[str]:
        """Make everything, as `tcdatalogger tables apply` does."""
        return make_tables(self.warehouse.place, endpoints)

    def drop(self) -> None:
        """Remove the dataset."""
        self.client.delete_dataset(f"{self.project}.{self.name}", delete_contents=True, not_found_ok=True)

    def through(self, host: str) -> Dataset:
        """Return the same dataset, reached by another way."""
        other = Dataset(host, self.name, project=self.project, make=False)
        other._made = self._made
        return other

    def begin(
        self, endpoint: Endpoint, run_id: str, account: str, *, note: Note = no_note
    ) -> AbstractContextManager[BigQueryWriter]:
        """Begin writing a run's rows, see ``shared.warehouse.Warehouse``."""
        return self.warehouse.begin(endpoint, run_id, account, note=note)

    def record(self, entries: dict[str, list[dict[str, Any]]]) -> None:
        """Add rows to ledger tables."""
        self.warehouse.record(entries)

    def query(self, sql: str, parameters: list[Any] | None = None) -> pa.Table:
        """Return a query's rows; without the look beforehand whether it only reads."""
        from google.cloud import bigquery  # noqa: PLC0415

        config = bigquery.QueryJobConfig(
            default_dataset=f"{self.project}.{self.name}",
            query_parameters=[
                bigquery.ScalarQueryParameter(None, "STRING", value) for value in parameters or []
            ],
        )
        return self.client.query_and_wait(sql, job_config=config).to_arrow(create_bqstorage_client=False)

    def rows(self, table: str, account: str, *columns: str) -> list[tuple[Any, ...]]:
        """Return an account's rows of a table, in an order of their own; by no query, which takes longer."""
        found = self.client.list_rows(self.warehouse.place.table(table))
        kept = (row for row in found if row["_account"] == account)
        return sorted((tuple(row[column] for column in columns) for row in kept), key=str)

    def tidy(self) -> None:
        """Remove what replaces keep."""
        for table in self.client.list_tables(f"{self.project}.{self.name}"):
            if table.table_id.startswith("before_"):
                self.client.delete_table(table)

    def staged(self) -> list[str]:
        """Return the staging tables that are there."""
        names = [table.table_id for table in self.client.list_tables(f"{self.project}.{self.name}")]
        return [name for name in names if name.startswith("stage_")]

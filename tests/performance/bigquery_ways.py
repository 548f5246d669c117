"""Ways of loading Arrow batches into BigQuery: ours, and those that Google's client offers.

Each is given the rows in the form that it takes: making that form out of Arrow is timed apart, since who
loads so may have had it from the start.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from google.cloud import bigquery

from shared.warehouse.bigquery_schema import fields

from . import bigquery_rows
from .approaches import ACCOUNT, RUN_ID, TABLES
from .watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from shared.endpoint import Endpoint
    from shared.warehouse.bigquery import BigQueryWarehouse

__all__ = ["CHUNK", "WAYS", "Loading"]

#: Rows of one insertAll request, as Google recommends.
CHUNK = 500


@dataclass(slots=True, kw_only=True)
class Loading:
    """One way's work: from where to where, and what it took."""

    folder: Path
    warehouse: BigQueryWarehouse
    #: The loading, which is compared.
    load: Watch = field(default_factory=Watch)
    #: Making of Arrow what the way takes.
    convert: Watch = field(default_factory=Watch)

    @property
    def client(self) -> bigquery.Client:
        """Return the client of them all."""
        return self.warehouse.place.client

    def table(self, name: str) -> str:
        """Return a table's whole name."""
        return self.warehouse.place.table(name)

    def whole(self) -> dict[str, pa.Table]:
        """Return the tables in one piece."""
        parts: dict[str, list[pa.RecordBatch]] = {name: [] for name in TABLES}
        for name, batch in bigquery_rows.batches(self.folder):
            parts[name].append(batch)
        return {name: pa.Table.from_batches(found) for name, found in parts.items()}


def append(loading: Loading) -> None:
    """Load a run's batches as TCdatalogger does, each table by a load job."""
    _ours(loading, bigquery_rows.appending())


def merge(loading: Loading) -> None:
    """Merge a run's batches as TCdatalogger does: staging tables, then a transaction."""
    _ours(loading, bigquery_rows.merging())


def _ours(loading: Loading, endpoint: Endpoint) -> None:
    with loading.warehouse.begin(endpoint, RUN_ID, ACCOUNT) as writer:
        for name, batch in bigquery_rows.batches(loading.folder):
            with loading.load.running():
                writer.write(name, batch)
        with loading.load.running():
            writer.finish()


def dataframe(loading: Loading) -> None:
    """Load pandas' data frames."""
    tables = loading.whole()
    with loading.convert.running():
        frames = {name: tables.pop(name).to_pandas() for name in TABLES}
    with loading.load.running():
        for name, frame in frames.items():
            job = loading.client.load_table_from_dataframe(
                frame, loading.table(name), job_config=_config(name)
            )
            job.result()


def json_rows(loading: Loading) -> None:
    """Load dictionaries as lines of JSON."""
    rows = _dictionaries(loading)
    with loading.load.running():
        for name, found in rows.items():
            job = loading.client.load_table_from_json(found, loading.table(name), job_config=_config(name))
            job.result()


def insert_rows(loading: Loading) -> None:
    """Stream dictionaries by insertAll."""
    rows = _dictionaries(loading)
    with loading.load.running():
        for name, found in rows.items():
            for start in range(0, len(found), CHUNK):
                errors = loading.client.insert_rows_json(loading.table(name), found[start : start + CHUNK])
                if errors:
                    raise RuntimeError(f"{name}: {errors[:3]}")


def _config(name: str) -> bigquery.LoadJobConfig:
    return bigquery.LoadJobConfig(
        schema=fields(bigquery_rows.columns(name)), write_disposition=bigquery.WriteDisposition.WRITE_APPEND
    )


def _dictionaries(loading: Loading) -> dict[str, list[dict[str, Any]]]:
    tables = loading.whole()
    with loading.convert.running():
        return {name: _as_json(tables.pop(name)).to_pylist() for name in TABLES}


def _as_json(table: pa.Table) -> pa.Table:
    """Return a table whose times are texts, as JSON has them."""
    texts = [
        pa.field(one.name, pa.string() if pa.types.is_timestamp(one.type) else one.type)
        for one in table.schema
    ]
    return table.cast(pa.schema(texts))


#: What each is called on the command line.
WAYS: dict[str, Callable[[Loading], None]] = {
    "append": append,
    "merge": merge,
    "dataframe": dataframe,
    "json": json_rows,
    "insert_all": insert_rows,
}

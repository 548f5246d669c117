"""A warehouse that has every declared table and view, filled by hand."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from shared.endpoint_file import find_endpoints, load_endpoint
from shared.schedule import rfc3339
from shared.warehouse import open_warehouse
from shared.warehouse.views import all_bigquery_views
from support.tables import HEAD, batch, endpoint

if TYPE_CHECKING:
    from pathlib import Path

    from shared.endpoint import Endpoint
    from shared.warehouse import Warehouse

__all__ = ["ENDPOINTS", "BigQueryPlace", "DuckDBPlace", "plain"]

Rows = list[dict[str, Any]]

NEWS = """
tables:
  news:
    description: One row per run.
    columns:
      server_timestamp: {type: TIMESTAMP, mode: REQUIRED, from: $fetched_at, description: When.}
      word: {type: STRING, from: word}
  news_pacts:
    description: One row per pact and run.
    each: pacts
    columns:
      server_timestamp: {type: TIMESTAMP, mode: REQUIRED, from: $fetched_at, description: When.}
      faction_id: {type: INTEGER, from: faction_id}
"""

#: What the views that are files read, and a made-up endpoint whose tables have no key. Not all that are
#: declared: an emulator takes its time for each.
ENDPOINTS: dict[str, Endpoint] = {
    "news": endpoint(HEAD.replace("things", "news") + NEWS),
    **{name: load_endpoint(find_endpoints()[name]) for name in ("crimes", "currency", "items", "members")},
}


class DuckDBPlace:
    """A DuckDB file; rows go the way of a run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.warehouse: Warehouse = open_warehouse(f"duckdb:{path}")
        for name, declared in ENDPOINTS.items():
            with self.warehouse.begin(declared, f"made/{name}", "nobody") as writer:
                writer.commit()

    def put(self, owner: str, *, account: str, run: str, at: float, **tables: Rows) -> None:
        """Write a run's rows, read ``at`` minutes after ten o'clock."""
        declared, run_id = ENDPOINTS[owner], f"{account}/{run}"
        with self.warehouse.begin(declared, run_id, account) as writer:
            for name, rows in tables.items():
                writer.write(name, batch(declared, name, rows, run=run_id, at=at, account=account))
            writer.finish()
            writer.commit()

    def record(self, entries: dict[str, Rows]) -> None:
        """Write rows of the ledger."""
        self.warehouse.record(entries)

    def query(self, sql: str) -> Rows:
        """Return a query's rows."""
        return plain(self.warehouse.query(sql).to_pylist())

    def described(self) -> dict[str, str]:
        """Return every view's description."""
        with duckdb.connect(str(self.path), read_only=True) as connection:
            rows = connection.execute("SELECT view_name, comment FROM duckdb_views() WHERE NOT internal")
            return dict(rows.fetchall())


class BigQueryPlace:
    """A dataset of its own in an emulator."""

    def __init__(self, host: str) -> None:
        from google.cloud import bigquery  # noqa: PLC0415 - half a second, only here

        from shared.warehouse.bigquery_client import EMULATOR  # noqa: PLC0415
        from shared.warehouse.bigquery_tables import make_tables  # noqa: PLC0415

        self.dataset = f"proj.views_{uuid.uuid4().hex[:8]}"
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(EMULATOR, host)
            self.warehouse = open_warehouse(f"bigquery:{self.dataset}")
        self._place = self.warehouse.place  # type: ignore[attr-defined]
        self._client: bigquery.Client = self._place.client
        self._client.create_dataset(self.dataset)
        make_tables(self._place, ENDPOINTS.values())
        for view in all_bigquery_views(self.dataset, ENDPOINTS.values()):
            table = bigquery.Table(f"{self.dataset}.{view.name}")
            table.view_query, table.description = view.sql, view.description
            self._client.create_table(table, exists_ok=True)

    def close(self) -> None:
        """Remove the dataset."""
        self._client.delete_dataset(self.dataset, delete_contents=True)

    def put(self, owner: str, *, account: str, run: str, at: float, **tables: Rows) -> None:
        """Write a run's rows, read ``at`` minutes after ten o'clock."""
        for name, rows in tables.items():
            whole = batch(ENDPOINTS[owner], name, rows, run=f"{account}/{run}", at=at, account=account)
            told = [{k: _json(v) for k, v in row.items() if v is not None} for row in whole.to_pylist()]
            if told:
                assert self._client.insert_rows_json(f"{self.dataset}.{name}", told) == []

    def record(self, entries: dict[str, Rows]) -> None:
        """Write rows of the ledger."""
        self.warehouse.record(entries)

    def query(self, sql: str) -> Rows:
        """Return a query's rows."""
        return plain(self.warehouse.query(sql).to_pylist())

    def described(self) -> dict[str, str]:
        """Return every view's description."""
        tables = [self._client.get_table(one.reference) for one in self._client.list_tables(self.dataset)]
        return {table.table_id: table.description for table in tables if table.table_type == "VIEW"}


def plain(rows: Rows) -> Rows:
    """Return rows whose numbers are what both warehouses should give: whole, or floating."""
    assert not [value for row in rows for value in row.values() if isinstance(value, Decimal)], rows
    return rows


def _json(value: Any) -> Any:
    return rfc3339(value) if hasattr(value, "tzinfo") else value

"""The ledger in BigQuery: rows streamed at least once, and views that keep one of each.

A load job per attempt would use up what a table may take in a day, and a transaction costs a query;
streamed rows cost next to nothing. Each has an insert id, made from what it says, so that one that
is written twice can be told; the views ``runs``, ``rejected_rows``, ``drift`` and
``schema_versions`` show it once. The tables below them end in ``_log``.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import msgspec
from google.api_core import exceptions
from google.cloud import bigquery

from shared.errors import BrokenContract, RetrySoon
from shared.ledger import LEDGER
from shared.logs import log
from shared.released import declared_tables, fingerprint
from shared.schedule import rfc3339
from shared.warehouse.bigquery_jobs import explained
from shared.warehouse.bigquery_schema import fields

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.endpoint import Endpoint
    from shared.warehouse.bigquery_client import Place

__all__ = ["Ledger", "ledger_table", "ledger_view", "log_name"]

_INSERT_ID = "_insert_id"
_BYTES, _ROWS = 4_000_000, 500
#: What one row is told from another by, and which of several counts.
_ONE = {
    "runs": ("attempt", "finished_at DESC"),
    "rejected_rows": (_INSERT_ID, "rejected_at"),
    "drift": (_INSERT_ID, "seen_at"),
    "schema_versions": ("endpoint, fingerprint", "seen_at"),
}


def log_name(name: str) -> str:
    """Return the table below a ledger view."""
    return f"{name}_log"


def ledger_table(place: str, name: str) -> bigquery.Table:
    """Return the table below a ledger view, as it is declared; ``place`` is its whole name."""
    declared = LEDGER[name]
    own = bigquery.SchemaField(_INSERT_ID, "STRING", description="The same for a row that is written twice.")
    table = bigquery.Table(place, schema=[*fields(declared.columns), own])
    table.description = f"{declared.description} Read the view {name}, which has each row once."
    table.labels = {"endpoint": "ledger"}
    if declared.partition is not None:
        table.time_partitioning = bigquery.TimePartitioning(field=declared.partition)
    if declared.cluster:
        table.clustering_fields = declared.cluster
    return table


def ledger_view(quoted: Callable[[str], str], name: str) -> str:
    """Return the SQL of a ledger view: each row once; ``quoted`` gives a table's name as SQL takes it."""
    key, order = _ONE[name]
    return (
        f"SELECT * EXCEPT (`{_INSERT_ID}`) FROM {quoted(log_name(name))} WHERE TRUE "
        f"QUALIFY ROW_NUMBER() OVER (PARTITION BY {key} ORDER BY {order}) = 1"
    )


class Ledger:
    """Writes ledger rows."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._seen: set[tuple[str, str]] = set()

    def saw(self, endpoint: Endpoint, run_id: str) -> None:
        """Note which version of an endpoint's tables was written; once per process."""
        mark = fingerprint(declared_tables(endpoint))
        if (endpoint.name, mark) in self._seen:
            return
        row = {
            "endpoint": endpoint.name, "version": endpoint.version, "fingerprint": mark,
            "run_id": run_id, "seen_at": datetime.now(UTC),
        }  # fmt: skip
        self.insert({"schema_versions": [row]})
        self._seen.add((endpoint.name, mark))

    def knows(self, run_id: str) -> bool:
        """Say whether an attempt at a run is recorded as one that wrote its rows.

        Asked only of a run whose jobs an earlier delivery gave: it may have died before it could record it.

        Raises:
            FixConfiguration, RetrySoon: see ``explained``.
        """
        config = bigquery.QueryJobConfig(
            query_parameters=[bigquery.ScalarQueryParameter("run_id", "STRING", run_id)]
        )
        sql = (
            f"SELECT COUNT(*) FROM {self._place.quoted(log_name('runs'))} "
            "WHERE run_id = @run_id AND outcome IN ('ok', 'superseded')"
        )
        try:
            found = self._place.client.query_and_wait(sql, job_config=config, location=self._place.location)
        except exceptions.GoogleAPICallError as error:
            raise explained(error) from error
        return bool(next(iter(found))[0])

    def insert(self, entries: dict[str, list[dict[str, Any]]]) -> None:
        """Write rows, at least once.

        Raises:
            FixConfiguration: a ledger table is not there.
            RetrySoon: BigQuery did not take them.
        """
        for name, rows in entries.items():
            chunk: list[tuple[str, dict[str, Any]]] = []
            size = 0
            for row in rows:
                plain = {column: _plain(value) for column, value in row.items() if value is not None}
                made = _insert_id(name, row), plain
                length = len(msgspec.json.encode(plain))
                if chunk and (size + length > _BYTES or len(chunk) == _ROWS):
                    self._send(name, chunk)
                    chunk, size = [], 0
                chunk.append(made)
                size += length
            if chunk:
                self._send(name, chunk)

    def _send(self, name: str, chunk: list[tuple[str, dict[str, Any]]]) -> None:
        table = self._place.table(log_name(name))
        ids = [one for one, _ in chunk]
        rows = [{**row, _INSERT_ID: one} for one, row in chunk]
        try:
            errors = self._place.client.insert_rows_json(table, rows, row_ids=ids, timeout=60)
        except exceptions.GoogleAPICallError as error:
            raise explained(error) from error
        except exceptions.RetryError as error:
            raise RetrySoon(f"BigQuery did not take ledger rows: {error}") from error
        if errors:
            raise BrokenContract(
                f"BigQuery refuses a row of {name}: {str(errors[0])[:500]}",
                next_step="bring the ledger's tables up to date: `tcdatalogger tables apply`",
            )
        log.debug("noted %s", name)


def _insert_id(name: str, row: dict[str, Any]) -> str:
    # An attempt has one row in runs, whatever it says of its end. What a run found it finds again in
    # every attempt, so there what a row says tells it, but for whose attempt it was, and when.
    told = (
        [row.get("attempt")]
        if name == "runs"
        else [value for key, value in row.items() if key != "attempt" and not key.endswith("_at")]
    )
    return hashlib.sha256(msgspec.json.encode([name, told], enc_hook=str)).hexdigest()[:32]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return rfc3339(value)
    return value.isoformat() if isinstance(value, date) else value

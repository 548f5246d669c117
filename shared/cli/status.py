"""``tcdatalogger status``: how every endpoint is doing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from shared.cli.local import local, shown_warehouse
from shared.cli.show import as_json, table
from shared.endpoint_file import find_endpoints, load_endpoint
from shared.schedule import every
from shared.warehouse import open_warehouse

__all__ = ["status"]

# In words that BigQuery and DuckDB share.
_LAST = """
    SELECT endpoint, account, outcome AS last_outcome, error_message AS last_error, next_step,
           last_success, last_rows, rejected_rows AS rejected, failed_today
    FROM (
        SELECT r.*,
               MAX(IF(outcome IN ('ok', 'repeated', 'superseded'), finished_at, NULL)) OVER one
                   AS last_success,
               LAST_VALUE(IF(outcome = 'ok', r.rows, NULL) IGNORE NULLS) OVER (
                   PARTITION BY endpoint, account ORDER BY started_at
                   ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
               ) AS last_rows,
               SUM(IF(outcome = 'ok', rejected, 0)) OVER one AS rejected_rows,
               SUM(IF(outcome IN ('failed', 'refused', 'retry')
                      AND started_at > CURRENT_TIMESTAMP - INTERVAL 1 DAY, 1, 0)) OVER one AS failed_today,
               ROW_NUMBER() OVER (PARTITION BY endpoint, account ORDER BY started_at DESC) AS place
        FROM runs AS r
        -- '*' is the message for every account; its parts have rows of their own.
        WHERE account IS DISTINCT FROM '*'
        WINDOW one AS (PARTITION BY endpoint, account)
    ) AS each_run
    WHERE place = 1 ORDER BY endpoint, account
"""
_STALE_AFTER = 3


@click.command()
@click.option("--json", "json_output", is_flag=True, help="Print it as JSON.")
def status(*, json_output: bool) -> None:
    """Say when each endpoint last succeeded, what it wrote and what went wrong."""
    here = local()
    warehouse = open_warehouse(here.settings.warehouse, wait=here.settings.warehouse_wait)
    rows = [_described(row) for row in warehouse.query(_LAST).to_pylist()]
    if json_output:
        as_json(rows)
        return
    click.echo(f"{shown_warehouse(here)}{' (a simulated faction)' if here.simulated else ''}")
    names = ("endpoint", "account", "state", "last_success", "rows", "rejected", "failed_today")
    table(names, [tuple(row[name] for name in names) for row in rows])
    for row in rows:
        if row["state"] not in {"fresh", "stale"}:
            click.echo(f"{row['endpoint']}: {row['last_error']}\n  next: {row['next_step']}")


def _described(row: dict[str, Any]) -> dict[str, Any]:
    state = row["last_outcome"]
    if state in {"ok", "repeated", "superseded", "missed"}:
        state = "fresh" if _is_fresh(row["endpoint"], row["last_success"]) else "stale"
    return {**row, "state": state, "rows": _rows(row.pop("last_rows"))}


def _is_fresh(endpoint: str, last: datetime | None) -> bool:
    file = find_endpoints().get(endpoint)
    if file is None or last is None:
        return False
    return datetime.now(UTC) - last < _STALE_AFTER * every(load_endpoint(file).every)


def _rows(text: str | None) -> str:
    return (text or "").strip("{}").replace('"', "").replace(":", " ").replace(",", ", ")

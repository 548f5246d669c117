"""``tcdatalogger status``: how every endpoint is doing."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from shared.cli.local import local, shown
from shared.cli.show import as_json, table
from shared.endpoint_file import find_endpoints, load_endpoint
from shared.schedule import every
from shared.warehouse import open_warehouse

__all__ = ["status"]

_LAST = """
    SELECT endpoint, account,
           max(finished_at) FILTER (outcome IN ('ok', 'repeated', 'superseded')) AS last_success,
           arg_max(outcome, started_at) AS last_outcome,
           arg_max(error_message, started_at) AS last_error,
           arg_max(next_step, started_at) AS next_step,
           arg_max(rows, started_at) FILTER (outcome = 'ok') AS last_rows,
           CAST(sum(rejected) FILTER (outcome = 'ok') AS BIGINT) AS rejected,
           count(*) FILTER (
               outcome IN ('failed', 'refused', 'retry') AND started_at > now() - INTERVAL 1 DAY
           ) AS failed_today
    -- '*' is the message for every account; its parts have rows of their own.
    FROM runs WHERE account IS DISTINCT FROM '*' GROUP BY ALL ORDER BY ALL
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
    database = Path(here.settings.warehouse.partition(":")[2])
    click.echo(f"{shown(database)}{' (a simulated faction)' if here.simulated else ''}")
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

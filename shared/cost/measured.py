"""What a run takes, from the ledger: medians over each endpoint's last runs."""

from __future__ import annotations

from dataclasses import replace
from statistics import median
from typing import TYPE_CHECKING, Any

import msgspec

from shared.cost.figures import file_figures

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shared.cost.figures import RunFigures
    from shared.endpoint import Endpoint
    from shared.warehouse import Warehouse

__all__ = ["ledger_figures"]

#: How many of the last runs count.
LAST = 50

# In words that BigQuery and DuckDB share. A backfill is not a month's usual run.
_RUNS = f"""
    SELECT r.endpoint, r.seconds, r.pages, r.bytes, r.rows AS counts FROM runs AS r
    WHERE r.outcome = 'ok' AND r.window_from IS NULL AND r.pages IS NOT NULL
    QUALIFY ROW_NUMBER() OVER (PARTITION BY r.endpoint ORDER BY r.started_at DESC) <= {LAST}
"""


def ledger_figures(
    warehouse: Warehouse, endpoints: Iterable[Endpoint], *, where: str, in_cloud: bool, simulated: bool
) -> dict[str, RunFigures]:
    """Return the figures of every endpoint; of one without a run in the ledger, those of figures.toml.

    Args:
        warehouse: What holds ``runs``.
        endpoints: Whose figures.
        where: The warehouse's name, for people.
        in_cloud: The warehouse is BigQuery, so that its seconds are what a function waits.
        simulated: The runs read a simulated faction.
    """
    runs: dict[str, list[dict[str, Any]]] = {}
    for row in warehouse.query(_RUNS).to_pylist():
        runs.setdefault(row["endpoint"], []).append(row)
    return {
        endpoint.name: replace(
            _medians(file_figures(endpoint), runs[endpoint.name], where),
            in_cloud=in_cloud,
            simulated=simulated,
        )
        if endpoint.name in runs
        else file_figures(endpoint)
        for endpoint in endpoints
    }


def _medians(known: RunFigures, runs: list[dict[str, Any]], where: str) -> RunFigures:
    seconds = [msgspec.json.decode(run["seconds"], type=dict[str, float]) for run in runs]
    counts = [msgspec.json.decode(run["counts"], type=dict[str, float]) for run in runs]
    size = median(run["bytes"] for run in runs)
    return replace(
        known,
        source=f"median of {len(runs)} run{'s' if len(runs) != 1 else ''} in {where}",
        fetch=median(one.get("fetch", 0.0) for one in seconds),
        flatten=median(one.get("flatten", 0.0) for one in seconds),
        write=median(one.get("write", 0.0) for one in seconds),
        pages=median(run["pages"] for run in runs),
        bytes=size,
        # The ledger does not say how well pages pack; the share that they took here does.
        packed=known.packed * size / known.bytes,
        rows={name: median(one.get(name, 0.0) for one in counts) for name in known.rows},
    )

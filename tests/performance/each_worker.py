"""What runs in a process of its own: flattening one endpoint's runs, or only parsing their bodies.

``python -m tests.performance.each_worker ours|orjson ENDPOINT FILE BYTES`` goes through the file as often
as so many bytes take, and prints one line of JSON: CPU seconds, peak memory, how often; and of one time
the runs, their bytes, the rows per table and what was found wrong. A run's flattening is whole: its
structs are made, its derived columns filled, its records held against the endpoint's limit. Imports, the
reading of the file and endpoint.yaml, and one run before the first that counts are left out.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .bodies import read_runs
from .watch import Watch, peak_mb

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .bodies import Body

    Runs = Sequence[Sequence[Body]]

__all__ = ["flattening", "parsing"]

_CONSTANTS = {"$run_id": "bench/default/20260427T165000Z", "$account": "default", "$faction_id": 42}


def parsing() -> Callable[[Runs], dict[str, Any]]:
    """Return what parses each body and drops it."""
    import orjson  # noqa: PLC0415 - not in the product's environment

    def parse(runs: Runs) -> dict[str, Any]:
        for run in runs:
            for body in run:
                orjson.loads(body.content)
        return {}

    return parse


def flattening(name: str) -> Callable[[Runs], dict[str, Any]]:
    """Return what flattens runs of an endpoint; it returns rows per table, and how many findings."""
    # Not in the peers' process, which parses.
    from shared.cli.hooks import derive_of  # noqa: PLC0415
    from shared.endpoint_file import find_endpoints, load_endpoint  # noqa: PLC0415
    from shared.flattening import Flattening  # noqa: PLC0415

    endpoint = load_endpoint(find_endpoints()[name])
    derive = derive_of(endpoint)

    def flatten(runs: Runs) -> dict[str, Any]:
        rows = dict.fromkeys(endpoint.tables, 0)
        findings = {"rejected": 0, "drift": 0, "duplicates": 0}
        for run in runs:
            found = Flattening(endpoint, _CONSTANTS, derive)
            pages = ((body.request, body.content, body.fetched_at) for body in reversed(run))
            for flat in found.pages(pages):
                for table, batch in flat.batches.items():
                    rows[table] += batch.num_rows
            found.accept()
            findings["rejected"] += len(found.rejected)
            findings["drift"] += len(found.drift)
            findings["duplicates"] += sum(found.quality.duplicates.values())
        return {"rows": rows, **findings}

    return flatten


def main(way: str, name: str, file: str, size: str) -> None:
    """Do it, and say what it took."""
    runs = read_runs(Path(file))
    once = sum(len(body.content) for run in runs for body in run)
    times = max(1, int(size) // once)
    work = parsing() if way == "orjson" else flattening(name)
    # What only a process's first run costs is measured with whole runs.
    work(runs[:1])
    watch = Watch()
    found: dict[str, Any] = {}
    with watch.running():
        for _ in range(times):
            found = work(runs)
    told = {"cpu": watch.seconds, "peak_mb": peak_mb(), "times": times, "runs": len(runs), "bytes": once}
    print(json.dumps({**told, **found}))


if __name__ == "__main__":
    main(*sys.argv[1:])

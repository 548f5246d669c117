"""What one scheduled run of each endpoint asks of BigQuery, beside what it may ask.

``python -m tests.performance.bigquery_runs FOLDER [ENDPOINT…]`` collects endpoints, or all, from the
simulated faction, each twice, and prints one line of JSON. ``BIGQUERY_EMULATOR_HOST`` says where.
"""

from __future__ import annotations

import json
import sys
import uuid
from base64 import b64encode
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.cli.hooks import derive_of
from shared.collector import Collector
from shared.endpoint_file import find_endpoints, load_endpoint
from shared.keys import EnvironmentKeys, KeyRing
from shared.ledger import LEDGER
from shared.schedule import rfc3339
from shared.settings import Settings
from shared.simulator import FactionSize, Simulator
from shared.warehouse.bigquery import BigQueryWarehouse
from shared.warehouse.bigquery_ledger import ledger_table, log_name
from shared.warehouse.bigquery_schema import declared_table
from shared.warehouse.families import families

from .bigquery_emulator import PROJECT
from .bigquery_wire import Counting, kinds

if TYPE_CHECKING:
    from shared.endpoint import Endpoint

__all__ = ["Message", "budget", "collect", "modes", "run_all"]

_CRIMES = 300


@dataclass(frozen=True, slots=True)
class Message:
    """A scheduled message, as Pub/Sub pushes it; what the framework would hand over."""

    number: int

    @property
    def data(self) -> dict[str, Any]:
        """Return the push request's body."""
        return {
            "message": {
                "data": b64encode(b"{}").decode(),
                "messageId": f"bench-{self.number}",
                "publishTime": rfc3339(datetime.now(UTC)),
            }
        }

    def __getitem__(self, name: str) -> Any:
        """Return an attribute; there are none."""
        raise KeyError(name)


def modes(endpoint: Endpoint) -> dict[str, int]:
    """Return how many tables of an endpoint are written in each mode."""
    found: dict[str, int] = {}
    for family in families(endpoint):
        mode = endpoint.tables[family.root].mode
        found[mode] = found.get(mode, 0) + len(family.tables)
    return found


def budget(endpoint: Endpoint) -> dict[str, int]:
    """Return the most requests of each kind that one run of an endpoint may make.

    Looks whether a job is done are not among them: how many depends on how long it takes.
    """
    taken = dict.fromkeys(("append", "merge", "replace"), 0) | modes(endpoint)
    transactions = sum(endpoint.tables[f.root].mode != "append" for f in families(endpoint))
    return {
        "load": len(endpoint.tables),
        # Of each table, or of the one where its rows are staged.
        "load a table": 1,
        "query": transactions,
        "copy": taken["replace"],
        # The run, and once in a process the version of its tables.
        "insertAll": 2,
        # Where jobs run; a staging table is made and removed; what a transaction's statements wrote.
        "other": 1 + 2 * (taken["merge"] + taken["replace"]) + transactions,
    }


def collect(collector: Collector, number: int) -> dict[str, int]:
    """Do one run; return how many requests of each kind it made."""
    assert isinstance(collector.warehouse, BigQueryWarehouse)
    counting = Counting()
    counting.watch(collector.warehouse.place.client)
    attempt = collector.handle(Message(number))
    if attempt.outcome != "ok":
        raise RuntimeError(f"{collector.endpoint.name} ended as {attempt.outcome}: {attempt.error}")
    refused = [one for one in counting.sent if one.status >= 400]
    if refused:
        raise RuntimeError(f"{collector.endpoint.name}: {refused[0].path} was answered {refused[0].status}")
    loads = Counter(one.table for one in counting.sent if one.kind == "load")
    return {**kinds(counting.sent), "load a table": max(loads.values(), default=0)}


def run_all(folder: Path, *names: str) -> dict[str, dict[str, Any]]:
    """Collect endpoints, or all, each for the first time in its process and once more."""
    found = {}
    files = find_endpoints()
    with Simulator(calls_per_minute=1_000_000_000, faction=FactionSize(crimes=_CRIMES)) as api:
        for name in names or files:
            endpoint = load_endpoint(files[name])
            collector = _collector(endpoint, api.url, api.key, folder)
            try:
                first, again = collect(collector, 1), collect(collector, 2)
            finally:
                place = collector.warehouse.place
                place.client.delete_dataset(f"{PROJECT}.{place.dataset}", delete_contents=True)
            found[name] = {
                "modes": modes(endpoint),
                "tables": len(endpoint.tables),
                "first": first,
                "again": again,
                "budget": budget(endpoint),
            }
    return found


def _collector(endpoint: Endpoint, url: str, key: str, folder: Path) -> Collector:
    """Return a collector that is ready, with the tables that it needs."""
    environ = {
        "TORN_API_URL": url,
        "TORN_API_KEY": key,
        "ARCHIVE": f"file:{folder / endpoint.name}",
        "WAREHOUSE": f"bigquery:{PROJECT}.runs_{uuid.uuid4().hex[:12]}",
    }
    settings = Settings.read(environ)
    keys = KeyRing(EnvironmentKeys(environ))
    # A client of its own makes the tables: what a run asks is asked by a new one.
    made = BigQueryWarehouse(PROJECT, Collector(endpoint, settings, keys=keys).warehouse.place.dataset).place
    made.client.create_dataset(f"{PROJECT}.{made.dataset}")
    for name in LEDGER:
        made.client.create_table(ledger_table(made.table(log_name(name)), name))
    for name in endpoint.tables:
        made.client.create_table(declared_table(made.table(name), endpoint, name))
    return Collector(endpoint, settings, keys=keys, derive=derive_of(endpoint))


if __name__ == "__main__":
    print(json.dumps(run_all(Path(sys.argv[1]), *sys.argv[2:])))

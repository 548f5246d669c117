"""What runs in a process of its own: one way of loading rows into a dataset, which is made and removed.

``python -m tests.performance.bigquery_worker WAY FOLDER`` prints one line of JSON: CPU seconds of the
loading and of making what it takes, peak memory until then, what was sent, and what the tables then hold.
``BIGQUERY_EMULATOR_HOST`` says where.
"""

from __future__ import annotations

import json
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.warehouse.bigquery import BigQueryWarehouse
from shared.warehouse.bigquery_schema import declared_table

from . import bigquery_rows
from .approaches import TABLES
from .bigquery_emulator import PROJECT
from .bigquery_ways import WAYS, Loading
from .bigquery_wire import Counting, kinds
from .watch import peak_mb

if TYPE_CHECKING:
    from google.cloud import bigquery

__all__ = ["held", "load"]


def load(way: str, folder: Path) -> dict[str, Any]:
    """Load in one way into a new dataset; return what that took and what the tables hold."""
    warehouse = BigQueryWarehouse(PROJECT, f"bench_{uuid.uuid4().hex[:12]}")
    place = warehouse.place
    dataset = f"{PROJECT}.{place.dataset}"
    place.client.create_dataset(dataset)
    try:
        for name in TABLES:
            place.client.create_table(declared_table(place.table(name), bigquery_rows.appending(), name))
        loading = Loading(folder=folder, warehouse=warehouse)
        counting = Counting()
        counting.watch(place.client)
        WAYS[way](loading)
        sent = list(counting.sent)
        told = {
            "cpu": loading.load.seconds,
            "converted": loading.convert.seconds,
            "peak_mb": peak_mb(),
            "bytes": sum(one.size for one in sent),
            "requests": len(sent),
            "kinds": kinds(sent),
        }
        return {**told, "held": {name: held(place.client, place.quoted(name)) for name in TABLES}}
    finally:
        place.client.delete_dataset(dataset, delete_contents=True)


def held(client: bigquery.Client, quoted: str) -> dict[str, int]:
    """Return how many rows a table has, and a checksum of them all, whatever their order."""
    # Each row differs from every other by its key, so that none cancels another. The emulator takes
    # minutes for FARM_FINGERPRINT of as many rows.
    digest = "CAST(CONCAT('0x', SUBSTR(TO_HEX(MD5(TO_JSON_STRING(t))), 1, 15)) AS INT64)"
    (found,) = client.query_and_wait(
        f"SELECT COUNT(*) AS `rows`, BIT_XOR({digest}) AS checksum FROM {quoted} AS t"
    )
    return dict(found)


if __name__ == "__main__":
    print(json.dumps(load(sys.argv[1], Path(sys.argv[2]))))

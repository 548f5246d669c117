"""The commands that collect from a faction on this machine: TCdatalogger's, and dlt's."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from .processes import PEERS, PRODUCT, run
from .rounds import Job

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["DLT_TABLES", "FLOOR", "PROGRAM", "dlt", "environment", "floor", "row_counts"]

PROGRAM = PRODUCT.replace("/python", "/tcdatalogger")
#: What no collector of this kind can do without.
FLOOR = "import requests, duckdb, pyarrow, msgspec"
#: Our tables whose rows dlt's source has too, one for one, and what it calls them.
DLT_TABLES = {
    "basic": "basic",
    "basic_pacts": "wars__pacts",
    "basic_raid_war_factions": "wars__wars__raids__factions",
    "basic_raids": "raids",
    "basic_ranked_war_factions": "wars__wars__ranked__factions",
    "basic_territories": "territory",
    "basic_territory_war_factions": "wars__wars__territory__factions",
    "crimes": "crimes",
    "crimes_reward_items": "crimes__rewards__items",
    "crimes_slots": "crimes__slots",
    "currency_listings": "points",
    "faction_currency": "balance",
    "faction_currency_members": "balance__members",
    "items": "items",
    "members": "members",
}


def environment(url: str, key: str, folder: Path) -> dict[str, str]:
    """Return what makes TCdatalogger collect from this faction into a folder."""
    return {
        "TORN_API_URL": url,
        "TORN_API_KEY": key,
        "WAREHOUSE": f"duckdb:{folder / 'ours.duckdb'}",
        "ARCHIVE": f"file:{folder / 'archive'}",
    }


def dlt(name: str, url: str, key: str, folder: Path, *resources: str) -> Job:
    """Return the job of collecting with dlt into a folder; see ``dlt_rest`` for the resources."""
    folder.mkdir()
    env = {"RUNTIME__DLTHUB_TELEMETRY": "false", "DLT_DATA_DIR": str(folder)}
    command = (PEERS, "-m", "tests.performance.dlt_rest", url, key, str(folder), *resources)
    return Job(name=name, command=command, env=env)


def floor() -> Job:
    """Return the job of importing what no collector can do without."""
    return Job(name=FLOOR, command=(PRODUCT, "-c", FLOOR))


def row_counts(path: Path, schema: str = "main", tables: Sequence[str] | None = None) -> dict[str, int]:
    """Return how many rows these tables of a database have, or all; a table that is not there has none."""
    # Not in this process: a child's peak memory begins at its parent's.
    told = run((PEERS, "-m", "tests.performance.count_rows", str(path), schema))
    found: dict[str, int] = json.loads(told.printed)
    return found if tables is None else {name: found.get(name, 0) for name in tables}

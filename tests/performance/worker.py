"""What runs in a process of its own: one way of flattening, over files of pages.

``python -m tests.performance.worker WAY FILE…`` prints one line of JSON: CPU seconds of the work
(imports and the reading of pages left out), peak memory, and rows per table.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path

from .pages import Pages
from .watch import peak_mb

__all__ = ["work"]


def work(way: str, pages: Pages) -> dict[str, int]:
    """Flatten the pages, discard the tables, and return how many rows each had."""
    flatten = import_module(f".approaches.{way}", __package__).flatten
    rows: dict[str, int] = {}
    with pages.watch.running():
        for tables in flatten(pages):
            for name, table in tables.items():
                rows[name] = rows.get(name, 0) + table.num_rows
    return rows


if __name__ == "__main__":
    given = Pages(*map(Path, sys.argv[2:]))
    found = work(sys.argv[1], given)
    print(json.dumps({"cpu": given.watch.seconds, "peak_mb": peak_mb(), "rows": found}))

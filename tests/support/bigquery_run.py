"""Write one run of the made-up family in a process of its own.

It is called with a host, a dataset, a mode and the run's name, which is the account's name, too. What is
printed is what was written, or "repeated".
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from shared.logs import configure
from support.bigquery import Dataset
from support.tables import batch, family
from support.writing import part, run

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["AFTER", "PARTS", "THINGS", "older", "rows", "write"]

THINGS = [{"id": 1, "name": "new"}, {"id": 3}]
PARTS = [part(1, 0, "q")]
#: Mode → the rows of both tables after the run, over the older ones.
AFTER = {
    "append": [(1, "new"), (1, None), (2, None), (3, None), (1, 0, "p"), (1, 0, "q"), (1, 1, "p")],
    "merge": [(1, "new"), (2, None), (3, None), (1, 0, "q")],
    "replace": [(1, "new"), (3, None), (1, 0, "q")],
}


def older(place: Dataset, runs: Iterable[str]) -> None:
    """Write the older rows of many runs, each an account of its own, by one load."""
    before = family("append")
    place.prepare(before)
    with place.begin(before, "before", "all") as writer:
        for account in runs:
            things, parts = [{"id": 1}, {"id": 2}], [part(1, 0), part(1, 1)]
            writer.write("things", batch(before, "things", things, run="old", at=0, account=account))
            writer.write("parts", batch(before, "parts", parts, run="old", at=0, account=account))
        writer.finish()


def rows(place: Dataset, name: str) -> list[tuple[Any, ...]]:
    """Return the rows of both tables that a run's account has."""
    return [
        *place.rows("things", name, "id", "name"),
        *place.rows("parts", name, "thing_id", "part_index", "part"),
    ]


def write(place: Dataset, mode: str, name: str) -> str:
    """Write the run; return what was written, as text."""
    written = run(place, family(mode), THINGS, PARTS, name=name, at=5, account=name)
    return "repeated" if written is None else " ".join(f"{k}={n}" for k, n in written.rows.items())


if __name__ == "__main__":
    configure("text", "DEBUG")
    host, dataset, mode, name = sys.argv[1:]
    place = Dataset(host, dataset, make=False)
    place.made(family(mode))
    print(write(place, mode, name))

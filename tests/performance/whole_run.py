"""A scheduled run: 100 crimes from an API on this machine into a loaded database, the whole process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .collecting import DLT_TABLES, FLOOR, PROGRAM, dlt, environment, floor, row_counts
from .faction import faction
from .processes import PRODUCT, ProcessError
from .report import Report, Table, Verdict
from .rounds import Job, take_turns

if TYPE_CHECKING:
    from pathlib import Path

    from .session import Session

__all__ = ["measure"]

_CRIMES = 100
_OURS = "tcdatalogger run crimes"
_DLT = "dlt, REST API source"
_BARE = "python that ends at once"
_RELOADS = 2
_TABLES = ("crimes", "crimes_slots", "crimes_reward_items")


def measure(session: Session) -> Report:
    """Measure runs into databases that earlier runs have loaded."""
    with faction(_CRIMES) as (url, key):
        jobs = [
            Job(name=_OURS, command=(PROGRAM, "run", "crimes"), env=environment(url, key, session.folder)),
            dlt(_DLT, url, key, session.folder / "dlt"),
        ]
        for job in jobs * _RELOADS:
            job.measure()
        floors = [floor(), Job(name=_BARE, command=(PRODUCT, "-c", "pass"))]
        rounds = take_turns([*jobs, *floors], 2 if session.quick else 7)
        _same_rows(session.folder)
    names = [job.name for job in (*floors[::-1], *jobs)]
    rows = [
        [
            name,
            f"{rounds.ratio(name, _DLT):.2f}",
            f"{rounds.ratio(name, FLOOR):.2f}",
            f"{rounds.peak(name):.0f}",
        ]
        for name in names
    ]
    return Report(
        title="A scheduled run",
        notes="One page of 100 crimes from an API on this machine, merged into a DuckDB file that holds "
        "them: the CPU time of the whole process. TCdatalogger also archives the answer, checks it and "
        "records the run.",
        tables=[Table(["", "x dlt", "x the imports", "peak MB"], rows)],
        verdicts=[Verdict("a run, x dlt's", rounds.ratio(_OURS, _DLT), 1 / 3, 1 / 5)],
        raw=rounds.raw(),
    )


def _same_rows(folder: Path) -> None:
    """Hold that both databases have every crime, slot and reward once."""
    tables = {name: DLT_TABLES[name] for name in _TABLES}
    ours = row_counts(folder / "ours.duckdb", tables=_TABLES)
    theirs = row_counts(folder / "dlt/crimes.duckdb", "faction", list(tables.values()))
    if list(ours.values()) != list(theirs.values()) or ours["crimes"] != _CRIMES:
        raise ProcessError(f"rows: {ours} of ours, {theirs} of dlt")

"""Every endpoint in one command, beside a command for each, and beside dlt for the same requests."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

from .collecting import DLT_TABLES, FLOOR, PROGRAM, dlt, environment, floor, row_counts
from .faction import faction
from .processes import ROOT, ProcessError
from .report import Report, Table, Verdict
from .rounds import Job, take_turns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from .session import Session

__all__ = ["answered", "measure", "one_by_one"]

_CRIMES = 100
_DLT = "dlt, REST API source"
_RELOADS = 1


def measure(session: Session) -> Report:
    """Measure runs into databases that earlier runs have loaded."""
    folder = session.folder
    with faction(_CRIMES) as (url, key):
        names, whole = answered(environment(url, key, folder / "probe"))
        together = Job(
            name="tcdatalogger run --all" if whole else "tcdatalogger run, those of all",
            command=(PROGRAM, "run", *(["--all"] if whole else names)),
            env=environment(url, key, folder / "together"),
        )
        single = one_by_one("tcdatalogger run, one by one", names, environment(url, key, folder / "single"))
        peer = dlt(_DLT, url, key, folder / "dlt-all", "all")
        jobs = [together, single, peer]
        for job in jobs * _RELOADS:
            job.measure()
        rounds = take_turns([*jobs, floor()], 2 if session.quick else 3)
    _same_rows(folder)
    rows = [
        [
            job.name,
            f"{rounds.ratio(job.name, single.name):.2f}",
            f"{rounds.ratio(job.name, FLOOR):.2f}",
            f"{rounds.wall_ratio(job.name, single.name):.2f}",
            f"{rounds.peak(job.name):.0f}",
        ]
        for job in (floor(), *jobs)
    ]
    return Report(
        title="All endpoints",
        notes=f"{', '.join(names)}: from an API on this machine into a DuckDB file that holds earlier runs. "
        "CPU time of all processes, the time until the last command ends, and the peak memory of the largest "
        "process. dlt makes the same requests; its tables have the same rows, but none that is derived.",
        tables=[Table(["", "CPU x one by one", "x the imports", "time x one by one", "peak MB"], rows)],
        verdicts=[
            Verdict("all endpoints at once, CPU x one by one", rounds.ratio(together.name, single.name), 1)
        ],
        raw=rounds.raw(),
    )


def one_by_one(name: str, endpoints: Sequence[str], env: Mapping[str, str], *, program: str = PROGRAM) -> Job:
    """Return the job of a command for each endpoint, one after another."""
    script = 'program=$0; for name; do "$program" run "$name"; done'
    return Job(name=name, command=("sh", "-ec", script, program, *endpoints), env=env)


def answered(env: Mapping[str, str]) -> tuple[list[str], bool]:
    """Return the endpoints that the simulated faction has an answer for, and whether these are all."""
    told = subprocess.run(
        (PROGRAM, "run", "--all", "--json"), cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    try:
        records = json.loads(told.stdout)
    except ValueError:
        raise ProcessError(f"tcdatalogger run --all said:\n{told.stderr[-3000:]}") from None
    good = [record["endpoint"] for record in records if record["outcome"] == "ok"]
    return good, len(good) == len(records)


def _same_rows(folder: Path) -> None:
    """Hold that all have written the same number of rows, to the tables that both have."""
    together = row_counts(folder / "together/ours.duckdb")
    single = row_counts(folder / "single/ours.duckdb")
    if together != single:
        raise ProcessError(f"rows: {together} of all together, {single} of one by one")
    if together.get("crimes") != _CRIMES:
        raise ProcessError(f"there are {_CRIMES} crimes; the rows are {together}")
    theirs = row_counts(folder / "dlt-all/crimes.duckdb", "faction", list(DLT_TABLES.values()))
    for ours, their in DLT_TABLES.items():
        if together.get(ours, 0) != theirs[their]:
            raise ProcessError(f"{ours}: {together.get(ours, 0)} rows of ours, {theirs[their]} of dlt")

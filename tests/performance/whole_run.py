"""A scheduled run: 100 crimes from an API on this machine into a loaded database, the whole process."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .processes import PEERS, PRODUCT, ROOT, ProcessError
from .report import Report, Table, Verdict
from .rounds import Job, take_turns

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .session import Session

__all__ = ["measure"]

_CRIMES = 100
_OURS = "tcdatalogger run crimes"
_DLT = "dlt, REST API source"
_FLOOR = "import requests, duckdb, pyarrow, msgspec"
_BARE = "python that ends at once"
_RELOADS = 2


def measure(session: Session) -> Report:
    """Measure runs into databases that earlier runs have loaded."""
    with _simulator() as (url, key):
        jobs = [_ours(url, key, session.folder), _dlt(url, key, session.folder)]
        for job in jobs * _RELOADS:
            job.measure()
        floors = [
            Job(name=_FLOOR, command=(PRODUCT, "-c", _FLOOR)),
            Job(name=_BARE, command=(PRODUCT, "-c", "pass")),
        ]
        rounds = take_turns([*jobs, *floors], 2 if session.quick else 9)
        _same_rows(session.folder)
    names = [job.name for job in (*floors[::-1], *jobs)]
    rows = [
        [
            name,
            f"{rounds.ratio(name, _DLT):.2f}",
            f"{rounds.ratio(name, _FLOOR):.2f}",
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


@contextmanager
def _simulator() -> Iterator[tuple[str, str]]:
    command = (PRODUCT, "-m", "tests.performance.server", str(_CRIMES))
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            line = process.stdout.readline().split()
            if len(line) != 2:
                raise ProcessError("the simulator did not start")
            yield line[0], line[1]
        finally:
            # It ends with its input; nothing is killed.
            process.stdin.close()
            process.wait(10)


def _ours(url: str, key: str, folder: Path) -> Job:
    env = {
        "TORN_API_URL": url,
        "TORN_API_KEY": key,
        "WAREHOUSE": f"duckdb:{folder / 'ours.duckdb'}",
        "ARCHIVE": f"file:{folder / 'archive'}",
    }
    program = PRODUCT.replace("/python", "/tcdatalogger")
    return Job(name=_OURS, command=(program, "run", "crimes"), env=env)


def _dlt(url: str, key: str, folder: Path) -> Job:
    place = folder / "dlt"
    place.mkdir()
    env = {"RUNTIME__DLTHUB_TELEMETRY": "false", "DLT_DATA_DIR": str(place)}
    command = (PEERS, "-m", "tests.performance.dlt_rest", url, key, str(place))
    return Job(name=_DLT, command=command, env=env)


def _same_rows(folder: Path) -> None:
    """Hold that both databases have every crime and slot once."""
    # Not before the rounds: a child's peak memory begins at its parent's.
    import duckdb  # noqa: PLC0415

    places = {
        folder / "ours.duckdb": ("main", "crimes_slots"),
        folder / "dlt/crimes.duckdb": ("faction", "crimes__slots"),
    }
    found = []
    for path, (schema, slots) in places.items():
        with duckdb.connect(str(path), read_only=True) as connection:
            rows = connection.sql(
                "SELECT count(*), count(DISTINCT id), "
                f"(SELECT count(*) FROM {schema}.{slots}) FROM {schema}.crimes"
            ).fetchall()
            found.append(rows[0])
    if found[0] != found[1] or found[0][:2] != (_CRIMES, _CRIMES):
        raise ProcessError(f"crimes, distinct crimes and slots: {found[0]} of ours, {found[1]} of dlt")

"""Loading into BigQuery: Arrow batches to tables, beside the ways that Google's client offers."""

from __future__ import annotations

import json
from statistics import median
from typing import TYPE_CHECKING, Any

from .bigquery_emulator import emulator
from .bigquery_wire import JOBS, LOOK
from .processes import PEERS, PRODUCT, ProcessError, run
from .report import Report, Table, Verdict
from .rounds import Job, flattening, take_turns

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from .processes import Outcome
    from .rounds import Rounds
    from .session import Session

__all__ = ["broken", "measure", "same_rows"]

_BASE = "orjson.loads alone"
_APPEND, _MERGE = "TCdatalogger, append", "TCdatalogger, merge"

# Crimes → rounds and ways. The slow ones get fewer of both; each is held against ours with its own rows.
_WAYS: dict[int, tuple[int, dict[str, str]]] = {
    100_000: (5, {_APPEND: "append", _MERGE: "merge", "pandas, load_table_from_dataframe": "dataframe"}),
    20_000: (3, {_APPEND: "append", "load_table_from_json": "json"}),
    10_000: (3, {_APPEND: "append", "insert_rows_json, 500 rows each": "insert_all"}),
}
_OURS = frozenset({"append", "merge"})
_SENT = (*JOBS, "insertAll", "other", LOOK)


def measure(session: Session) -> Report:
    """Measure every way, and count what a scheduled run of each endpoint asks."""
    folder = session.folder / "bigquery"
    folder.mkdir()
    costs: list[list[str]] = []
    wire: list[list[str]] = []
    raw: dict[str, Any] = {}
    with emulator(folder / "emulator") as host:
        env = {"BIGQUERY_EMULATOR_HOST": host}
        for crimes, (count, ways) in _WAYS.items():
            number = crimes // session.scale
            (pages,) = session.pages(number)
            rounds, rows = _turns(ways, pages, folder, env, 2 if session.quick else count)
            raw[str(number)] = {**rounds.raw(), "sent": {name: _first(rounds, name) for name in ways}}
            for name in ways:
                if name != _APPEND or not costs:
                    costs.append(_cost(name, number, rounds))
                    wire.append(_wire(name, number, rows, rounds))
        asked = json.loads(run((PRODUCT, *_module("runs"), str(folder / "archive")), env=env).printed)
    return Report(
        title="Loading into BigQuery",
        notes="The rows of crimes, crimes_slots and crimes_reward_items, loaded into the emulator: CPU time "
        "and peak memory of the client's process; what the emulator takes is not in them. Every way is given "
        "the rows in the form that it takes: TCdatalogger the batches as flattening makes them, the others "
        "data frames or dictionaries; the column *from Arrow* adds what making these takes. The multiples "
        "are of what TCdatalogger takes to append the same rows, and of orjson.loads of the pages that they "
        "come from. The slow ones were given fewer crimes. Afterwards all tables held the same rows, by "
        "count and checksum. How often a client looks whether a job is done depends on how long the job "
        "takes, so requests are counted without that. The last table is what one scheduled run of each "
        "endpoint asks of BigQuery, the first in its process; the next one asks neither for the dataset's "
        "location nor to note the version of its tables.",
        tables=[
            Table(
                ["", "crimes", "x ours", "range", "from Arrow, x ours", "x orjson.loads", "peak MB"],
                costs,
            ),
            Table(["", "crimes", "bytes a row", "requests", "load jobs", "queries", "insertAll"], wire),
            _runs(asked),
        ],
        verdicts=_verdicts(asked),
        raw={**raw, "runs": asked},
    )


def broken(asked: Mapping[str, Any]) -> list[str]:
    """Say which endpoints' runs ask more of BigQuery than they may."""
    return [
        f"{name}, {which} run: {kind} {found[which].get(kind, 0)}, allowed {most}"
        for name, found in asked.items()
        for which in ("first", "again")
        for kind, most in found["budget"].items()
        if found[which].get(kind, 0) > most
    ]


def same_rows(rows: Mapping[str, int]) -> Callable[[str, Outcome], None]:
    """Return a check that all ways leave these many rows in the tables, and all the same ones."""
    expected: dict[str, Any] = {}

    def check(name: str, outcome: Outcome) -> None:
        held = outcome.found.get("held")
        if held is None:
            return
        if {table: one["rows"] for table, one in held.items()} != rows:
            raise ProcessError(f"{name} left {held}, where {rows} were loaded")
        expected.update(expected or held)
        if held != expected:
            raise ProcessError(f"{name} left {held}, where another left {expected}")

    return check


def _turns(
    ways: Mapping[str, str], pages: Path, folder: Path, env: Mapping[str, str], count: int
) -> tuple[Rounds, int]:
    rows_folder = folder / pages.stem
    made = run((PRODUCT, *_module("rows"), str(pages), str(rows_folder)))
    rows: dict[str, int] = json.loads(made.printed)
    jobs = [flattening(_BASE, PEERS, "orjson_loads", pages)]
    for name, way in ways.items():
        command = (PRODUCT if way in _OURS else PEERS, *_module("worker"), way, str(rows_folder))
        jobs.append(Job(name=name, command=command, env=env, tells=True))
    return take_turns(jobs, count, check=same_rows(rows)), sum(rows.values())


def _module(name: str) -> tuple[str, str]:
    return "-m", f"tests.performance.bigquery_{name}"


def _first(rounds: Rounds, name: str) -> dict[str, Any]:
    found = rounds.outcomes[name][0].found
    return {key: found[key] for key in ("bytes", "kinds", "converted")}


def _cost(name: str, crimes: int, rounds: Rounds) -> list[str]:
    ratios = rounds.ratios(name, _APPEND)
    whole = median(
        (one.cpu + one.found["converted"]) / ours.cpu
        for one, ours in zip(rounds.outcomes[name], rounds.outcomes[_APPEND], strict=True)
    )
    return [
        name,
        f"{crimes:,}",
        f"{rounds.ratio(name, _APPEND):.2f}",
        "" if name == _APPEND else f"{ratios[0]:.2f} to {ratios[-1]:.2f}",
        f"{whole:.2f}",
        f"{rounds.ratio(name, _BASE):.2f}",
        f"{rounds.peak(name):.0f}",
    ]


def _wire(name: str, crimes: int, rows: int, rounds: Rounds) -> list[str]:
    found = rounds.outcomes[name][0].found
    sent = found["kinds"]
    asked = sum(count for kind, count in sent.items() if kind != LOOK)
    return [
        name,
        f"{crimes:,}",
        f"{found['bytes'] / rows:.0f}",
        f"{asked:,}",
        *(f"{sent.get(kind, 0):,}" for kind in ("load", "query", "insertAll")),
    ]


def _runs(asked: Mapping[str, Any]) -> Table:
    rows = []
    for name, found in asked.items():
        modes = ", ".join(f"{count} {mode}" for mode, count in found["modes"].items())
        rows.append([name, modes, *(str(found["first"].get(kind, 0)) for kind in _SENT)])
    headers = ["load jobs", "query jobs", "copy jobs", "insertAll", "other requests", "looks"]
    return Table(["one run of", "tables", *headers], rows)


def _verdicts(asked: Mapping[str, Any]) -> list[Verdict]:
    """Return what is promised of runs, and how the worst of them keeps it."""
    appended = [found for found in asked.values() if set(found["modes"]) == {"append"}]
    runs = [(found, found[which]) for found in asked.values() for which in ("first", "again")]
    queries = [found[which].get("query", 0) for found in appended for which in ("first", "again")]
    return [
        Verdict("queries of a run that appends", max(queries, default=0), 0),
        Verdict("load jobs for each table and run", max(one["load a table"] for _, one in runs), 1),
        Verdict("kinds of requests above a run's budget", len(broken(asked)), 0),
    ]

"""Flattening: pages of crimes to three typed tables, beside the peers and a bare JSON parse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .processes import PEERS, PRODUCT, ProcessError
from .report import Report, Table, Verdict
from .rounds import flattening, take_turns

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .processes import Outcome
    from .rounds import Rounds
    from .session import Session

__all__ = ["PEER_WAYS", "measure"]

_BASE = "orjson.loads alone"
_OURS = "TCdatalogger"

# Crimes → rounds and ways. The slow ones get fewer of both; each is held against orjson on its own bytes.
_WAYS: dict[int, tuple[int, dict[str, str]]] = {
    100_000: (
        5,
        {
            _OURS: "ours",
            "TCdatalogger, into Parquet": "ours_parquet",
            "Polars, read_json by page": "polars_read_json",
            "DuckDB, from_json": "duckdb_from_json",
        },
    ),
    20_000: (
        3,
        {
            "DuckDB, read_json": "duckdb_read_json",
            "Polars, str.json_decode": "polars_json_decode",
            "Polars, read_ndjson": "polars_read_ndjson",
        },
    ),
    10_000: (
        3,
        {
            "pandas, json_normalize": "pandas_normalize",
            "dlt, into Parquet": "dlt_parquet",
            "dlt, into DuckDB": "dlt_duckdb",
        },
    ),
}
#: The ways that are not ours.
PEER_WAYS = tuple(way for _, ways in _WAYS.values() for way in ways.values() if not way.startswith("ours"))


def measure(session: Session) -> Report:
    """Measure every way."""
    rows: list[list[str]] = []
    raw = {}
    worst = 0.0
    for crimes, (count, ways) in _WAYS.items():
        number = crimes // session.scale
        (file,) = session.pages(number)
        jobs = [flattening(_BASE, PEERS, "orjson_loads", file)]
        for name, way in ways.items():
            jobs.append(flattening(name, PRODUCT if way.startswith("ours") else PEERS, way, file))
        rounds = take_turns(jobs, 2 if session.quick else count, check=_same_rows(file))
        raw[str(number)] = rounds.raw()
        if _OURS in ways:
            worst = rounds.ratio(_OURS, _BASE)
            rows.append([_BASE, f"{number:,}", "1", "", f"{rounds.peak(_BASE):.0f}"])
        rows += [_row(name, number, rounds) for name in ways]
    rows[1:] = sorted(rows[1:], key=lambda row: float(row[2]))
    return Report(
        title="Flattening crimes",
        notes="API pages to the tables crimes, crimes_slots and crimes_reward_items, the same rows, columns "
        "and types by every way. CPU time as a multiple of parsing the same bytes with orjson.loads: the "
        "median of rounds in which all ways took turns, and the rounds' range. TCdatalogger also refuses "
        "wrong types, finds unknown fields, and checks ranges and duplicates; its batches are counted and "
        "discarded. The slow ones were given fewer crimes.",
        tables=[Table(["", "crimes", "x orjson.loads", "range", "peak MB"], rows)],
        verdicts=[Verdict("flattening, x orjson.loads", worst, 1.6, 1.0)],
        raw=raw,
    )


def _row(name: str, crimes: int, rounds: Rounds) -> list[str]:
    ratios = rounds.ratios(name, _BASE)
    return [
        name,
        f"{crimes:,}",
        f"{rounds.ratio(name, _BASE):.2f}",
        f"{ratios[0]:.2f} to {ratios[-1]:.2f}",
        f"{rounds.peak(name):.0f}",
    ]


def _same_rows(file: Path) -> Callable[[str, Outcome], None]:
    """Return a check that all ways make the same number of rows."""
    expected: dict[str, int] = {}

    def check(name: str, outcome: Outcome) -> None:
        rows = outcome.found["rows"]
        if rows:
            expected.update(expected or rows)
            if rows != expected:
                raise ProcessError(f"{name} made {rows} of {file.name}, where another made {expected}")

    return check

"""Flattening of every endpoint: what the simulated faction answers, and the same with long lists."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from .bodies import LARGE, SENT
from .processes import PEERS, PRODUCT, ProcessError, run
from .report import Report, Table
from .rounds import Job, take_turns

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .processes import Outcome
    from .rounds import Rounds
    from .session import Session

__all__ = ["check", "measure"]

_BASE, _OURS = "orjson", "ours"
_MOMENTS = 8
#: Bytes of a run's bodies with long lists: about what is flattened together.
_LONG = 400_000
#: Bytes to go through in a process. Small bodies cost more for each byte.
_BYTES = {SENT: 1_000_000, LARGE: 10_000_000}


def measure(session: Session) -> Report:
    """Measure every folder of functions/ in two sizes."""
    folder = session.folder / "each"
    moments = 2 if session.quick else _MOMENTS
    command = (PRODUCT, "-m", "tests.performance.bodies", str(folder), str(moments), str(_LONG))
    made = json.loads(run(command).printed)
    rows, raw, seconds = [], {}, {}
    for name in made["written"]:
        sizes = [_turns(name, folder / name / file, session) for file in (SENT, LARGE)]
        rows.append(_row(name, sizes))
        raw[name] = {"sent": sizes[0].raw(), "long": sizes[1].raw()}
        sent = sizes[0].outcomes[_OURS][0].found
        seconds[name] = sizes[0].cpu(_OURS) / sent["times"] / sent["runs"]
    dearest = max(seconds, key=lambda name: seconds[name])
    missing = "".join(f" {name} is not measured: {reason}." for name, reason in made["missing"].items())
    return Report(
        title="Flattening each endpoint",
        notes="What the simulated faction of 100 members answers to one run, flattened to typed and checked "
        "tables, derived columns included. CPU time as a multiple of parsing the same bytes with "
        "orjson.loads. A run of few bytes costs what every run costs, whatever its size (the dearest, "
        f"{dearest}, takes {seconds[dearest] * 1000:.1f} ms in all); the same with lists so long that a run "
        f"has {_LONG // 1000} kB shows more of what a byte costs.{missing}",
        tables=[Table(["", "kB a run", "rows", "x orjson.loads", "range", "long lists, x", "range "], rows)],
        raw=raw,
    )


def _turns(name: str, file: Path, session: Session) -> Rounds:
    size = _BYTES[file.name] // session.scale
    args = ("-m", "tests.performance.each_worker")
    jobs = [
        Job(name=way, command=(python, *args, way, name, str(file), str(size)), tells=True)
        for way, python in ((_BASE, PEERS), (_OURS, PRODUCT))
    ]
    return take_turns(jobs, 2 if session.quick else 3, check=check)


def check(way: str, outcome: Outcome) -> None:
    """Hold that rows were made, and all of them the quick way, which takes what is as declared.

    Raises:
        ProcessError: they were not.
    """
    if way != _OURS:
        return
    found = outcome.found
    if not any(found["rows"].values()):
        raise ProcessError(f"the simulated faction's answers hold no rows: {found['rows']}")
    if found["rejected"] or found["drift"] or found["duplicates"]:
        raise ProcessError(f"the simulated faction's answers are not as declared: {found}")


def _row(name: str, sizes: Sequence[Rounds]) -> list[str]:
    sent = sizes[0].outcomes[_OURS][0].found
    cells = [
        name,
        f"{sent['bytes'] / sent['runs'] / 1000:.0f}",
        f"{sum(sent['rows'].values()) / sent['runs']:,.0f}",
    ]
    for rounds in sizes:
        ratios = rounds.ratios(_OURS, _BASE)
        cells += [f"{rounds.ratio(_OURS, _BASE):.1f}", f"{ratios[0]:.1f} to {ratios[-1]:.1f}"]
    return cells

"""Imports: what a cold start pays before the first request, in all and by dependency."""

from __future__ import annotations

import subprocess
from collections import Counter
from typing import TYPE_CHECKING

from .processes import PRODUCT, ROOT
from .report import Report, Table, Verdict
from .rounds import Job, take_turns

if TYPE_CHECKING:
    from .session import Session

__all__ = ["measure"]

_BARE = "python itself"
_FUNCTION = "functions/crimes/main.py in functions-framework"
_COLLECTOR = "shared.collector"
_DEPENDENCIES = (
    "msgspec", "obstore", "pyarrow", "pyarrow.parquet", "pybreaker", "requests", "urllib3", "yaml",
    "duckdb", "functions_framework", "google.cloud.secretmanager", "google.cloud.bigquery",
)  # fmt: skip
_AS_FRAMEWORK = (
    "import functions_framework as f; f.create_app('crimes', 'functions/crimes/main.py', 'cloudevent')"
)
_PEAK = "; import tests.performance.watch as w; print('{\"peak_mb\": %s}' % w.peak_mb())"


def measure(session: Session) -> Report:
    """Measure each import in fresh processes."""
    codes = {_BARE: "pass", _COLLECTOR: f"import {_COLLECTOR}", _FUNCTION: _AS_FRAMEWORK}
    codes |= {name: f"import {name}" for name in _DEPENDENCIES}
    jobs = [Job(name=name, command=(PRODUCT, "-c", code + _PEAK), tells=True) for name, code in codes.items()]
    rounds = take_turns(jobs, 2 if session.quick else 5)
    rows = [[_BARE, "1", f"{rounds.peak(_BARE):.0f}"]] + [
        [name, f"{rounds.ratio(name, _BARE):.1f}", f"{rounds.peak(name):.0f}"]
        for name in codes
        if name != _BARE
    ]
    shares = _shares(f"import {_COLLECTOR}")
    return Report(
        title="Imports",
        notes="CPU of a process that imports this and ends, as a multiple of one that imports nothing, and "
        "its peak memory. Of dependencies, each alone: what they share is counted in each.",
        tables=[
            Table(["import", "x python", "peak MB"], rows),
            Table(["of importing shared.collector", "share"], [[n, f"{share:.0%}"] for n, share in shares]),
        ],
        verdicts=[Verdict("importing shared.collector, peak", rounds.peak(_COLLECTOR), 100, unit=" MB")],
        raw={"shares": dict(shares), **rounds.raw()},
    )


def _shares(code: str, most: int = 12) -> list[tuple[str, float]]:
    """Return the top packages of an import by their own time, the standard library's modules by name."""
    command = (PRODUCT, "-X", "importtime", "-c", code)
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    told = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stderr
    own: Counter[str] = Counter()
    for line in told.splitlines():
        head, _, rest = line.removeprefix("import time:").partition("|")
        if head.strip().isdigit():
            own[rest.partition("|")[2].strip().partition(".")[0]] += int(head)
    total = own.total()
    return [(name, micros / total) for name, micros in own.most_common(most)]

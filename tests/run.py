"""Run the tests with coverage, also of the processes they start; reports go to tests/reports.

Arguments are pytest's. Without any, everything runs and the coverage is held to its bound. With
``--unmeasured`` first there is no coverage, which takes as long again.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tomllib
from contextlib import closing
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REPORTS = ROOT / "tests" / "reports"
# A key or a warehouse of the person who runs the tests is none of the tests' business.
PRIVATE = (
    "TORN_",
    "WAREHOUSE",
    "ARCHIVE",
    "ACCOUNTS",
    "KEY_SECRET_PREFIX",
    "LOG_",
    "RUN_TIMEOUT",
    "K_SERVICE",
    "BIGQUERY_",
    "PUBSUB_EMULATOR_HOST",
)


def main() -> int:
    chosen = sys.argv[1:]
    measured = chosen[:1] != ["--unmeasured"]
    chosen = chosen if measured else chosen[1:]
    shutil.rmtree(REPORTS, ignore_errors=True)
    REPORTS.mkdir(parents=True)
    env = {name: value for name, value in os.environ.items() if not name.startswith(PRIVATE)}
    # Tests start many processes: each would compile the package anew.
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    # Started in the background by a shell, Ctrl-C would be ignored here and in every process of the tests.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    python = [sys.executable, "-m"]
    # The tests run in processes of their own: the one that spreads them over these has nothing to measure.
    quiet = [sys.executable, "-W", "ignore:No data was collected", "-m"]
    tests = [*quiet, "coverage", "run", "-m"] if measured else python
    tests = [*tests, "pytest", f"--junitxml={REPORTS / 'junit.xml'}"]
    if not any(argument.startswith("-n") for argument in chosen):
        # One more than there are cores: a good part of the tests waits for a process or a clock.
        tests += ["-n", str((os.cpu_count() or 1) + 1), "--dist", "worksteal"]
    code = subprocess.run([*tests, *chosen], cwd=ROOT, env=env, check=False).returncode
    if not measured:
        return code
    for file in REPORTS.glob(".coverage.*"):
        if not _whole(file):
            file.unlink()
    subprocess.run([*python, "coverage", "combine", "--quiet"], cwd=ROOT, env=env, check=False)
    subprocess.run([*python, "coverage", "json", "--quiet", "--fail-under=0"], cwd=ROOT, env=env, check=False)
    if chosen:
        return code
    report = [*python, "coverage", "report", "--precision=1"]
    held = subprocess.run(report, cwd=ROOT, env=env, check=False).returncode
    return code or held or _branches()


def _branches() -> int:
    """Hold the branches alone to the bound, too: lines, of which there are more, could make up for them."""
    bound = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    at_least = bound["tool"]["coverage"]["report"]["fail_under"]
    report = json.loads((REPORTS / "coverage.json").read_text(encoding="utf-8"))
    covered = report["totals"]["percent_branches_covered"]
    print(f"Of the branches alone: {covered:.1f} % (at least {at_least} %)")
    return int(covered < at_least)


def _whole(file: Path) -> bool:
    """Say whether a process could finish what it wrote: one that was killed meanwhile leaves half of it."""
    try:
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as data:
            return data.execute("PRAGMA integrity_check").fetchone() == ("ok",) and bool(
                data.execute("SELECT version FROM coverage_schema").fetchone()
            )
    except sqlite3.DatabaseError:
        return False


if __name__ == "__main__":
    sys.exit(main())

"""Run the tests with coverage, also of the processes they start; reports go to tests/reports.

Arguments are pytest's. Without any, everything runs and the coverage is held to its bound.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
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
)


def main() -> int:
    chosen = sys.argv[1:]
    shutil.rmtree(REPORTS, ignore_errors=True)
    REPORTS.mkdir(parents=True)
    env = {name: value for name, value in os.environ.items() if not name.startswith(PRIVATE)}
    # Tests start many processes: each would compile the package anew.
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    python = [sys.executable, "-m"]
    tests = [*python, "coverage", "run", "-m", "pytest", f"--junitxml={REPORTS / 'junit.xml'}"]
    if not any(argument.startswith("-n") for argument in chosen):
        tests += ["-n", "auto", "--dist", "worksteal"]
    code = subprocess.run([*tests, *chosen], cwd=ROOT, env=env, check=False).returncode
    subprocess.run([*python, "coverage", "combine", "--quiet"], cwd=ROOT, env=env, check=False)
    subprocess.run([*python, "coverage", "json", "--quiet", "--fail-under=0"], cwd=ROOT, env=env, check=False)
    if chosen:
        return code
    held = subprocess.run([*python, "coverage", "report"], cwd=ROOT, env=env, check=False).returncode
    return code or held


if __name__ == "__main__":
    sys.exit(main())

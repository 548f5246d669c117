"""Run the benchmarks: ``python -m tests.performance [--quick] [--readme] [NAME…]``.

Exit codes: 0 every promise holds, 1 one does not, 2 it was called wrongly or nothing is kept.
"""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

from . import machine, report
from .bigquery_emulator import NotInstalledError
from .processes import PRODUCT
from .session import Session

# Memory first: the others take its pages.
BENCHMARKS = ("memory", "flatten", "each", "whole_run", "run_all", "imports", "drift", "bigquery")
README = ["flatten", "each", "memory", "whole_run", "run_all", "bigquery", "drift"]


def main() -> int:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.performance", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}; all if none")
    parser.add_argument("--quick", action="store_true", help="small and few: does it work? Nothing is kept")
    parser.add_argument(
        "--readme", action="store_true", help="print what was kept as markdown, and run nothing"
    )
    asked = parser.parse_args()
    if asked.readme:
        return _readme()
    if unknown := set(asked.names).difference(BENCHMARKS):
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    if not Path(PRODUCT).exists():
        parser.error(f"there is no {PRODUCT}: run `make run` once, which sets it up")
    described = machine.describe()
    reports: dict[str, report.Report] = {}
    left_out: list[str] = []
    with TemporaryDirectory(prefix="tcdatalogger-bench-") as folder:
        session = Session(folder=Path(folder), quick=asked.quick)
        for name in asked.names or BENCHMARKS:
            try:
                reports[name] = import_module(f".{name}", __package__).measure(session)
            except NotInstalledError as error:
                left_out.append(f"FAIL {name} is left out: {error}")
                continue
            print(reports[name].text(), end="\n\n\n", flush=True)
    if not asked.quick:
        report.keep(described, reports)
        report.TABLES.parent.mkdir(exist_ok=True)
        report.TABLES.write_text(
            f"{report.markdown(report.kept() or {}, [*README, *set(BENCHMARKS).difference(README)])}\n",
            encoding="utf-8",
        )
        print(f"kept in {report.RESULTS}, to read in {report.TABLES}")
    verdicts = [verdict for one in reports.values() for verdict in one.verdicts]
    print("\n".join([*(verdict.text() for verdict in verdicts), *left_out]))
    # A quick one is too small to judge by.
    return 0 if asked.quick or (all(verdict.kept for verdict in verdicts) and not left_out) else 1


def _readme() -> int:
    found = report.kept()
    if found is None:
        print("nothing is kept yet: run it without --readme first", file=sys.stderr)
        return 2
    print(report.markdown(found, README))
    return 0


if __name__ == "__main__":
    sys.exit(main())

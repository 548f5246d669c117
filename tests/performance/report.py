"""What a benchmark found: tables to read, verdicts that decide, raw numbers to keep."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["RESULTS", "TABLES", "Report", "Table", "Verdict", "keep", "kept", "markdown"]

RESULTS = Path(__file__).with_name("results.json")
#: The same to read, beside the tests' reports.
TABLES = Path(__file__).parents[1] / "reports" / "benchmarks.md"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of texts under headers."""

    headers: list[str]
    rows: list[list[str]]

    def text(self, style: str = "simple") -> str:
        """Return it as tabulate writes it; ``pipe`` is markdown."""
        # The product's environment, where a test imports this module, does not have it.
        from tabulate import tabulate  # noqa: PLC0415

        numbers = ("left",) + ("right",) * (len(self.headers) - 1)
        return tabulate(self.rows, self.headers, tablefmt=style, colalign=numbers, disable_numparse=True)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One promise: what was measured, the most it may be, and what we would like it to be."""

    what: str
    measured: float
    limit: float
    stretch: float | None = None
    unit: str = ""

    @property
    def kept(self) -> bool:
        """Say whether the promise holds."""
        return self.measured <= self.limit

    def text(self) -> str:
        """Return one line."""
        word = "ok  " if self.kept else "FAIL"
        wish = "" if self.stretch is None else f", wished for {self.stretch:.3g}"
        return (
            f"{word} {self.what}: {self.measured:.3g}{self.unit} (at most {self.limit:.3g}{self.unit}{wish})"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one benchmark found."""

    title: str
    notes: str
    tables: list[Table]
    verdicts: list[Verdict] = field(default_factory=list)
    raw: dict[str, Any] = field(default_factory=dict)

    def text(self) -> str:
        """Return it for a terminal."""
        parts = [self.title, self.notes, *(table.text() for table in self.tables)]
        return "\n\n".join([*parts, *(["\n".join(v.text() for v in self.verdicts)] if self.verdicts else [])])


def keep(machine: dict[str, Any], reports: dict[str, Report]) -> None:
    """Keep results in results.json; those of benchmarks that were not run stay."""
    found = kept() or {"benchmarks": {}}
    found["benchmarks"] |= {name: {**asdict(report), "machine": machine} for name, report in reports.items()}
    RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def kept() -> dict[str, Any] | None:
    """Return what results.json holds; None when there is none."""
    return json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else None


def markdown(found: dict[str, Any], names: list[str]) -> str:
    """Return kept results as markdown for the README: ratios and memory, no absolute times."""
    parts: list[str] = []
    for name in names:
        if name in found["benchmarks"]:
            report = found["benchmarks"][name]
            parts += [f"**{report['title']}.** {report['notes']}"]
            parts += [Table(**table).text("pipe") for table in report["tables"]]
    return "\n\n".join(parts)

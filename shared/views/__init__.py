"""Views for people: answers over the tables, one SQL file each, whose first comment says what a row is.

Each is written once, in BigQuery's dialect, with its tables as `` `${dataset}.crimes` ``, which
Python and Terraform's ``templatefile`` fill in alike. ``duckdb/`` has the same in DuckDB's dialect,
made by ``make generate``, so that no run pays for the translator. ``ledger/`` has the views over the
ledger; in its ``by_hand/`` are those that the translator does not know how to say.

No view reads another, so that they can be made in any order.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["FOLDER", "LEDGER_FOLDER", "View", "bigquery_views", "duckdb_views", "sources", "view_names"]

FOLDER = Path(__file__).parent
LEDGER_FOLDER = FOLDER / "ledger"

_HEADER = re.compile(r"(?:--[^\n]*\n)+")
_TABLE = re.compile(r"`\$\{dataset\}\.(\w+)`")


@dataclass(frozen=True, slots=True)
class View:
    """A view, the tables it reads, and its SQL with their names filled in."""

    name: str
    description: str
    sql: str
    tables: frozenset[str]
    #: It was made from its tables' declaration, so that it cannot but fit them.
    is_generated: bool = False


def sources(folder: Path = FOLDER) -> Iterator[View]:
    """Yield a folder's views as they are written: in BigQuery's dialect, ``${dataset}`` as it stands."""
    for file in sorted(folder.glob("*.sql")):
        description, sql = _split(file)
        yield View(file.stem, description, sql, frozenset(_TABLE.findall(sql)))


def bigquery_views(dataset: str, folder: Path = FOLDER) -> list[View]:
    """Return a folder's views for BigQuery; ``dataset`` is ``project.dataset``."""
    return [
        View(view.name, view.description, Template(view.sql).substitute(dataset=dataset), view.tables)
        for view in sources(folder)
    ]


@cache
def duckdb_views(folder: Path = FOLDER) -> tuple[View, ...]:
    """Return a folder's views for DuckDB."""
    found = []
    for view in sources(folder):
        by_hand = folder / "by_hand" / f"{view.name}.sql"
        file = by_hand if by_hand.exists() else folder / "duckdb" / f"{view.name}.sql"
        found.append(View(view.name, view.description, _split(file)[1], view.tables))
    return tuple(found)


@cache
def view_names() -> list[str]:
    """Return the names of all views that are files: no table may have one."""
    return [file.stem for folder in (FOLDER, LEDGER_FOLDER) for file in sorted(folder.glob("*.sql"))]


def _split(file: Path) -> tuple[str, str]:
    """Return a file's first comment as one text, and what follows it."""
    text = file.read_text(encoding="utf-8")
    header = _HEADER.match(text)
    assert header is not None, f"{file}: the first lines say what a row is"
    words = " ".join(line.removeprefix("--").strip() for line in header[0].splitlines())
    return words, text[header.end() :].strip()

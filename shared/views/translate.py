"""Say BigQuery's SQL in DuckDB's words; only ``make generate`` and its test do, a run never."""

from __future__ import annotations

from string import Template
from typing import TYPE_CHECKING

import sqlglot
from sqlglot import exp

from shared.views import FOLDER, LEDGER_FOLDER, sources

if TYPE_CHECKING:
    from pathlib import Path

    from shared.views import View

__all__ = ["duckdb_files", "duckdb_text"]

_PLACE = "_dataset"


def duckdb_files() -> dict[Path, str]:
    """Return the text of every generated file, by path."""
    return {
        folder / "duckdb" / f"{view.name}.sql": duckdb_text(view)
        for folder in (FOLDER, LEDGER_FOLDER)
        for view in sources(folder)
        if not (folder / "by_hand" / f"{view.name}.sql").exists()
    }


def duckdb_text(view: View) -> str:
    """Return a view's file in DuckDB's dialect: every name quoted, tables without a dataset."""
    tree = sqlglot.parse_one(Template(view.sql).substitute(dataset=_PLACE), read="bigquery")
    # One after the other: what a step has put in place of a node, the same step does not look into.
    sql = tree.transform(_plain).transform(_typed).sql(dialect="duckdb", pretty=True, identify=True)
    return f"-- Made by `make generate` from ../{view.name}.sql.\n{sql}\n"


def _plain(node: exp.Expression) -> exp.Expression:
    """Take the dataset away, and read days in UTC, where sqlglot would go through the session's zone."""
    if isinstance(node, exp.Table) and node.db == _PLACE:
        node.set("db", None)
    if isinstance(node, exp.Date) and node.args.get("zone"):
        moment = exp.AtTimeZone(this=node.this, zone=node.args["zone"])
        return exp.cast(moment, "date")
    return node


def _typed(node: exp.Expression) -> exp.Expression:
    """Give what DuckDB has otherwise the value and type that BigQuery gives it."""
    if isinstance(node, exp.CountIf):
        # DuckDB's count_if is NULL, not 0, when no condition is known.
        return exp.Filter(this=exp.Count(this=exp.Star()), expression=exp.Where(this=node.this.copy()))
    if isinstance(node, exp.DateTrunc):
        return exp.cast(node.copy(), "date")
    return node

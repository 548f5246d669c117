"""``tcdatalogger query``: ask the warehouse."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from shared.cli.local import local
from shared.cli.show import as_json, table
from shared.warehouse import open_warehouse

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["query"]


@click.command()
@click.argument("sql")
@click.option("--json", "json_output", is_flag=True, help="Print the rows as JSON.")
def query(sql: str, *, json_output: bool) -> None:
    """Print the rows of an SQL query; "-" reads it from standard input. Nothing can be written."""
    settings = local().settings
    text = sys.stdin.read() if sql == "-" else sql
    if not text.strip():
        raise click.UsageError("There is no SQL in the query.")
    found = open_warehouse(settings.warehouse, wait=settings.warehouse_wait).query(text)
    names = _told_apart(found.column_names)
    rows = list(zip(*(column.to_pylist() for column in found.columns), strict=True))
    if json_output:
        as_json([dict(zip(names, row, strict=True)) for row in rows])
    else:
        table(names, rows)


def _told_apart(names: Iterable[str]) -> list[str]:
    """Return names of which none is there twice: a join may give two columns of one name."""
    told: list[str] = []
    for name in names:
        number, new = 1, name
        while new in told:
            number += 1
            new = f"{name}_{number}"
        told.append(new)
    return told

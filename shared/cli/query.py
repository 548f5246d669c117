"""``tcdatalogger query``: ask the warehouse."""

from __future__ import annotations

import sys

import click

from shared.cli.local import local
from shared.cli.show import as_json, table
from shared.warehouse import open_warehouse

__all__ = ["query"]


@click.command()
@click.argument("sql")
@click.option("--json", "json_output", is_flag=True, help="Print the rows as JSON.")
def query(sql: str, *, json_output: bool) -> None:
    """Print the rows of an SQL query; "-" reads it from standard input. Nothing can be written."""
    settings = local().settings
    text = sys.stdin.read() if sql == "-" else sql
    found = open_warehouse(settings.warehouse, wait=settings.warehouse_wait).query(text)
    rows = found.to_pylist()
    if json_output:
        as_json(rows)
    else:
        table(found.column_names, [tuple(row.values()) for row in rows])

"""``tcdatalogger tables``: make the warehouse's tables as they are declared, where Terraform does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from shared.cli.local import local, one_endpoint, shown_warehouse
from shared.endpoint_file import find_endpoints
from shared.errors import FixConfiguration
from shared.warehouse import open_warehouse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.endpoint import Endpoint
    from shared.warehouse import Change

__all__ = ["tables"]


@click.group()
def tables() -> None:
    """Make the warehouse's tables as they are declared."""


@tables.command()
@click.argument("endpoints", nargs=-1)
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
def apply(endpoints: tuple[str, ...], *, dry_run: bool) -> int:
    """Add what the tables of ENDPOINTS (or all) lack; refuse whatever would lose or retype data."""
    chosen = [one_endpoint(name) for name in dict.fromkeys(endpoints or find_endpoints())]
    here = local()
    if here.settings.warehouse.startswith("bigquery:"):
        _refuse_ceilings(chosen, len(here.settings.accounts))
    warehouse = open_warehouse(here.settings.warehouse, wait=here.settings.warehouse_wait)
    changes = warehouse.apply(chosen, dry_run=dry_run)
    return _say(shown_warehouse(here), chosen, changes, dry_run=dry_run)


def _refuse_ceilings(chosen: Sequence[Endpoint], accounts: int) -> None:
    """Refuse a configuration that BigQuery, or the API, would not bear."""
    from shared.cost.ceilings import ceiling_problems  # noqa: PLC0415 - for BigQuery alone

    problems = ceiling_problems(chosen, accounts)
    if problems:
        raise FixConfiguration(
            f"{accounts} accounts are more than this configuration bears:\n"
            + "\n".join(f"  {p}" for p in problems),
            next_step="change what moves the ceiling; `tcdatalogger cost` shows them all",
        )


def _say(place: str, chosen: Sequence[Endpoint], changes: Sequence[Change], *, dry_run: bool) -> int:
    refused = [change for change in changes if change.refused]
    for change in refused:
        click.echo(f"{change.table}: refused: {change.what}", err=True)
    if refused:
        click.echo(
            "nothing was changed. Columns keep their names and types: declare a new one beside, last, "
            "and leave the old one NULLABLE, without `from` (`tcdatalogger schema check`)",
            err=True,
        )
        return 1
    for change in changes:
        click.echo(f"{change.table}: {'would be: ' if dry_run else ''}{change.what}")
    if not changes:
        click.echo(f"{place}: the tables of {', '.join(one.name for one in chosen)} are as declared")
    return 0

"""``tcdatalogger cost``: the month's bill before it comes, and how far the configuration goes."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from math import ceil
from typing import TYPE_CHECKING, Any

import click

from shared.cli.local import local, shown_warehouse
from shared.cli.show import as_json, table
from shared.cost.bill import make_bill
from shared.cost.ceilings import ceilings, problems_of
from shared.cost.changes import changes
from shared.cost.deployed import deployed
from shared.cost.facts import LIMITS, PRICES
from shared.cost.figures import file_figures
from shared.cost.measured import ledger_figures
from shared.cost.setup import setups_of
from shared.endpoint_file import find_endpoints, load_endpoint
from shared.errors import CollectError
from shared.job import find_jobs, load_job
from shared.warehouse import open_warehouse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from shared.cli.local import Local
    from shared.cost.bill import Bill
    from shared.cost.ceiling import Ceiling
    from shared.cost.changes import Change
    from shared.cost.figures import RunFigures
    from shared.cost.setup import Setup
    from shared.endpoint import Endpoint

__all__ = ["cost"]

_ACCOUNTS = (1, 100, 10_000)
_ASSUMED = (
    "what a job's run, an image, a log line and an alert take is assumed, see shared/cost/figures.toml and "
    "installation.toml"
)
_LEFT_OUT = (
    "not in it: what people ask the tables, logs and dashboard, builds (2,500 minutes are free), traffic out "
    "(requests are small), messages that are delivered again, alerts that are open, taxes"
)


@click.command()
@click.option(
    "--accounts", "counts", multiple=True, type=click.IntRange(1, 1_000_000), metavar="N",
    help="For so many accounts; may be given again. Else 1, 100 and 10,000; with --check those of ACCOUNTS.",
)  # fmt: skip
@click.option(
    "--months", default=12, show_default=True, type=click.IntRange(1, 600),
    help="How long it has been collecting: what is kept costs, too.",
)  # fmt: skip
@click.option("--no-free-tier", is_flag=True, help="At list prices alone, as if nothing were free.")
@click.option("--check", is_flag=True, help="Say only which ceilings are exceeded; exit 1 if any is.")
@click.option("--json", "json_output", is_flag=True, help="Print it as JSON.")
def cost(counts: tuple[int, ...], months: int, *, no_free_tier: bool, check: bool, json_output: bool) -> int:
    """Compute the month's bill and the ceilings from the endpoints and from measured runs."""
    here = local()
    declared = [load_endpoint(file) for file in find_endpoints().values()]
    figures = _figures(declared, here)
    setups = setups_of(declared)
    jobs = [load_job(file) for file in find_jobs().values()]
    bill_of = partial(make_bill, figures=figures, months=months, jobs=jobs)
    found = ceilings(setups, figures)
    if check:
        return _check(found, counts or (len(here.settings.accounts),), json_output=json_output)
    numbers = sorted(set(counts or _ACCOUNTS))
    bills = [bill_of(setups, accounts=number) for number in numbers]
    kinds = (False,) if no_free_tier else (True, False)
    moved = list(changes(setups, figures))
    if json_output:
        as_json(
            {
                "prices_of": PRICES.date, "limits_of": LIMITS.date, "currency": PRICES.currency,
                "region": PRICES.region, "months": months,
                "figures": {name: one.source for name, one in figures.items()},
                "deployed": {name: asdict(one) for name, one in deployed(setups, jobs).items()},
                "bills": [_bill(bill, found, kinds) for bill in bills],
                "ceilings": [_ceiling(one) for one in found],
                "settings": [_change(one, numbers[-1], bill_of) for one in moved],
            }
        )  # fmt: skip
        return 0
    click.echo(
        f"A month of 30 days, after {months} months of collecting, in {PRICES.currency}; "
        f"prices of {PRICES.date} ({PRICES.region}), limits of {LIMITS.date}"
    )
    for name, one in figures.items():
        click.echo(f"  a run of {name}: {one.source}")
    click.echo(f"  {_ASSUMED}\n  {_LEFT_OUT}\n")
    _tables(bills, kinds)
    for bill in bills:
        past = len(problems_of(found, bill.accounts))
        if past:
            click.echo(
                f"{bill.accounts:,} accounts exceed {past} of the ceilings below: the bill as if they did not"
            )
    _how_far(setups, bill_of, found, moved, numbers[-1])
    return 0


def _figures(declared: Sequence[Endpoint], here: Local) -> dict[str, RunFigures]:
    url = here.settings.warehouse
    # What BigQuery holds was collected by the functions, whatever is set here.
    in_cloud = url.startswith("bigquery:")
    simulated = here.simulated and not in_cloud
    try:
        return ledger_figures(
            open_warehouse(url, wait=here.settings.warehouse_wait),
            declared,
            where=f"{shown_warehouse(here)}{' (a simulated faction)' if simulated else ''}",
            in_cloud=in_cloud,
            simulated=simulated,
        )
    except CollectError as error:
        # A bill before the first run is what this is for; that a ledger cannot be read is said.
        click.echo(f"no ledger to take figures from: {error.message}", err=True)
        return {endpoint.name: file_figures(endpoint) for endpoint in declared}


def _check(found: Sequence[Ceiling], counts: Sequence[int], *, json_output: bool) -> int:
    problems = [problem for number in counts for problem in problems_of(found, number)]
    if json_output:
        as_json(problems)
    elif problems:
        for problem in problems:
            click.echo(problem, err=True)
    else:
        first = next((str(one) for one in found if one.accounts is not None), "there is none")
        click.echo(f"no ceiling is exceeded; the first is {first}")
    return 1 if problems else 0


def _tables(bills: Sequence[Bill], kinds: Sequence[bool]) -> None:
    columns = [(bill, free) for bill in bills for free in kinds]
    names = [_column(bill.accounts, free=free, both=len(kinds) > 1) for bill, free in columns]
    services = [bill.by_service(free=free) for bill, free in columns]
    totals = ("total", *(_money(bill.total(free=free)) for bill, free in columns))
    table(("service", *names), [*_rows(services), totals])
    click.echo()
    endpoints = [bill.by_endpoint(free=free) for bill, free in columns]
    table(("endpoint", *names), [*_rows(endpoints), totals])


def _rows(columns: Sequence[Mapping[str, float]]) -> list[tuple[str, ...]]:
    return [(name, *(_money(column[name]) for column in columns)) for name in columns[0]]


def _column(accounts: int, *, free: bool, both: bool) -> str:
    whose = f"{accounts:,} account{'s' if accounts != 1 else ''}"
    return whose if free else f"{whose}, nothing free" if both else whose


def _how_far(
    setups: Sequence[Setup], bill_of: Callable[..., Bill], found: Sequence[Ceiling],
    moved: Sequence[Change], most: int,
) -> None:  # fmt: skip
    click.echo("\nHow far it goes, and which settings move that, each on top of the one before:")
    rows = [tuple(_change(one, most, bill_of).values()) for one in moved]
    names = (
        "setting",
        "accounts",
        "first ceiling",
        "a month there",
        f"deployments for {most:,}",
        "a month of those",
    )
    table(names, [_plainly(row) for row in rows])
    click.echo("\nEach ceiling:")
    for ceiling in found:
        if ceiling.accounts:
            there = _money(bill_of(setups, accounts=ceiling.accounts).total(free=True))
            reach = f"{ceiling.accounts:,} accounts, {there} a month"
        else:
            reach = "met by no number of accounts" if ceiling.accounts is None else "exceeded by one account"
        click.echo(f"- {reach}: {ceiling}")


def _bill(bill: Bill, found: Sequence[Ceiling], kinds: Sequence[bool]) -> dict[str, Any]:
    said: dict[str, Any] = {"accounts": bill.accounts, "past": problems_of(found, bill.accounts)}
    for free in kinds:
        said["with_free_tiers" if free else "without_free_tiers"] = {
            "total": bill.total(free=free),
            "services": bill.by_service(free=free),
            "endpoints": bill.by_endpoint(free=free),
        }
    used = {name: {"quantity": n, "unit": PRICES.items[name].unit} for name, n in bill.quantities.items()}
    return {**said, "used": used}


def _ceiling(one: Ceiling) -> dict[str, Any]:
    return {
        "limit": one.limit, "endpoint": one.endpoint, "accounts": one.accounts,
        "arithmetic": one.arithmetic, "moved_by": one.moved_by,
    }  # fmt: skip


def _change(change: Change, most: int, bill_of: Callable[..., Bill]) -> dict[str, Any]:
    """Return how far a setting brings it, and what ``most`` accounts take then, in several projects."""
    first = change.first
    reach = first.accounts if first else None
    projects = ceil(most / reach) if reach else None
    said: dict[str, Any] = {"setting": change.setting, "accounts": reach, "first_ceiling": None}
    if first is not None:
        said["first_ceiling"] = f"{first.limit}{f' of {first.endpoint}' if first.endpoint else ''}"
    there = bill_of(change.setups, accounts=reach or 1)
    said |= {"bill_there": there.total(free=True), "deployments": projects, "bill_of_deployments": None}
    if projects is not None:
        # What is free is free once for all of them; it is left aside.
        one = bill_of(change.setups, accounts=ceil(most / projects))
        said["bill_of_deployments"] = projects * one.total(free=False)
    return said


def _plainly(row: Sequence[Any]) -> tuple[str, ...]:
    """Return a change's values as they are printed: numbers that are fractions are money."""
    return tuple(
        "" if value is None
        else _money(value) if isinstance(value, float)
        else f"{value:,}" if isinstance(value, int)
        else value
        for value in row
    )  # fmt: skip


def _money(amount: float) -> str:
    return f"${amount:,.2f}"

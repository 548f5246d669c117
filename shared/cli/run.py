"""``tcdatalogger run``: collect now, as a message to the functions would."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from shared.cli.body import message_body
from shared.cli.local import Local, Message, faction, local, make_collector, one_endpoint, shown_warehouse
from shared.cli.progress import Progress, progress
from shared.cli.show import as_json, table
from shared.cli.work import collect, works
from shared.endpoint_file import find_endpoints
from shared.errors import CollectError
from shared.message import read_message
from shared.schedule import duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from shared.archive import Page
    from shared.cli.work import Ended, Work
    from shared.endpoint import Endpoint

__all__ = ["run"]

_SUCCESS = """
    SELECT name, difficulty, COUNTIF(status = 'Successful') AS successful,
           COUNTIF(status = 'Failure') AS failed,
           ROUND(100.0 * COUNTIF(status = 'Successful') / COUNT(*), 1) AS success_percent,
           SUM(rewards_money) AS money
    FROM crimes WHERE status IN ('Successful', 'Failure')
    GROUP BY name, difficulty ORDER BY difficulty, name
"""


@click.command()
@click.argument("endpoints", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every endpoint.")
@click.option("--set", "params", multiple=True, metavar="NAME=VALUE", help="Override a parameter.")
@click.option("--account", help="Whose data; else every account's.")
@click.option("--from", "begin", metavar="TIME", help="Begin of a backfill: 2026-10-01, or unix seconds.")
@click.option("--to", "end", metavar="TIME", help="End of a backfill.")
@click.option("--dry-run", is_flag=True, help="Say what would be asked for, and ask for nothing.")
@click.option("--answer", is_flag=True, help="Then answer a question: success by crime and difficulty.")
@click.option("--json", "json_output", is_flag=True, help="Print the run records as JSON.")
def run(
    endpoints: tuple[str, ...], params: tuple[str, ...], account: str | None, begin: str | None,
    end: str | None, *, everything: bool, dry_run: bool, answer: bool, json_output: bool,
) -> int:  # fmt: skip
    """Collect ENDPOINTS now: crimes, items and so on; several side by side."""
    names = list(find_endpoints()) if everything else list(endpoints)
    if not names:
        raise click.UsageError(f"Name an endpoint, or --all. There are: {', '.join(find_endpoints())}.")
    unreadable: list[Ended] = []
    chosen = list(_readable(names, unreadable))
    body = message_body(params, begin, end)
    here = local()
    if account is not None and account not in here.settings.accounts:
        raise click.UsageError(
            f"There is no account {account!r}. There are: {', '.join(here.settings.accounts)}."
        )
    if not json_output:
        click.echo(_introduction(here), err=True)
    queue = works(chosen, here.settings.accounts, body, account)
    with faction(here) as there:
        if dry_run:
            for work in queue:
                _plan(work, there)
            return 1 if unreadable else 0
        with progress(quiet=json_output) as shown_progress:
            ended = [*unreadable, *_collect(queue, there, shown_progress)]
    ended.sort(key=lambda one: queue.index(one.work) if one.work in queue else -1)
    if json_output:
        as_json([one.record or _unrecorded(one) for one in ended])
    else:
        _summary(ended, here)
        if answer and any(one.work.endpoint == "crimes" and one.outcome == "ok" for one in ended):
            _answer(here)
    return 0 if all(one.good for one in ended) else 1


def _readable(names: Sequence[str], unreadable: list[Ended]) -> Iterator[Endpoint]:
    """Yield the endpoints of these names; of several, one with mistakes in its file stops no other."""
    several = len(dict.fromkeys(names)) > 1
    for name in dict.fromkeys(names):
        try:
            yield one_endpoint(name)
        except CollectError as error:
            if not several:
                raise
            from shared.cli.work import Ended, Work  # noqa: PLC0415

            unreadable.append(
                Ended(
                    work=Work(endpoint=name), outcome="failed", error=error.message, next_step=error.next_step
                )
            )


def _collect(queue: Sequence[Work], here: Local, told: Progress) -> Iterator[Ended]:
    if len(queue) > 1:
        from shared.cli.processes import collect_all  # noqa: PLC0415 - 20 ms, only for several

        yield from collect_all(queue, here, told)
        return
    for work in queue:
        told.begin(work.label)
        ended = collect(work, here, partial(_page, told, work.label))
        told.end(ended)
        yield ended


def _page(told: Progress, label: str, page: Page, number: int) -> None:
    told.page(label, number, page.bytes)


def _unrecorded(ended: Ended) -> dict[str, Any]:
    return {
        "endpoint": ended.work.endpoint, "account": ended.work.account, "outcome": ended.outcome,
        "error_message": ended.error, "next_step": ended.next_step,
    }  # fmt: skip


def _introduction(here: Local) -> str:
    if here.simulated:
        return "No TORN_API_KEY is set: collecting from a simulated faction, kept apart in data/simulated."
    return f"Collecting from {here.settings.torn_api_url}."


def _plan(work: Work, here: Local) -> None:
    endpoint = one_endpoint(work.endpoint)
    collector = make_collector(endpoint, here)
    request = read_message(endpoint, here.settings.accounts, Message(work.body))
    click.echo(f"{work.label}: run {request.run_id}")
    for name, declared in endpoint.requests.items():
        click.echo(f"  GET {here.settings.torn_api_url}{collector.fetcher.first_url(name, request)}")
        if declared.lookback and request.window is None:
            click.echo(f"      the last {duration(declared.lookback).days} days; --from and --to for older")
    for name, table_ in endpoint.tables.items():
        click.echo(f"  {table_.mode} {name}: {len(table_.columns) + len(table_.parent) + 2} columns")


def _summary(ended: Sequence[Ended], here: Local) -> None:
    rows = [
        (name, count, one.work.label, one.outcome)
        for one in ended
        for name, count in (one.rows or {"(none)": 0}).items()
    ]
    table(("table", "rows", "endpoint", "outcome"), rows)
    for one in ended:
        if one.error:
            click.echo(f"{one.work.label}: {one.error}", err=True)
        if one.next_step:
            click.echo(f"  next: {one.next_step}", err=True)
        if one.rejected:
            click.echo(f"{one.work.label}: {one.rejected} records set aside in rejected_rows", err=True)
        if one.drift:
            click.echo(f"{one.work.label}: the API has {one.drift} new fields, see drift_history", err=True)
    if len(ended) > 1 and not all(one.good for one in ended):
        wrong = ", ".join(f"{one.work.label} ({one.outcome})" for one in ended if not one.good)
        click.echo(f"{sum(one.good for one in ended)} of {len(ended)} are good; not: {wrong}", err=True)
    click.echo(f'database: {shown_warehouse(here)}   (tcdatalogger query "SELECT …", tcdatalogger status)')


def _answer(here: Local) -> None:
    from shared.warehouse import open_warehouse  # noqa: PLC0415

    found = open_warehouse(here.settings.warehouse).query(_SUCCESS)
    click.echo("\nHow do our crimes go, by crime and difficulty?")
    table(found.column_names, [tuple(row.values()) for row in found.to_pylist()])

"""``tcdatalogger run``: collect now, as a message to the functions would."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING, Any

import click

from shared.cli.local import Local, Message, faction, local, one_endpoint, shown
from shared.cli.show import as_json, table
from shared.endpoint_file import find_endpoints
from shared.errors import CollectError
from shared.message import read_message
from shared.schedule import duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from shared.archive import Page
    from shared.collector import Collector
    from shared.endpoint import Endpoint
    from shared.ledger import Attempt

__all__ = ["run"]

_GOOD = {"ok", "repeated", "superseded", "missed"}
_SUCCESS = """
    SELECT name, difficulty, count(*) FILTER (status = 'Successful') AS successful,
           count(*) FILTER (status = 'Failure') AS failed,
           round(100.0 * count(*) FILTER (status = 'Successful') / count(*), 1) AS "success %",
           sum(rewards_money) AS money
    FROM crimes WHERE status IN ('Successful', 'Failure')
    GROUP BY ALL ORDER BY difficulty, name
"""


@click.command()
@click.argument("endpoints", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every endpoint.")
@click.option("--set", "params", multiple=True, metavar="NAME=VALUE", help="Override a parameter.")
@click.option("--account", help="Whose data; needed when there are several accounts.")
@click.option("--from", "begin", metavar="TIME", help="Begin of a backfill: 2026-10-01, or unix seconds.")
@click.option("--to", "end", metavar="TIME", help="End of a backfill.")
@click.option("--dry-run", is_flag=True, help="Say what would be asked for, and ask for nothing.")
@click.option("--answer", is_flag=True, help="Then answer a question: success by crime and difficulty.")
@click.option("--json", "json_output", is_flag=True, help="Print the run records as JSON.")
def run(
    endpoints: tuple[str, ...], params: tuple[str, ...], account: str | None, begin: str | None,
    end: str | None, *, everything: bool, dry_run: bool, answer: bool, json_output: bool,
) -> int:  # fmt: skip
    """Collect ENDPOINTS now: crimes, items and so on."""
    names = list(find_endpoints()) if everything else list(endpoints)
    if not names:
        raise click.UsageError(f"Name an endpoint, or --all. There are: {', '.join(find_endpoints())}.")
    chosen = [one_endpoint(name) for name in dict.fromkeys(names)]
    body = _body(params, account, begin, end)
    here = local()
    if not json_output:
        click.echo(_introduction(here), err=True)
    attempts: list[Attempt] = []
    with faction(here) as collector, _progress(quiet=json_output) as bar:
        for endpoint in chosen:
            message = Message(body)
            if dry_run:
                _plan(endpoint, collector(endpoint), message)
            else:
                attempts.append(_one(collector, endpoint, message, bar))
    if dry_run:
        return 0
    if json_output:
        as_json([attempt.row() for attempt in attempts])
    else:
        _summary(attempts, here)
        if answer and any(a.endpoint == "crimes" and a.outcome == "ok" for a in attempts):
            _answer(here)
    return 0 if all(attempt.outcome in _GOOD for attempt in attempts) else 1


def _body(params: tuple[str, ...], account: str | None, begin: str | None, end: str | None) -> bytes:
    body: dict[str, Any] = {}
    for text in params:
        name, equals, value = text.partition("=")
        if not equals:
            raise click.BadParameter(f"{text!r} is not NAME=VALUE", param_hint="--set")
        body.setdefault("params", {})[name] = value
    for key, given in (("account", account), ("from", begin), ("to", end)):
        if given is not None:
            body[key] = int(given) if key != "account" and given.isdecimal() else given
    return json.dumps(body).encode()


def _introduction(here: Local) -> str:
    if here.simulated:
        return "No TORN_API_KEY is set: collecting from a simulated faction, kept apart in data/simulated."
    return f"Collecting from {here.settings.torn_api_url}."


def _one(collector: Callable[..., Collector], endpoint: Endpoint, message: Message, bar: Bar) -> Attempt:
    on_page = bar.begin(endpoint.name)
    one = collector(endpoint, on_page=on_page)
    try:
        attempt = one.handle(message)
    except CollectError:
        # Recorded already; the summary says it.
        assert one.last is not None
        attempt = one.last
    bar.end(endpoint.name, attempt)
    return attempt


def _plan(endpoint: Endpoint, collector: Collector, message: Message) -> None:
    request = read_message(endpoint, collector.settings.accounts, message)
    click.echo(f"{endpoint.name}: run {request.run_id}")
    for name, declared in endpoint.requests.items():
        click.echo(f"  GET {collector.settings.torn_api_url}{collector.fetcher.first_url(name, request)}")
        if declared.lookback and request.window is None:
            click.echo(f"      the last {duration(declared.lookback).days} days; --from and --to for older")
    for name, table_ in endpoint.tables.items():
        click.echo(f"  {table_.mode} {name}: {len(table_.columns) + len(table_.parent) + 2} columns")


def _summary(attempts: list[Attempt], here: Local) -> None:
    rows = [
        (name, count, attempt.endpoint, attempt.outcome)
        for attempt in attempts
        for name, count in (attempt.rows or {"(none)": 0}).items()
    ]
    table(("table", "rows", "endpoint", "outcome"), rows)
    for attempt in attempts:
        if attempt.error is not None:
            error = attempt.error
            click.echo(f"{attempt.endpoint}: {getattr(error, 'message', error)}", err=True)
            if getattr(error, "next_step", ""):
                click.echo(f"  next: {error.next_step}", err=True)  # type: ignore[attr-defined]
        if attempt.quality and attempt.quality.rejected:
            click.echo(
                f"{attempt.endpoint}: {attempt.quality.rejected} records set aside in rejected_rows", err=True
            )
        if attempt.drift:
            click.echo(
                f"{attempt.endpoint}: the API has {attempt.drift} new fields, see drift_history", err=True
            )
    database = Path(here.settings.warehouse.partition(":")[2])
    click.echo(f'database: {shown(database)}   (tcdatalogger query "SELECT …", tcdatalogger status)')


def _itself() -> str:
    """Return the command as it can be typed here: it need not be on the path."""
    return Path(sys.argv[0]).name if which("tcdatalogger") else shown(Path(sys.argv[0]).absolute())


def _answer(here: Local) -> None:
    from shared.warehouse import open_warehouse  # noqa: PLC0415

    found = open_warehouse(here.settings.warehouse).query(_SUCCESS)
    click.echo("\nHow do our crimes go, by crime and difficulty?")
    table(found.column_names, [tuple(row.values()) for row in found.to_pylist()])


class Bar:
    """Progress of one endpoint after the other; silent unless someone watches."""

    def begin(self, name: str) -> Callable[[Page, int], None]:
        """Begin an endpoint; return what is called for every page."""
        del name
        return lambda _page, _number: None

    def end(self, name: str, attempt: Attempt) -> None:
        """End an endpoint."""


def _pages(attempt: Attempt) -> str:
    return f"{attempt.pages or 0} page{'s' if attempt.pages != 1 else ''}"


class _Plain(Bar):
    def end(self, name: str, attempt: Attempt) -> None:
        seconds = (datetime.now(UTC) - attempt.started_at).total_seconds()
        click.echo(f"{name}: {attempt.outcome}, {_pages(attempt)} in {seconds:.1f} s", err=True)


class _Rich(Bar):
    def __init__(self, progress: Any) -> None:
        self._progress = progress
        self._tasks: dict[str, Any] = {}

    def begin(self, name: str) -> Callable[[Page, int], None]:
        task = self._tasks[name] = self._progress.add_task(name, total=None, note="asking")

        def on_page(page: Page, number: int) -> None:
            note = f"page {number}, {page.bytes / 1024:.0f} kB"
            self._progress.update(task, completed=number, note=note)

        return on_page

    def end(self, name: str, attempt: Attempt) -> None:
        note = f"{attempt.outcome}, {_pages(attempt)}, {sum(attempt.rows.values())} rows"
        self._progress.update(self._tasks[name], total=1, completed=1, note=note)


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Bar]:
    if quiet:
        yield Bar()
    elif not sys.stderr.isatty():
        yield _Plain()
    else:
        from rich.console import Console  # noqa: PLC0415 - 50 ms, only where a person looks
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

        columns = (
            TextColumn("{task.description:<18}"),
            BarColumn(24),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}"),
        )
        with Progress(*columns, console=Console(stderr=True)) as progress:
            yield _Rich(progress)

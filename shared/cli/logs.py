"""``tcdatalogger logs``: the functions' log lines, from this machine's files or from Cloud Logging."""

from __future__ import annotations

import json
import re
import sys
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

import click

from shared.cli.cloud import project_of
from shared.cli.local import local, shown
from shared.cli.log_days import LogDays
from shared.cli.log_lines import SEVERITIES, Wanted
from shared.cli.near import unknown
from shared.cli.signals import stopped_by_signals
from shared.cli.since import in_words, since_option
from shared.endpoint_file import find_endpoints
from shared.errors import FixConfiguration, RetrySoon
from shared.job import find_jobs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from shared.cli.local import Local
    from shared.cli.log_lines import Line

__all__ = ["logs"]

_USUAL, _OF_A_RUN = timedelta(hours=1), timedelta(days=30)
_PART = r"[\w .,:+@=*-]{1,200}"
_RUN = re.compile(f"{_PART}(?:/{_PART}){{0,2}}")
_COLOURS = {"WARNING": "yellow", "ERROR": "bold red", "INFO": "green", "DEBUG": "dim", "NOTICE": "green"}


class _Source(Protocol):
    pause: float
    unreadable: int

    def read(self) -> Iterator[Line]:
        """Yield the lines that are new."""


@click.command()
@click.option("--run", metavar="ID", help="Of one run: its id, or what its Pub/Sub message's begins with.")
@click.option("--endpoint", metavar="NAME", help="Of one endpoint, or job.")
@click.option(
    "--since", metavar="TIME",
    help="1h, 2d, or a moment such as 2026-11-20T10:00Z; else the last hour, with --run the last 30 days.",
)  # fmt: skip
@click.option("--follow", "-f", is_flag=True, help="Go on with each line that comes, until Ctrl-C.")
@click.option("--errors", is_flag=True, help="Only errors.")
@click.option("--json", "json_output", is_flag=True, help="Print each line as it was logged, as JSON.")
@click.option("--project", metavar="ID", help="Ask Cloud Logging of this project.")
@click.option("--prefix", envvar="TOPIC_PREFIX", default="", help="Terraform's `prefix`, if it has one.")
@click.option(
    "--local", "here_only", is_flag=True, help="This machine's lines, also where rows go to BigQuery."
)
def logs(
    run: str | None, endpoint: str | None, since: str | None, project: str | None, prefix: str, *,
    follow: bool, errors: bool, json_output: bool, here_only: bool,
) -> int:  # fmt: skip
    """Show log lines: Cloud Logging's if rows go to BigQuery or --project is given, else this machine's."""
    if here_only and project:
        raise click.UsageError("--local and --project exclude each other.")
    if endpoint is not None and endpoint not in (there := _endpoints()):
        raise click.UsageError(unknown("endpoint", endpoint, there))
    if run is not None and not _RUN.fullmatch(run):
        raise click.UsageError(
            f"{run[:80]!r} is neither a run's id, such as crimes/default/20261120T1015Z, nor a message's."
        )
    wanted = Wanted(
        since=since_option(since, _OF_A_RUN if run else _USUAL),
        run=run or "",
        endpoint=endpoint or "",
        errors=errors,
    )
    here = local()
    source, where = _source(here, wanted, project, prefix, here_only=here_only)
    show = _printed if json_output else _coloured() if sys.stdout.isatty() else _plain
    count = _follow(source, show) if follow else _show(source, show)
    if source.unreadable:
        click.echo(f"{source.unreadable} lines are no log lines and were left out", err=True)
    if not count and not follow:
        click.echo(
            f"no lines since {in_words(wanted.since)}{_which(wanted)} in {where}; {_hint(since)}", err=True
        )
    return 0


def _endpoints() -> list[str]:
    return [*find_endpoints(), *find_jobs()]


def _source(
    here: Local, wanted: Wanted, project: str | None, prefix: str, *, here_only: bool
) -> tuple[_Source, str]:
    warehouse = here.settings.warehouse
    if project or (warehouse.startswith("bigquery:") and not here_only):
        from shared.cli.cloud_logs import CloudLogs  # noqa: PLC0415

        name = project_of(project, warehouse)
        return CloudLogs(name, wanted, prefix=prefix), f"Cloud Logging of {name}"
    folder = here.settings.log_folder
    if folder is None:
        raise FixConfiguration(
            "no log lines are kept on this machine: LOG_FOLDER is none",
            next_step="unset LOG_FOLDER, or give --project for what Cloud Logging has",
        )
    return LogDays(folder, wanted), shown(folder)


def _show(source: _Source, show: Callable[[Line], None]) -> int:
    count = 0
    for line in source.read():
        show(line)
        count += 1
    return count


def _follow(source: _Source, show: Callable[[Line], None]) -> int:
    stop = threading.Event()
    count = 0
    with stopped_by_signals(stop):
        while not stop.is_set():
            try:
                for line in source.read():
                    show(line)
                    count += 1
                    if stop.is_set():
                        break
            except RetrySoon as error:
                click.echo(f"{error.message}; asked again", err=True)
            stop.wait(source.pause)
    return count


def _which(wanted: Wanted) -> str:
    return "".join(
        [
            f" of run {wanted.run}" if wanted.run else "",
            f" of {wanted.endpoint}" if wanted.endpoint else "",
            " that are errors" if wanted.errors else "",
        ]
    )


def _hint(since: str | None) -> str:
    return "try a longer --since, such as 1d" if since is None else "try a longer --since"


def _printed(line: Line) -> None:
    # ASCII: a terminal is told nothing but what can be read.
    click.echo(json.dumps(line.entry))


def _plain(line: Line) -> None:
    click.echo(f"{line.moment} {''.join(line.words)}")


def _coloured() -> Callable[[Line], None]:
    from rich.console import Console  # noqa: PLC0415 - 50 ms, only where a person looks
    from rich.text import Text  # noqa: PLC0415

    console = Console(highlight=False)

    def show(line: Line) -> None:
        severity, run, message, stack = line.words
        colour = _COLOURS.get(line.severity, "bold red" if line.severity in SEVERITIES[5:] else "")
        # Text, not markup: a message may hold what looks like rich's.
        text = Text.assemble(
            (f"{line.moment} ", "dim"), (severity, colour), (run, "cyan"), message, (stack, "dim")
        )
        console.print(text, soft_wrap=True)

    return show

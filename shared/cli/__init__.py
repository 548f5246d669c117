"""The ``tcdatalogger`` command. Not deployed.

Exit codes: 0 it went well, 1 something failed, 2 it was called wrongly, 130 it was stopped.
"""

from __future__ import annotations

import gc
import os
import sys
from importlib import import_module

import click

from shared.errors import CollectError

__all__ = ["main"]

# A command lives for a fraction of a second, most of it imports, whose objects all stay: looking
# for garbage among them takes a tenth of its CPU and finds none.
gc.set_threshold(100_000, 20, 100)

# Command → module; a command's module is imported when it is called, for the sake of the others.
COMMANDS = {
    "run": "run",
    "up": "up",
    "trigger": "trigger",
    "fetch": "steps",
    "flatten": "steps",
    "check": "steps",
    "store": "steps",
    "status": "status",
    "logs": "logs",
    "query": "query",
    "cost": "cost",
    "endpoints": "endpoints",
    "tables": "tables",
    "backup": "backup",
    "restore": "backup",
    "new": "new",
    "drift": "drift",
    "schema": "schema",
    "simulate": "simulate",
}


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"shared.cli.{COMMANDS[cmd_name]}"), cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            raise click.UsageError(f"{error.message} There are: {', '.join(COMMANDS)}.", ctx) from None


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="tcdatalogger")
def cli() -> None:
    """Record a Torn City faction's history, each row exactly once.

    Without TORN_API_KEY, everything works on a simulated faction, kept apart in data/simulated.
    """


def main() -> None:
    """Run the command; errors are sentences, not tracebacks."""
    try:
        code = cli.main(standalone_mode=False)
    except CollectError as error:
        click.echo(f"error: {error.message}", err=True)
        if error.next_step:
            click.echo(f" next: {error.next_step}", err=True)
        sys.exit(1)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped; what was not finished was not written", err=True)
        sys.exit(130)
    except BrokenPipeError:
        # `… | head` has seen enough. Nothing may be flushed into the closed pipe at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    sys.exit(code if isinstance(code, int) else 0)

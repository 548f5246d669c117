"""``tcdatalogger backup`` and ``restore``: every table as it was, kept, and put back."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from shared.backup import open_backups
from shared.backup.choice import at_or_before, known_table, moment, named
from shared.cli.local import local, one_endpoint, shown_warehouse
from shared.cli.show import as_json, table
from shared.endpoint_file import find_endpoints

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.backup import Backups, Restored, Snapshot
    from shared.cli.local import Local

__all__ = ["backup", "restore"]

_NAMES = ("table", "rows", "backup", "kind", "taken_at", "expires")


@click.command()
@click.option("--list", "list_only", is_flag=True, help="Say what backups there are, and make none.")
@click.option("--json", "json_output", is_flag=True, help="Print it as JSON.")
def backup(*, list_only: bool, json_output: bool) -> None:
    """Keep every table as it is: 7 daily, 4 weekly and 3 monthly backups, one a day at most."""
    here = local()
    backups = _open(here)
    found = backups.snapshots() if list_only else backups.take(datetime.now(UTC))
    if json_output:
        as_json([_object(one, list_only=list_only) for one in found])
        return
    if list_only and not found:
        click.echo(f"{shown_warehouse(here)} has no backups yet; `tcdatalogger backup` makes one", err=True)
        return
    table(_NAMES, [_row(one) for one in found])
    if not list_only:
        made = sum(one.new for one in found)
        click.echo(f"{shown_warehouse(here)}: {_tables(made)} backed up now", nl=False, err=True)
        click.echo(f", {len(found) - made} already today" if made < len(found) else "", err=True)


@click.command()
@click.option("--table", "names", multiple=True, required=True, help="What to restore; may be repeated.")
@click.option(
    "--at", help="Take the last backup at or before this time (UTC): 2026-11-20 or 2026-11-20T10:15."
)
@click.option("--from", "source", help="Take the backup of this name, such as a restore's undo.")
@click.option("--to", help="Restore into a new table of this name, and change no other.")
@click.option("--dry-run", is_flag=True, help="Restore and count it, and stop before anything is changed.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "json_output", is_flag=True, help="Print it as JSON.")
def restore(
    names: tuple[str, ...],
    at: str | None,
    source: str | None,
    to: str | None,
    *,
    dry_run: bool,
    yes: bool,
    json_output: bool,
) -> int:
    """Put tables back as they were; what is there now is kept as a backup of its own."""
    if (at is None) == (source is None):
        raise click.UsageError("Say which backup: --at TIME, or --from NAME.")
    if to is not None and (len(set(names)) > 1 or not to.isidentifier() or not to.isascii()):
        raise click.UsageError("--to names one new table, of letters, digits and _, for one --table.")
    if to is not None and dry_run:
        raise click.UsageError("--to changes no table that is there; --dry-run has nothing to stop.")
    backups = _open(local())
    chosen = _choose(backups, list(dict.fromkeys(names)), at, source)
    if to is None and not dry_run:
        _confirm(backups, chosen, yes=yes)
    done = backups.restore(chosen, datetime.now(UTC), to=to, dry_run=dry_run)
    if json_output:
        as_json([asdict(one) for one in done])
    else:
        _say(done, dry_run=dry_run)
    return 0


def _open(here: Local) -> Backups:
    tables = [table for name in find_endpoints() for table in one_endpoint(name).tables]
    return open_backups(here.settings.warehouse, tables, wait=here.settings.warehouse_wait, told=_told)


def _told(text: str) -> None:
    click.echo(text, err=True)


def _choose(backups: Backups, names: Sequence[str], at: str | None, source: str | None) -> list[Snapshot]:
    there = backups.snapshots(names)
    tables = sorted({*backups.tables(), *(one.table for one in there)})
    for name in names:
        known_table(name, tables)
    if source is not None:
        return [named(name, there, source) for name in names]
    assert at is not None
    try:
        when = moment(at)
    except ValueError:
        raise click.BadParameter(
            f"{at!r} is no time; such as 2026-11-20, or 2026-11-20T10:15.", param_hint="--at"
        ) from None
    return [at_or_before(name, there, when) for name in names]


def _confirm(backups: Backups, chosen: Sequence[Snapshot], *, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError("Nobody can be asked here: say --yes, or --dry-run.")
    now = backups.rows([one.table for one in chosen])
    for one in chosen:
        rows = f"{now[one.table]} rows now" if one.table in now else "not there now"
        click.echo(f"{one.table}: {rows}, {one.rows} in {one.name}, of {_when(one.taken_at)}", err=True)
    click.confirm("Put them back?" if len(chosen) > 1 else "Put it back?", abort=True, err=True)


def _say(done: Sequence[Restored], *, dry_run: bool) -> None:
    for one in done:
        if one.into != one.table:
            click.echo(f"{one.table}: {one.rows} rows of {one.source} are in the new table {one.into}")
        elif dry_run:
            click.echo(
                f"{one.table}: {one.rows} rows of {one.source} would take the place of {one.rows_before}; "
                "nothing was changed"
            )
        else:
            click.echo(f"{one.table}: {one.rows} rows of {one.source} took the place of {one.rows_before}")
    kept = [one for one in done if one.undo is not None]
    if kept:
        tables = " ".join(f"--table {one.table}" for one in kept)
        name = str(kept[0].undo).removeprefix(f"{kept[0].table}__")
        click.echo(f"undo, within 7 days: tcdatalogger restore {tables} --from {name}", err=True)


def _row(one: Snapshot) -> tuple[Any, ...]:
    return (one.table, one.rows, one.name, one.kind, one.taken_at, one.expires)


def _object(one: Snapshot, *, list_only: bool) -> dict[str, Any]:
    found = dict(zip(_NAMES, _row(one), strict=True))
    return found if list_only else {**found, "new": one.new}


def _tables(count: int) -> str:
    return f"{count} table{'' if count == 1 else 's'}"


def _when(moment_: datetime) -> str:
    return f"{moment_:%Y-%m-%d %H:%M:%S} UTC"

"""``tcdatalogger up``: the local scheduler, until Ctrl-C.

What Cloud Scheduler, Pub/Sub and the functions are in the cloud: a run at every slot of every
endpoint, in a process of its own, tried again while trying may help.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from shared.cli.local import Local, faction, local, one_endpoint
from shared.cli.scheduler import Beat, Scheduler
from shared.cli.signals import stopped_by_signals
from shared.cli.work import works
from shared.endpoint_file import find_endpoints
from shared.errors import FixConfiguration
from shared.message import GLOBAL
from shared.schedule import duration, every, floor
from shared.warehouse import open_warehouse

if TYPE_CHECKING:
    from shared.cli.work import Ended, Work
    from shared.endpoint import Endpoint

__all__ = ["up"]


@click.command()
@click.argument("endpoints", nargs=-1)
@click.option("--account", help="Whose data; else every account's.")
def up(endpoints: tuple[str, ...], account: str | None) -> int:
    """Collect ENDPOINTS (or all) at their `every`, until Ctrl-C: the local scheduler."""
    chosen = [one_endpoint(name) for name in dict.fromkeys(endpoints or find_endpoints())]
    here = local()
    if account is not None and account not in here.settings.accounts:
        raise click.UsageError(
            f"There is no account {account!r}. There are: {', '.join(here.settings.accounts)}."
        )
    if here.simulated:
        click.echo("No TORN_API_KEY is set: a simulated faction, kept apart in data/simulated.", err=True)
    stop = threading.Event()
    with stopped_by_signals(stop), faction(here) as there, Scheduler(there, stop, _say) as scheduler:
        last = _recorded(here)
        for endpoint in chosen:
            for work in works([endpoint], here.settings.accounts, {}, account):
                beat = _beat(endpoint, work, here)
                slot = floor(datetime.now(UTC), beat.every)
                scheduler.add(beat, at_once=last.get(beat.run) != slot)
                click.echo(_plan(endpoint, beat, slot, last.get(beat.run)))
        stop.wait()
        click.echo("stopping; what is being written is finished, what is not begun is left", err=True)
    return 0


def _beat(endpoint: Endpoint, work: Work, here: Local) -> Beat:
    only = GLOBAL if endpoint.scope == "global" else next(iter(here.settings.accounts))
    return Beat(work=work, every=every(endpoint.every), run=f"{endpoint.name}/{work.account or only}")


def _recorded(here: Local) -> dict[str, datetime]:
    """Return each endpoint's last slot in the ledger: what a restart need not do again."""
    warehouse = open_warehouse(here.settings.warehouse, wait=here.settings.warehouse_wait)
    try:
        found = warehouse.query(
            "SELECT endpoint || '/' || account AS run, max(slot) AS slot FROM runs "
            "WHERE outcome IN ('ok', 'superseded', 'repeated') AND slot IS NOT NULL GROUP BY ALL"
        )
    except FixConfiguration:
        # There is no database yet: nothing is recorded.
        return {}
    return {row["run"]: row["slot"].astimezone(UTC) for row in found.to_pylist()}


def _plan(endpoint: Endpoint, beat: Beat, slot: datetime, last: datetime | None) -> str:
    """Say what happens next, and what of the time since the last recorded slot can be had."""
    now = f"the slot {slot:%H:%M} is recorded" if last == slot else f"now, for the slot {slot:%H:%M}"
    text = f"{beat.work.label}: {now}; then {slot + beat.every:%H:%M} UTC, every {_words(beat)}"
    left_out = int((slot - last) / beat.every) - 1 if last else 0
    if last is None or left_out < 1:
        return text
    lookbacks = [duration(r.lookback) for r in endpoint.requests.values() if r.lookback]
    if lookbacks and slot - min(lookbacks) < last:
        fate = "this run reads what they would have"
    elif lookbacks:
        fate = (
            f"`tcdatalogger run {endpoint.name} --from {last:%Y-%m-%d} --to {slot:%Y-%m-%d}` reads the rest"
        )
    else:
        fate = "the API shows only now, so they stay empty"
    return f"{text}\n  {left_out} slots since {last:%Y-%m-%d %H:%M} were not collected; {fate}"


def _words(beat: Beat) -> str:
    hours, minutes = divmod(int(beat.every.total_seconds()) // 60, 60)
    return " ".join([f"{hours} h"] * bool(hours) + [f"{minutes} min"] * bool(minutes))


def _say(ended: Ended, slot: datetime, again: float | None) -> None:
    rows = ", ".join(f"{count} {name}" for name, count in ended.rows.items())
    text = f"{datetime.now(UTC):%H:%M:%S} {ended.work.label} {slot:%H:%M}: {ended.outcome}"
    click.echo(f"{text}{', ' + rows if rows else ''} in {ended.seconds:.1f} s")
    if ended.error:
        click.echo(f"  {ended.error}", err=True)
    if ended.next_step:
        click.echo(f"  next: {ended.next_step}", err=True)
    if again is not None:
        click.echo(f"  tried again in {again:.0f} s", err=True)

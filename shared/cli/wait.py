"""Wait for the record of the run that a message asks for."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from shared.errors import CollectError, RetrySoon

if TYPE_CHECKING:
    from shared.warehouse import Warehouse

__all__ = ["wait_for_run"]

#: Outcomes by which a message is done with, as one would wish.
_GOOD = {"ok", "repeated", "superseded", "fanned_out"}
#: An outcome after which the message is delivered again.
_AGAIN = "retry"
_EVERY = 3.0
_ATTEMPTS = """
    SELECT attempt, run_id, outcome, error_message, next_step, r.rows
    FROM runs AS r WHERE message_id = ? ORDER BY started_at
"""


def wait_for_run(warehouse: Warehouse, message_id: str, seconds: float, *, err: bool = False) -> bool:
    """Print the record of each attempt at a message's run until one ends it; say whether it went well.

    Raises:
        CollectError: none ended it within ``seconds``, or the warehouse could not be asked to the end.
    """
    deadline = time.monotonic() + seconds
    seen: set[str] = set()
    while True:
        trouble: CollectError | None = None
        try:
            attempts = warehouse.query(_ATTEMPTS, [message_id]).to_pylist()
        except CollectError as error:
            # There may be no ledger before the first run; what lasts is said when time is up.
            attempts, trouble = [], error
        for attempt in attempts:
            if attempt["attempt"] not in seen:
                seen.add(attempt["attempt"])
                _say(attempt, err=err)
            if attempt["outcome"] != _AGAIN:
                return attempt["outcome"] in _GOOD
        if time.monotonic() >= deadline:
            break
        time.sleep(min(_EVERY, max(deadline - time.monotonic(), 0)))
    what = f"{len(seen)} attempts, none the last" if seen else "no run was recorded"
    raise trouble or RetrySoon(
        f"message {message_id}: {what} in {seconds:g} s",
        next_step=f"tcdatalogger logs --run {message_id}; was the message pushed, or is it a dead letter?",
    )


def _say(attempt: dict[str, Any], *, err: bool) -> None:
    rows = (attempt["rows"] or "").strip("{}").replace('"', "").replace(":", " ").replace(",", ", ")
    what = attempt["error_message"] or rows or "nothing new"
    click.echo(f"{attempt['outcome']}: {attempt['run_id']}: {what}", err=err)
    if attempt["next_step"]:
        click.echo(f" next: {attempt['next_step']}", err=True)

"""The scheduled backup: what ``tcdatalogger backup`` does, at the request of a message.

A message has nothing to say but that it is time. Delivered twice, or twice at once, it makes one
backup a day: the second finds what the first made. What the next delivery may cure is raised, so
that the message is delivered again; what it cannot is logged as an error and acknowledged.
"""

from __future__ import annotations

import logging
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import msgspec

from shared.backup import open_backups
from shared.endpoint_file import FUNCTIONS, find_endpoints, load_endpoint
from shared.errors import CollectError, FixConfiguration, Permanent
from shared.job import load_job
from shared.logs import configure, context, log
from shared.message import message_id
from shared.settings import ROOT, Settings
from shared.trace import traceparent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shared.job import Job
    from shared.message import Event

__all__ = ["DEPLOYED", "BackupJob", "Done"]

#: The list of tables, in what is deployed.
DEPLOYED = ROOT / "tables.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What became of one delivery: the record, as its log line carries it."""

    name: str
    #: ok, repeated, failed or retry.
    outcome: str
    attempt: str
    message_id: str
    duration_seconds: float
    #: Tables that the day's backup has, and how many of them this delivery added; None if it failed.
    tables: int | None = None
    new: int | None = None
    error_class: str | None = None
    error_message: str | None = None
    next_step: str | None = None

    def fields(self) -> dict[str, Any]:
        """Return what there is to say, by name: what metrics and alerts are made from."""
        found = ((name, getattr(self, name)) for name in self.__slots__)
        return {name: value for name, value in found if value is not None}


class BackupJob:
    """Backs one warehouse up; kept for the life of a process."""

    def __init__(self, job: Job, settings: Settings, tables: Iterable[str]) -> None:
        self.job = job
        self._backups = open_backups(
            settings.warehouse,
            tables,
            wait=settings.warehouse_wait,
            seconds=settings.run_timeout,
            told=lambda text: log.warning("%s", text),
        )
        # Two threads would write the same part of a DuckDB copy; and one finds what the other made.
        self._turn = Lock()

    @classmethod
    def of(cls, main: str) -> BackupJob:
        """Return the job whose ``main.py`` this is.

        A mistake in a setting, job.yaml or an endpoint.yaml ends the process with what to correct.
        """
        try:
            settings = Settings.read()
            configure(settings.log_format, settings.log_level, folder=settings.log_folder)
            job = load_job(Path(main).resolve().with_name("job.yaml"))
            return cls(job, settings, _tables())
        except FixConfiguration as error:
            raise SystemExit(str(error)) from None

    def handle(self, event: Event) -> Done:
        """Make the day's backup, unless it is there, and log how it went.

        Raises:
            Exception: whatever the next delivery may cure, so that the message is not acknowledged.
        """
        attempt, began = secrets.token_hex(6), time.monotonic()

        def done(outcome: str, error: Exception | None = None, **found: int) -> Done:
            return Done(
                name=self.job.name,
                outcome=outcome,
                attempt=attempt,
                message_id=message_id(event),
                duration_seconds=round(time.monotonic() - began, 3),
                error_class=type(error).__name__ if error else None,
                error_message=(getattr(error, "message", None) or str(error))[:2000] if error else None,
                next_step=getattr(error, "next_step", None) or None,
                **found,
            )

        run_id = f"{self.job.name}/{datetime.now(UTC):%Y%m%d}"
        with context(job=self.job.name, run_id=run_id, attempt=attempt, traceparent=traceparent(event)):
            try:
                with self._turn:
                    found = self._backups.take(datetime.now(UTC))
            except Permanent as error:
                return _said(done("failed", error), str(error), logging.ERROR)
            except Exception as error:  # the one boundary that records the run
                unexpected = not isinstance(error, CollectError)
                _said(done("retry", error), str(error), logging.ERROR, exc_info=unexpected)
                raise
            new = sum(one.new for one in found)
            record = done("ok" if new else "repeated", tables=len(found), new=new)
            text = f"{new} tables backed up, {len(found) - new} already today"
            return _said(record, f"{text}, in {record.duration_seconds:.2f} s", logging.INFO)


def _tables() -> list[str]:
    """Return the tables that endpoints declare: what is deployed has a list, a checkout the endpoints.

    Raises:
        FixConfiguration: there is neither: a backup would have the ledger alone, and seem to be whole.
    """
    if DEPLOYED.exists():
        # The names alone, so that whatever else changes about an endpoint deploys no backup.
        names: list[str] = msgspec.json.decode(DEPLOYED.read_bytes(), type=list[str])
        return names
    files = find_endpoints()
    if not files:
        raise FixConfiguration(
            f"neither {DEPLOYED} nor {FUNCTIONS}/*/endpoint.yaml says what tables there are to back up",
            next_step=f"put {DEPLOYED.name}, a list of names, into what is deployed",
        )
    return [table for file in files.values() for table in load_endpoint(file).tables]


def _said(done: Done, text: str, level: int, *, exc_info: bool = False) -> Done:
    log.log(level, "%s: %s", done.outcome, text, exc_info=exc_info, extra={"fields": {"job": done.fields()}})
    return done

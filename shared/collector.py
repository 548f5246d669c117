"""The run, as a list of steps: read the message, fetch, flatten and check, write, record.

Each step may be killed at any instant and the message delivered again, also concurrently: the
tables end as if it had run once. What makes it so: the run's name comes from the message, the
archive's manifest is written once, and the rows and their record become true together.
"""

from __future__ import annotations

import logging
import secrets
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.archive import Archive
from shared.endpoint_file import load_endpoint
from shared.errors import (
    BrokenContract,
    CollectError,
    FixConfiguration,
    MessageRefused,
    Permanent,
)
from shared.fan_out import FanOut
from shared.fetch import Fetcher
from shared.flattening import Flattening
from shared.keys import open_keys
from shared.ledger import Attempt, drift_rows, rejected_rows
from shared.logs import configure, context, log
from shared.message import ALL, message_id, read_message
from shared.publisher import Publisher
from shared.schedule import every, rfc3339
from shared.settings import Settings
from shared.trace import traceparent
from shared.warehouse import open_warehouse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from shared.archive import Manifest, Page
    from shared.derive import Derive
    from shared.endpoint import Endpoint
    from shared.flatten import Flat
    from shared.keys import KeyRing
    from shared.message import Event, Request
    from shared.warehouse import Writer

__all__ = ["Collector"]


class Collector:
    """Collects one endpoint; kept for the life of a process, so that connections stay open."""

    def __init__(
        self,
        endpoint: Endpoint,
        settings: Settings,
        *,
        keys: KeyRing | None = None,
        derive: Derive | None = None,
        on_page: Callable[[Page, int], None] | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.settings = settings
        self.derive = derive
        self.archive = Archive(settings.archive)
        self.warehouse = open_warehouse(settings.warehouse, wait=settings.warehouse_wait)
        self.fetcher = Fetcher(
            endpoint,
            settings,
            self.archive,
            keys or open_keys(settings),
            on_page or (lambda _page, _number: None),
        )
        self._fan_out = FanOut(Publisher() if settings.publishes else None, self.handle)
        #: The attempt that ended last, also when it ended with an error.
        self.last: Attempt | None = None

    @classmethod
    def of(cls, main: str, *, derive: Derive | None = None) -> Collector:
        """Return the collector of the endpoint whose ``main.py`` this is.

        ``derive`` fills the columns that are declared ``from: $derived``, see ``shared.derive``.

        A mistake in a setting or in endpoint.yaml ends the process with what to correct.
        """
        try:
            settings = Settings.read()
            configure(settings.log_format, settings.log_level, folder=settings.log_folder)
            endpoint = load_endpoint(Path(main).resolve().with_name("endpoint.yaml"))
            return cls(endpoint, settings, derive=derive)
        except FixConfiguration as error:
            raise SystemExit(str(error)) from None

    def handle(self, event: Event) -> Attempt:
        """Collect what a message asks for and record how it went.

        Raises:
            Exception: whatever the next delivery may cure, so that the message is not acknowledged.
        """
        self.last = attempt = Attempt(
            attempt=secrets.token_hex(6),
            endpoint=self.endpoint.name,
            schema_version=self.endpoint.version,
            message_id=message_id(event),
        )
        with context(endpoint=self.endpoint.name, attempt=attempt.attempt, traceparent=traceparent(event)):
            try:
                request = read_message(self.endpoint, self.settings.accounts, event)
            except MessageRefused as error:
                self._fail(attempt, error, "refused")
                return attempt
            attempt.request = request
            with context(run_id=request.run_id, account=request.account):
                self._collect(request, attempt, event)
        # A fan-out may have collected others meanwhile.
        self.last = attempt
        return attempt

    def _collect(self, request: Request, attempt: Attempt, event: Event) -> None:
        try:
            if request.account == ALL:
                self._fan_out.send(request, self.settings.accounts, event)
                attempt.outcome = "fanned_out"
                self.warehouse.record({"runs": [attempt.row()]})
            else:
                self._run(request, attempt)
        except Permanent as error:
            self._fail(attempt, error, "failed")
        except Exception as error:  # the one boundary that records the run
            self._retry(attempt, error)
            raise
        else:
            _say(attempt)

    def _run(self, request: Request, attempt: Attempt) -> None:
        manifest = self.archive.manifest(request.folder)
        if manifest is None:
            if self._is_late(request):
                attempt.outcome = "missed"
                self.warehouse.record({"runs": [attempt.row()]})
                return
            manifest = self.fetcher.fetch(request, attempt.attempt)
        attempt.pages, attempt.bytes = len(manifest.pages), sum(p.bytes for p in manifest.pages)
        attempt.archive_uri = f"{self.archive.url}/{request.folder}"
        attempt.lap("fetch")
        note = partial(self.archive.note, request.folder)
        with self.warehouse.begin(self.endpoint, request.run_id, request.account, note=note) as writer:
            if writer.done:
                attempt.outcome = "repeated"
            else:
                self.store(request, manifest, writer, attempt)
            log.debug("recording")
            writer.record("runs", [attempt.row()])
            writer.commit()
        log.debug("committed")

    def flatten(self, manifest: Manifest, found: Flattening) -> Iterable[Flat]:
        """Yield the archived pages' batches, the page read last first: its records count."""
        return found.pages(
            (page.request, self.archive.body(page), page.fetched_at) for page in reversed(manifest.pages)
        )

    def store(self, request: Request, manifest: Manifest, writer: Writer, attempt: Attempt) -> None:
        """Flatten a run's pages into a writer and note what was found.

        Raises:
            BrokenContract: too many records are not as declared, or a replace is refused.
        """
        found = Flattening(self.endpoint, self.constants(request), self.derive)
        attempt.quality = found.quality
        try:
            for flat in self.flatten(manifest, found):
                for table, batch in flat.batches.items():
                    writer.write(table, batch)
            found.accept()
            attempt.lap("flatten")
            log.debug("writing")
            written = writer.finish()
        except BrokenContract as error:
            attempt.drift = len(found.drift)
            # The writer's transaction is given up; what was found is recorded with the failure.
            error.ledger = {
                "rejected_rows": rejected_rows(attempt, found.rejected),
                "drift": drift_rows(attempt, found.drift),
            }
            raise
        attempt.rows, attempt.drift = written.rows, len(found.drift)
        attempt.outcome = "repeated" if written.repeated else "superseded" if written.superseded else "ok"
        attempt.lap("write")
        writer.record("rejected_rows", rejected_rows(attempt, found.rejected))
        writer.record("drift", drift_rows(attempt, found.drift))

    def constants(self, request: Request) -> dict[str, Any]:
        """Return what a run knows of every row."""
        account = self.settings.accounts.get(request.account)
        return {
            "$run_id": request.run_id,
            "$account": request.account,
            "$faction_id": account.faction_id if account else None,
        }

    def _is_late(self, request: Request) -> bool:
        if request.slot is None:
            return False
        late: timedelta = datetime.now(UTC) - request.slot
        return late > every(self.endpoint.every)

    def _fail(self, attempt: Attempt, error: CollectError, outcome: str) -> None:
        attempt.outcome, attempt.error, attempt.rows = outcome, error, {}
        entries = {"runs": [attempt.row()], **error.ledger}
        log.error("%s: %s", outcome, error, extra={"fields": {"run": _run_fields(attempt)}})
        # If this fails, its error is raised, so that the message is not acknowledged.
        self.warehouse.record(entries)

    def _retry(self, attempt: Attempt, error: Exception) -> None:
        attempt.outcome, attempt.error, attempt.rows = "retry", error, {}
        expected = isinstance(error, CollectError)
        log.error("retry: %s", error, exc_info=not expected, extra={"fields": {"run": _run_fields(attempt)}})
        try:
            self.warehouse.record({"runs": [attempt.row()]})
        except CollectError as unrecorded:
            log.error("the attempt could not be recorded: %s", unrecorded)


def _say(attempt: Attempt) -> None:
    rows = ", ".join(f"{count} {table}" for table, count in attempt.rows.items()) or "nothing new"
    extra = {"fields": {"run": _run_fields(attempt)}}
    found = [f"{attempt.drift} new fields"] if attempt.drift else []
    if attempt.quality and attempt.quality.rejected:
        found.append(f"{attempt.quality.rejected} records set aside")
    remarkable = found or attempt.outcome in {"missed", "superseded"}
    log.log(
        logging.WARNING if remarkable else logging.INFO,
        "%s: %s in %.2f s",
        attempt.outcome,
        "; ".join([rows, *found]),
        sum(attempt.seconds.values()),
        extra=extra,
    )


def _run_fields(attempt: Attempt) -> dict[str, Any]:
    """Return the record as the log line carries it: what metrics and alerts are made from."""
    row = attempt.row()
    # `seconds` and `rows` are JSON in a text, as the ledger keeps them; a metric takes a number.
    row["duration_seconds"] = round((row["finished_at"] - row["started_at"]).total_seconds(), 4)
    row["rows_written"] = sum(attempt.rows.values())
    return {
        k: rfc3339(v) if isinstance(v, datetime) else v
        for k, v in row.items()
        if v is not None and k != "quality"
    }

"""The run, as a list of steps: read the message, fetch, flatten and check, write, record.

Each step may be killed at any instant and the message delivered again, also concurrently: the
tables end as if it had run once. What makes it so: the run's name comes from the message, the
archive's manifest is written once, and the rows and their record become true together.
"""

from __future__ import annotations

import secrets
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared import torn
from shared.archive import Archive, Manifest, Page
from shared.budget import Budget
from shared.endpoint_file import load_endpoint
from shared.errors import (
    BrokenContract,
    CollectError,
    FixConfiguration,
    MessageRefused,
    Permanent,
    RetrySoon,
    StopKey,
    TooManyRejected,
)
from shared.flatten import Flattener
from shared.keys import open_keys
from shared.ledger import Attempt, drift_rows, rejected_rows
from shared.logs import configure, context, log
from shared.message import GLOBAL, message_id, read_message
from shared.quality import Quality
from shared.schedule import duration, every, rfc3339
from shared.settings import Settings
from shared.transport import Transport, with_params
from shared.warehouse import open_warehouse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from shared.endpoint import Endpoint
    from shared.flatten import Flat
    from shared.isolate import Drift, Rejected
    from shared.keys import KeyRing
    from shared.message import Event, Request
    from shared.warehouse import Warehouse, Writer

__all__ = ["Collector", "Flattening"]

USER_AGENT = "TCdatalogger/0.1 (faction history; one caller per key)"


class Flattening:
    """The flattening of one run: a flattener per request, and what they found together."""

    def __init__(self, endpoint: Endpoint, constants: dict[str, Any]) -> None:
        self.quality = Quality()
        self.rejected: list[Rejected] = []
        self._constants = constants
        self._flatteners = {
            name: Flattener(endpoint, name, envelope=torn.ENVELOPE, quality=self.quality)
            for name in endpoint.requests
        }
        self._limit = endpoint.max_rejected

    @property
    def drift(self) -> list[tuple[str, Drift]]:
        """Return the fields nobody declared, with the request that had them."""
        return [(name, one) for name, f in self._flatteners.items() for one in f.drift.values()]

    def page(self, request: str, body: bytes, fetched_at: datetime) -> Flat:
        """Flatten one page and keep count."""
        flat = self._flatteners[request].page(body, {**self._constants, "$fetched_at": fetched_at})
        self.rejected += flat.rejected
        return flat

    def accept(self) -> None:
        """Hold what was rejected against the endpoint's limit.

        Raises:
            TooManyRejected: above it, or nothing good is left.
        """
        rejected, records = len(self.rejected), self.quality.records
        if rejected and (rejected == records or (rejected > 1 and rejected > self._limit * records)):
            raise TooManyRejected(
                f"{rejected} of {records} records are not as declared, the first: "
                f"{self.rejected[0].path}: {self.rejected[0].reason}",
                next_step="compare rejected_rows with endpoint.yaml; the raw answers are in the "
                "archive, and nothing was written",
            )


class Collector:
    """Collects one endpoint; kept for the life of a process, so that connections stay open."""

    def __init__(
        self,
        endpoint: Endpoint,
        settings: Settings,
        *,
        warehouse: Warehouse | None = None,
        keys: KeyRing | None = None,
        on_page: Callable[[Page, int], None] | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.settings = settings
        self.archive = Archive(settings.archive)
        self.warehouse = warehouse or open_warehouse(settings.warehouse, wait=settings.warehouse_wait)
        self._keys = keys or open_keys(settings)
        self._transport = Transport(settings.torn_api_url, user_agent=USER_AGENT)
        self._budgets: dict[str, Budget] = {}
        self._on_page = on_page or (lambda _page, _number: None)
        #: The attempt that ended last, also when it ended with an error.
        self.last: Attempt | None = None

    @classmethod
    def of(cls, main: str) -> Collector:
        """Return the collector of the endpoint whose ``main.py`` this is.

        A mistake in a setting or in endpoint.yaml ends the process with what to correct.
        """
        try:
            settings = Settings.read()
            configure(settings.log_format, settings.log_level)
            return cls(load_endpoint(Path(main).resolve().with_name("endpoint.yaml")), settings)
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
        with context(endpoint=self.endpoint.name, attempt=attempt.attempt, traceparent=_trace(event)):
            try:
                request = read_message(self.endpoint, self.settings.accounts, event)
            except MessageRefused as error:
                self._fail(attempt, error, "refused")
                return attempt
            attempt.request = request
            with context(run_id=request.run_id, account=request.account):
                self._collect(request, attempt)
        return attempt

    def _collect(self, request: Request, attempt: Attempt) -> None:
        try:
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
            manifest = self.fetch(request, attempt.attempt)
        attempt.pages, attempt.bytes = len(manifest.pages), sum(p.bytes for p in manifest.pages)
        attempt.archive_uri = f"{self.archive.url}/{request.folder}"
        attempt.lap("fetch")
        with self.warehouse.begin(self.endpoint, request.run_id, request.account) as writer:
            if writer.done:
                attempt.outcome = "repeated"
            else:
                self.store(request, manifest, writer, attempt)
            log.debug("recording")
            writer.record("runs", [attempt.row()])
            writer.commit()
        log.debug("committed")

    def fetch(self, request: Request, attempt: str) -> Manifest:
        """Read the API page by page into the archive; return the manifest that counts.

        Raises:
            Retryable, Permanent: what the API, the network, the key or the archive refused.
        """
        deadline = time.monotonic() + self.settings.run_timeout
        name = self._key_name(request.account)
        key = self._keys.get(name)
        try:
            pages = list(self._pages(request, attempt, key, deadline))
        except StopKey as error:
            if not self._keys.refused(name, key, error):
                raise
            log.warning("the key %s was refused, but has been replaced since: once more", name)
            pages = list(self._pages(request, f"{attempt}-2", self._keys.get(name), deadline))
        log.debug("fetched")
        manifest = self.archive.put_manifest(
            request.folder, Manifest(run_id=request.run_id, attempt=attempt, pages=pages)
        )
        log.debug("manifest written")
        return manifest

    def flatten(self, manifest: Manifest, found: Flattening) -> Iterator[Flat]:
        """Yield each archived page's batches, the page read last first: its records count."""
        for page in reversed(manifest.pages):
            yield found.page(page.request, self.archive.body(page), page.fetched_at)

    def store(self, request: Request, manifest: Manifest, writer: Writer, attempt: Attempt) -> None:
        """Flatten a run's pages into a writer and note what was found.

        Raises:
            BrokenContract: too many records are not as declared, or a replace is refused.
        """
        found = Flattening(self.endpoint, self.constants(request))
        attempt.quality = found.quality
        try:
            for flat in self.flatten(manifest, found):
                for table, batch in flat.batches.items():
                    writer.write(table, batch)
            found.accept()
        except BrokenContract as error:
            attempt.drift = len(found.drift)
            error.ledger = {  # type: ignore[attr-defined]
                "rejected_rows": rejected_rows(attempt, found.rejected),
                "drift": drift_rows(attempt, found.drift),
            }
            raise
        attempt.lap("flatten")
        log.debug("writing")
        written = writer.finish()
        attempt.rows, attempt.drift = written.rows, len(found.drift)
        attempt.outcome = "superseded" if written.superseded else "ok"
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

    def first_url(self, name: str, request: Request) -> str:
        """Return a request's first URL, as endpoint.yaml and the message make it."""
        declared = self.endpoint.requests[name]
        params: dict[str, Any] = dict(declared.params)
        elsewhere = {p for n, r in self.endpoint.requests.items() if n != name for p in r.params}
        params |= {k: v for k, v in request.params.items() if k in params or k not in elsewhere}
        if declared.window is not None:
            if request.window is not None:
                begin, end = request.window
                params[declared.window.from_] = int(begin.timestamp())
                params[declared.window.to] = int(end.timestamp())
            elif declared.lookback is not None:
                since = (request.slot or request.published_at) - duration(declared.lookback)
                params[declared.window.from_] = int(since.timestamp())
        return with_params(declared.path, params)

    def _pages(self, request: Request, attempt: str, key: str, deadline: float) -> Iterator[Page]:
        auth = torn.KeyAuth(key)
        budget = self._budgets.setdefault(key, Budget(self.endpoint.calls_per_minute))
        for name, declared in self.endpoint.requests.items():
            flattener = Flattener(self.endpoint, name, envelope=torn.ENVELOPE)
            url: str | None = self.first_url(name, request)
            before: list[Any] = []
            number = 0
            while url is not None:
                if number == declared.max_pages:
                    raise BrokenContract(
                        f"{name}: more than {number} pages",
                        next_step="ask for less (lookback), or raise max_pages",
                    )
                response = self._transport.get(
                    url, auth=auth, budget=budget, deadline=deadline, check=torn.check, fresh=torn.fresh
                )
                page = self.archive.put_page(request.folder, attempt, name, number, response)
                if declared.pages == "links":
                    keys = flattener.keys(response.body)
                    if keys and keys == before:
                        raise RetrySoon(
                            f"{name}: page {number + 1} repeats the page before it",
                            next_step="nothing: it is asked again",
                        )
                    before = keys
                number += 1
                log.debug("page %d of %s: %d bytes", number, name, page.bytes)
                self._on_page(page, number)
                yield page
                url = torn.next_link(response.body) if declared.pages == "links" else None

    def _is_late(self, request: Request) -> bool:
        if request.slot is None:
            return False
        late: timedelta = datetime.now(UTC) - request.slot
        return late > every(self.endpoint.every)

    def _key_name(self, account: str) -> str:
        accounts = self.settings.accounts
        named = accounts[account].key if account in accounts else None
        if account == GLOBAL:
            named = next((a.key for a in accounts.values() if a.key), None)
        return named or self.endpoint.key

    def _fail(self, attempt: Attempt, error: CollectError, outcome: str) -> None:
        attempt.outcome, attempt.error = outcome, error
        entries = {"runs": [attempt.row()], **getattr(error, "ledger", {})}
        log.error("%s: %s", outcome, error, extra={"fields": {"run": _run_fields(attempt)}})
        # If this fails, its error is raised, so that the message is not acknowledged.
        self.warehouse.record(entries)

    def _retry(self, attempt: Attempt, error: Exception) -> None:
        attempt.outcome, attempt.error = "retry", error
        expected = isinstance(error, CollectError)
        log.error("retry: %s", error, exc_info=not expected, extra={"fields": {"run": _run_fields(attempt)}})
        try:
            self.warehouse.record({"runs": [attempt.row()]})
        except CollectError as unrecorded:
            log.error("the attempt could not be recorded: %s", unrecorded)


def _say(attempt: Attempt) -> None:
    rows = ", ".join(f"{count} {table}" for table, count in attempt.rows.items()) or "nothing new"
    extra = {"fields": {"run": _run_fields(attempt)}}
    level = "warning" if attempt.outcome in {"missed", "superseded"} or attempt.drift else "info"
    getattr(log, level)("%s: %s in %.2f s", attempt.outcome, rows, sum(attempt.seconds.values()), extra=extra)


def _run_fields(attempt: Attempt) -> dict[str, Any]:
    """Return the record as the log line carries it: what metrics and alerts are made from."""
    row = attempt.row()
    return {
        k: rfc3339(v) if isinstance(v, datetime) else v
        for k, v in row.items()
        if v is not None and k != "quality"
    }


def _trace(event: Event) -> str | None:
    """Return the W3C trace context: of the push request, or of the event itself."""
    flask = sys.modules.get("flask")
    if flask is not None and flask.has_request_context():
        header: str | None = flask.request.headers.get("traceparent")
        return header
    try:
        return str(event["traceparent"])
    except KeyError:
        return None

"""BigQuery jobs that are done once, however often they are asked for.

A job's id is made from what it does: the run, the table, and a number n. BigQuery never accepts an
id twice, so that a second delivery, or a second try after a connection was cut, finds the first
one's job and goes on from its outcome. n rises only after job n ended in error.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import requests
from google.api_core import exceptions
from google.auth.exceptions import TransportError

from shared.errors import BrokenContract, CollectError, FixConfiguration, RetrySoon
from shared.logs import log

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shared.warehouse.bigquery_client import Place

__all__ = ["REQUEST_SECONDS", "Jobs", "Started", "explained"]

#: What fails for a moment; the job may have been taken all the same, so it is looked for first.
_PASSING = (
    exceptions.ServiceUnavailable,
    exceptions.TooManyRequests,
    exceptions.InternalServerError,
    exceptions.BadGateway,
    exceptions.GatewayTimeout,
    exceptions.RetryError,
    ConnectionError,
    requests.ConnectionError,
    requests.Timeout,
    # The answer broke off in its middle.
    requests.exceptions.ChunkedEncodingError,
    TransportError,
)
_PASSING_REASONS = frozenset(
    {
        "backendError",
        "internalError",
        "jobBackendError",
        "jobInternalError",
        "jobRateLimitExceeded",
        "rateLimitExceeded",
        "tableUnavailable",
        "timeout",
    }
)
#: Transactions of two runs on one table: BigQuery ends one of them, which then goes again.
_CONCURRENT = ("aborted due to concurrent update", "Transaction is aborted due to concurrent")
#: What BigQuery says, of a load and of a query, where a table lacks a column or has another type.
_OTHER_TABLE = (
    "Cannot add fields",
    "does not match Table",
    "has changed type",
    "is not present in table",
    "Unrecognized name",
    "cannot be inserted into column",
    "does not have a column",
)
#: How long one request may take; what was cut off is looked for and, if need be, given again.
REQUEST_SECONDS = 60.0
_TRIES = 6
_JOBS = 20
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 8.0


@dataclass(slots=True)
class Started:
    """A job that BigQuery has; ``repeated`` if an earlier delivery gave it."""

    identity: tuple[str, ...]
    submit: Callable[[str], Any]
    job: Any
    number: int
    repeated: bool


class Jobs:
    """Starts jobs and waits for them; ``seconds`` bounds each wait."""

    def __init__(self, place: Place, *, seconds: float = 300.0) -> None:
        self._place = place
        self._seconds = seconds

    def run(self, identity: Sequence[str], submit: Callable[[str], Any]) -> Started:
        """Do one job and wait for it; see ``start`` and ``finish``."""
        return self.finish(self.start(identity, submit))

    def start(self, identity: Sequence[str], submit: Callable[[str], Any], number: int = 0) -> Started:
        """Give BigQuery a job, or find the one that an earlier delivery gave.

        Args:
            identity: What the job does: the same for every delivery of the same work.
            submit: Gives the job under the id that it is called with.
            number: Where to begin counting.

        Raises:
            RetrySoon: BigQuery could not be reached, or was too busy.
            FixConfiguration, BrokenContract: BigQuery refuses it.
        """
        # Ids are the project's: another dataset's runs may have the same names.
        job_id = _job_id((self._place.dataset, *identity), number)
        pause, last = _FIRST_PAUSE, None
        for _ in range(_TRIES):
            try:
                job = submit(job_id)
            except exceptions.Conflict:
                return Started(tuple(identity), submit, self._look_up(job_id), number, repeated=True)
            except (*_PASSING, exceptions.Forbidden) as error:
                if isinstance(error, exceptions.Forbidden) and not _passing(error):
                    raise explained(error) from error
                last = error
                time.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
                # The connection may have been cut after BigQuery had taken it.
                job = self._found(job_id)
                if job is None:
                    continue
            except exceptions.GoogleAPICallError as error:
                raise explained(error) from error
            return Started(tuple(identity), submit, job, number, repeated=False)
        raise RetrySoon(
            f"BigQuery did not take a job: {last}", next_step="nothing: it is delivered again"
        ) from last

    def finish(self, started: Started) -> Started:
        """Wait until a job is done; one that ended in a passing error is given again under the next id.

        Raises:
            RetrySoon: it is not done in time, or failed too often.
            FixConfiguration, BrokenContract: it failed in a way that lasts.
        """
        while True:
            self._wait(started.job)
            result = started.job.error_result
            if result is None:
                return started
            if not started.repeated and not _again(result):
                raise explained_result(result)
            if started.number + 1 == _JOBS:
                raise RetrySoon(f"{_JOBS} jobs ended in error, the last: {result.get('message')}")
            log.debug("job %s ended in error: %s", started.job.job_id, result.get("message"))
            if not started.repeated:
                time.sleep(min(_FIRST_PAUSE * 2**started.number, _LONGEST_PAUSE))
            started = self.start(started.identity, started.submit, started.number + 1)

    def succeeded(self, identity: Sequence[str]) -> bool:
        """Say whether a job did its work, under any of its ids."""
        for number in range(_JOBS):
            job = self._found(_job_id((self._place.dataset, *identity), number))
            if job is None or job.error_result is None:
                return job is not None and job.state == "DONE"
        return False

    def _wait(self, job: Any) -> None:
        deadline, pause = time.monotonic() + self._seconds, 0.05
        while job.state != "DONE":
            if time.monotonic() > deadline:
                raise RetrySoon(
                    f"the job {job.job_id} is not done after {self._seconds:.0f} s",
                    next_step="nothing: the next delivery goes on from it",
                )
            time.sleep(pause)
            pause = min(1.5 * pause, 2.0)
            try:
                job.reload(timeout=REQUEST_SECONDS)
            except _PASSING as error:
                log.debug("the job %s could not be looked at: %s", job.job_id, error)

    def _found(self, job_id: str) -> Any:
        try:
            return self._place.client.get_job(job_id, location=self._place.location, timeout=REQUEST_SECONDS)
        except exceptions.NotFound:
            return None
        except _PASSING:
            return None

    def _look_up(self, job_id: str) -> Any:
        pause = _FIRST_PAUSE
        for _ in range(_TRIES):
            job = self._found(job_id)
            if job is not None:
                return job
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        raise RetrySoon(
            f"BigQuery has the job {job_id} and does not show it",
            next_step="nothing: the next delivery looks again",
        )


def _job_id(identity: Sequence[str], number: int) -> str:
    digest = hashlib.sha256("\x1f".join(identity).encode()).hexdigest()[:40]
    return f"tcdatalogger-{digest}-{number}"


def _passing(error: exceptions.GoogleAPICallError) -> bool:
    return any(one.get("reason") in _PASSING_REASONS for one in error.errors or [] if isinstance(one, dict))


def _again(result: dict[str, Any]) -> bool:
    message = str(result.get("message"))
    return result.get("reason") in _PASSING_REASONS or any(text in message for text in _CONCURRENT)


def explained(error: exceptions.GoogleAPICallError) -> CollectError:
    """Return what an API error means for a run."""
    reasons = [one.get("reason") for one in error.errors or [] if isinstance(one, dict)]
    return explained_result(
        {"reason": reasons[0] if reasons else "", "message": error.message, "code": error.code}
    )


def explained_result(result: dict[str, Any]) -> CollectError:
    """Return what a job's error means for a run."""
    reason, text = str(result.get("reason") or ""), str(result.get("message"))
    apply = (
        "bring the tables up to what is declared: `tcdatalogger tables apply`, in the cloud `terraform apply`"
    )
    if reason == "notFound" or "Not found: Table" in text or "Not found: Dataset" in text:
        return FixConfiguration(f"BigQuery: {text}", next_step=apply)
    if any(part in text for part in _OTHER_TABLE):
        return FixConfiguration(f"BigQuery: the table is not as declared: {text}", next_step=apply)
    if reason == "accessDenied":
        # A snapshot that ends by itself needs deleteSnapshot, which dataEditor does not have.
        role = "dataOwner" if "Snapshot" in text else "dataEditor"
        return FixConfiguration(
            f"BigQuery: {text}",
            next_step=f"grant this account roles/bigquery.{role} on the dataset, and jobUser on the project",
        )
    if reason == "quotaExceeded":
        return RetrySoon(
            f"BigQuery: a quota is used up: {text}", next_step="see the quotas; it is tried again"
        )
    if reason in _PASSING_REASONS or any(part in text for part in _CONCURRENT):
        return RetrySoon(f"BigQuery: {text}", next_step="nothing: it is delivered again")
    return BrokenContract(
        f"BigQuery: {text}", next_step="compare the rows with the table; nothing was written"
    )

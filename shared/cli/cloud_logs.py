"""The functions' log lines out of Cloud Logging, in the form in which ``shared.logs`` wrote them.

``LOGGING_EMULATOR_HOST=127.0.0.1:8090`` leads to a server on this machine instead, without
credentials.
"""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from shared.cli.cloud import LOGIN, lacks_credentials
from shared.cli.log_lines import SEVERITIES, Line, Wanted
from shared.errors import FixConfiguration, RetrySoon
from shared.logs import LABELS, SOURCE, SPAN, TRACE
from shared.loopback import plain_channel
from shared.schedule import rfc3339

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["EMULATOR", "CloudLogs", "filter_of"]

EMULATOR = "LOGGING_EMULATOR_HOST"
#: Lines arrive late, and not in order; so far back each reading looks again.
_LATE = timedelta(seconds=60)
_PAGE = 1000
_TIMEOUT = 30.0


def filter_of(wanted: Wanted, *, since: datetime, prefix: str = "") -> str:
    """Return the wanted lines' filter in Cloud Logging's query language."""
    found = [
        'resource.type="cloud_run_revision"',
        # Not what each request was answered with, nor who changed a service.
        "(jsonPayload:* OR textPayload:*)",
        f'timestamp>="{rfc3339(since)}"',
    ]
    if wanted.errors:
        found.append("severity>=ERROR")
    if prefix:
        # Two installations may share a project.
        found.append(f"resource.labels.service_name=~{_quoted(f'^{re.escape(prefix)}')}")
    if wanted.endpoint:
        # What the platform says (memory is used up) has no label; and a service's name has no _.
        service = f"{prefix}{wanted.endpoint}".replace("_", "-")
        name = _quoted(wanted.endpoint)
        found.append(
            f"(labels.endpoint={name} OR labels.job={name}"
            f" OR resource.labels.service_name={_quoted(service)})"
        )
    if wanted.run and wanted.is_run_id:
        found.append(f"labels.run_id={_quoted(wanted.run)}")
    elif wanted.run:
        begins = re.escape(wanted.run)
        found.append(
            f"(labels.run_id=~{_quoted(f'/{begins}[^/]*$')}"
            f" OR jsonPayload.run.message_id=~{_quoted(f'^{begins}')}"
            f" OR jsonPayload.job.message_id=~{_quoted(f'^{begins}')})"
        )
    return " AND ".join(found)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


class CloudLogs:
    """A project's lines; each reading gives those that came since the last one."""

    #: Seconds between readings while somebody watches: a project may read 60 times a minute.
    pause = 3.0

    def __init__(
        self, project: str, wanted: Wanted, *, prefix: str = "", environ: Mapping[str, str] = os.environ
    ) -> None:
        self._project = project
        self._wanted = wanted
        self._prefix = prefix
        self._emulator = environ.get(EMULATOR, "")
        self._client: Any = None
        self._last = wanted.since
        self._seen: dict[tuple[datetime, str], None] = {}
        #: How many lines were none; Cloud Logging makes a line of everything.
        self.unreadable = 0

    def read(self) -> Iterator[Line]:
        """Yield the wanted lines that are new, in the order of time.

        Raises:
            FixConfiguration: credentials, rights or the project are wrong.
            RetrySoon: Cloud Logging did not answer.
        """
        # 2 s of imports.
        from google.api_core import exceptions, retry  # noqa: PLC0415
        from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415

        since = max(self._last - _LATE, self._wanted.since) if self._seen else self._wanted.since
        again = retry.Retry(
            predicate=partial(_is_passing, (exceptions.ServiceUnavailable, exceptions.ResourceExhausted)),
            initial=0.5,
            maximum=10.0,
            timeout=_TIMEOUT,
        )
        request = {
            "resource_names": [f"projects/{self._project}"],
            "filter": filter_of(self._wanted, since=since, prefix=self._prefix),
            "order_by": "timestamp asc",
            "page_size": _PAGE,
        }
        try:
            for entry in self._open().list_log_entries(request=request, retry=again, timeout=_TIMEOUT):
                line = _line(type(entry).pb(entry))
                identity = (line.time, entry.insert_id)
                if identity not in self._seen:
                    self._seen[identity] = None
                    self._last = max(self._last, line.time)
                    yield line
        except (exceptions.GoogleAPICallError, exceptions.RetryError, GoogleAuthError) as error:
            raise self._failed(error) from error
        self._seen = {one: None for one in self._seen if one[0] >= self._last - _LATE}

    def _failed(self, error: Exception) -> FixConfiguration | RetrySoon:
        from google.api_core import exceptions  # noqa: PLC0415

        said = getattr(error, "message", str(error))
        if lacks_credentials(error):
            return FixConfiguration(
                f"there are no credentials that may read the log of {self._project}: {said}", next_step=LOGIN
            )
        if isinstance(error, exceptions.PermissionDenied | exceptions.NotFound):
            return FixConfiguration(
                f"the log of project {self._project} cannot be read: {said}",
                next_step="check --project (`gcloud projects list`), or ask for roles/logging.viewer there",
            )
        if isinstance(error, exceptions.InvalidArgument):
            return FixConfiguration(f"Cloud Logging refuses what was asked: {said}", next_step="check --run")
        where = f"; {EMULATOR} is {self._emulator}" if self._emulator else ""
        return RetrySoon(f"Cloud Logging did not answer: {said}{where}", next_step="try again in a minute")

    def _open(self) -> Any:
        if self._client is None:
            from google.cloud.logging_v2.services.logging_service_v2 import (  # noqa: PLC0415
                LoggingServiceV2Client,
            )
            from google.cloud.logging_v2.services.logging_service_v2.transports import (  # noqa: PLC0415
                LoggingServiceV2GrpcTransport,
            )

            if self._emulator:
                channel = plain_channel(
                    self._emulator, variable=EMULATOR, why="log lines would travel in the clear"
                )
                self._client = LoggingServiceV2Client(
                    transport=LoggingServiceV2GrpcTransport(channel=channel)
                )
            else:
                self._client = LoggingServiceV2Client()
        return self._client


def _is_passing(passing: tuple[type[Exception], ...], error: Exception) -> bool:
    return isinstance(error, passing) and not lacks_credentials(error)


def _line(found: Any) -> Line:
    payload = _plain_struct(found.json_payload) if found.HasField("json_payload") else {}
    entry: dict[str, Any] = {
        "severity": SEVERITIES[found.severity // 100],
        "time": found.timestamp.ToDatetime(UTC).isoformat(),
        # Cloud Logging makes a text of a line that has nothing but a message.
        "message": payload.pop("message", "") or found.text_payload,
    }
    if found.trace:
        entry[TRACE] = found.trace
    if found.span_id:
        entry[SPAN] = found.span_id
    entry[LABELS] = dict(sorted(found.labels.items()))
    if found.source_location.file:
        place = found.source_location
        entry[SOURCE] = {"file": place.file, "line": str(place.line), "function": place.function}
    entry.update(sorted(payload.items()))
    line = Line.of(entry, service=found.resource.labels.get("service_name", ""))
    assert line is not None
    return line


def _plain_struct(struct: Any) -> dict[str, Any]:
    return {name: _plain(value) for name, value in struct.fields.items()}


def _plain(value: Any) -> Any:
    """Return a value of a Struct, in which every number is a float."""
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return _plain_struct(value.struct_value)
    if kind == "list_value":
        return [_plain(one) for one in value.list_value.values]
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    return None if kind in {"null_value", None} else getattr(value, kind)

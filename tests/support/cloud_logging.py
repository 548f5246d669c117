"""A Cloud Logging on this machine: Google's own protos over gRPC, entries as Cloud Run writes them."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

import grpc
from google.cloud.logging_v2.types import ListLogEntriesRequest, ListLogEntriesResponse, LogEntry
from google.protobuf.json_format import ParseDict

from support.log_filter import FilterError, accepts, parse

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CloudLoggingServer", "entry_of"]

_METHOD = "ListLogEntries"
_SERVICE = "google.logging.v2.LoggingServiceV2"
_GOOGLE = "logging.googleapis.com/"


def entry_of(line: str, *, service: str, project: str = "proj") -> dict[str, Any]:
    """Return the LogEntry's JSON that Cloud Run makes of a line on standard error, as Google documents it."""
    entry: dict[str, Any] = {
        "logName": f"projects/{project}/logs/run.googleapis.com%2Fstderr",
        "resource": {
            "type": "cloud_run_revision",
            "labels": {"service_name": service, "project_id": project, "location": "us-central1"},
        },
        "labels": {"instanceId": "0069c7a9"},
        "timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
    }
    try:
        payload = json.loads(line)
    except ValueError:
        return {**entry, "textPayload": line}
    entry["severity"] = payload.pop("severity", "DEFAULT")
    entry["timestamp"] = payload.pop("time", entry["timestamp"]).replace("+00:00", "Z")
    entry["labels"] |= payload.pop(f"{_GOOGLE}labels", {})
    for name in ("sourceLocation", "trace", "spanId"):
        if f"{_GOOGLE}{name}" in payload:
            entry[name] = payload.pop(f"{_GOOGLE}{name}")
    if set(payload) == {"message"}:
        return {**entry, "textPayload": payload["message"]}
    return {**entry, "jsonPayload": payload}


class CloudLoggingServer:
    """Entries, which are asked for with filters; ``failures`` are answered first, one a call."""

    def __init__(self, *, page: int = 3) -> None:
        self.failures: list[grpc.StatusCode] = []
        self.asked: list[ListLogEntriesRequest] = []
        self._entries: list[tuple[LogEntry, Mapping[str, Any]]] = []
        self._page = page
        self._lock = threading.Lock()
        self._grpc = grpc.server(ThreadPoolExecutor(8), options=[("grpc.so_reuseport", 0)])
        handler = grpc.unary_unary_rpc_method_handler(
            self._list,
            request_deserializer=ListLogEntriesRequest.deserialize,
            response_serializer=ListLogEntriesResponse.serialize,
        )
        self._grpc.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(_SERVICE, {_METHOD: handler}),)
        )
        self.host = f"127.0.0.1:{self._grpc.add_insecure_port('127.0.0.1:0')}"

    def __enter__(self) -> Self:
        self._grpc.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._grpc.stop(None).wait()

    def add(self, *entries: Mapping[str, Any]) -> None:
        """Take entries, in any order, each with an id of its own."""
        with self._lock:
            for entry in entries:
                whole = {"insertId": f"id{len(self._entries)}", "severity": "DEFAULT", **entry}
                made = LogEntry()
                ParseDict(whole, LogEntry.pb(made))
                self._entries.append((made, whole))

    def _list(self, request: ListLogEntriesRequest, call: grpc.ServicerContext) -> ListLogEntriesResponse:
        with self._lock:
            self.asked.append(request)
            failure = self.failures.pop(0) if self.failures else None
            entries = list(self._entries)
        if failure is not None:
            call.abort(failure, "made to fail")
        try:
            wanted = parse(request.filter)
        except FilterError as error:
            call.abort(grpc.StatusCode.INVALID_ARGUMENT, f"Unparseable filter: {error}")
        if request.order_by not in {"", "timestamp asc", "timestamp desc"}:
            call.abort(grpc.StatusCode.INVALID_ARGUMENT, f"Invalid order_by: {request.order_by}")
        begins = tuple(f"{name}/" for name in request.resource_names)
        found = [
            made for made, whole in entries if whole["logName"].startswith(begins) and accepts(wanted, whole)
        ]
        found.sort(key=lambda one: one.timestamp, reverse=request.order_by.endswith("desc"))
        # A page's token is of its own filter, as Google's is.
        own, _, begin = request.page_token.partition(":")
        if own not in {"", str(len(request.filter))}:
            call.abort(grpc.StatusCode.INVALID_ARGUMENT, "page_token is not valid for this request")
        first = int(begin or 0)
        last = first + min(self._page, request.page_size or 50)
        more = f"{len(request.filter)}:{last}" if last < len(found) else ""
        return ListLogEntriesResponse(entries=found[first:last], next_page_token=more)

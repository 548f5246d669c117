"""A proxy in front of the BigQuery emulator: it notes what is asked, and answers now and then as Google may.

The emulator looks for a job's id first and notes it later, so that two submissions at once may both be
taken; Google takes an id once. The proxy lets one submission of an id in at a time, and one making of a
table, of which two at once fail in the emulator's catalog.
"""

from __future__ import annotations

import contextlib
import gzip
import http.client
import json
import re
import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Asked", "Fault", "Proxy", "cut", "ended", "refused", "running", "slow", "unheard"]

_JOB = re.compile(r"/projects/[^/]+/jobs/([^/]+)$")
_KINDS = (
    ("load", "POST", re.compile(r"^/upload/.*/jobs$")),
    ("upload", "PUT", re.compile(r"^/upload/")),
    ("query", "POST", re.compile(r"/projects/[^/]+/jobs$")),
    ("quick query", "POST", re.compile(r"/projects/[^/]+/queries$")),
    ("get job", "GET", _JOB),
    ("list jobs", "GET", re.compile(r"/projects/[^/]+/jobs$")),
    ("insert rows", "POST", re.compile(r"/insertAll$")),
    ("create table", "POST", re.compile(r"/datasets/[^/]+/tables$")),
    ("delete table", "DELETE", re.compile(r"/tables/[^/]+$")),
    ("get dataset", "GET", re.compile(r"/datasets/[^/]+$")),
    ("results", "GET", re.compile(r"/queries/[^/]+$")),
)
_SUBMITS = {"load", "query", "copy"}
_IN_TURN = {*_SUBMITS, "create table", "delete table"}
_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}


@dataclass(slots=True)
class Asked:
    """One request; ``body`` is its JSON, of an upload that of the job."""

    kind: str
    method: str
    path: str
    body: dict[str, Any]
    status: int = 0

    @property
    def job_id(self) -> str:
        """Give the id of the job that is submitted or asked for."""
        found = _JOB.search(self.path)
        if found:
            return found[1]
        return str(self.body.get("jobReference", {}).get("jobId", ""))

    @property
    def table(self) -> str:
        """Give the name of the table that is loaded or written to."""
        if self.kind == "load":
            return str(self.body["configuration"]["load"]["destinationTable"]["tableId"])
        found = re.search(r"/tables/([^/]+)", self.path)
        return found[1] if found else str(self.body.get("tableReference", {}).get("tableId", ""))

    @property
    def sql(self) -> str:
        """Give the SQL of a query."""
        return str(self.body.get("configuration", {}).get("query", {}).get("query", ""))


@dataclass(slots=True)
class Answer:
    """What is sent back; without a status the connection is broken off instead, after ``body``."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Fault:
    """What happens to the n-th to (n+times-1)-th request of a kind."""

    kind: str
    act: Callable[[Proxy, Asked, Callable[[], Answer]], Answer]
    n: int = 1
    times: int = 1
    seen: int = 0

    def takes(self, asked: Asked) -> bool:
        """Say whether this request is one of them."""
        if asked.kind != self.kind:
            return False
        self.seen += 1
        return self.n <= self.seen < self.n + self.times


def cut(*, taken: bool, sent: float = 0.0) -> Callable[..., Answer]:
    """Break the connection off before the request is taken, or after, with a part of the answer sent."""

    def act(_proxy: Proxy, _asked: Asked, forward: Callable[[], Answer]) -> Answer:
        answer = forward() if taken else Answer(0, b"")
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(answer.body)}\r\n\r\n".encode()
        return Answer(0, head + answer.body[: int(sent * len(answer.body))] if sent else b"")

    return act


def unheard(act: Callable[..., Answer]) -> Callable[..., Answer]:
    """Break the connection off instead of giving another fault's answer."""

    def both(proxy: Proxy, asked: Asked, forward: Callable[[], Answer]) -> Answer:
        act(proxy, asked, forward)
        return Answer(0, b"")

    return both


def refused(status: int, reason: str, message: str = "made up") -> Callable[..., Answer]:
    """Answer with an error; nothing is taken."""

    def act(_proxy: Proxy, _asked: Asked, _forward: Callable[[], Answer]) -> Answer:
        return _error(status, reason, message)

    return act


def slow(seconds: float) -> Callable[..., Answer]:
    """Answer late."""

    def act(_proxy: Proxy, _asked: Asked, forward: Callable[[], Answer]) -> Answer:
        time.sleep(seconds)
        return forward()

    return act


def running(looks: int) -> Callable[..., Answer]:
    """Take a job, which is shown as running, in this answer and in the next ``looks``."""

    def act(proxy: Proxy, asked: Asked, forward: Callable[[], Answer]) -> Answer:
        proxy.running[asked.job_id] = looks
        return _running(forward())

    return act


def ended(reason: str, message: str = "made up") -> Callable[..., Answer]:
    """Take a job, which ends in error: nothing is done, and its id is used up."""

    def act(proxy: Proxy, asked: Asked, _forward: Callable[[], Answer]) -> Answer:
        error = {"reason": reason, "message": message}
        proxy.ended[asked.job_id] = {
            "kind": "bigquery#job",
            "jobReference": {**asked.body["jobReference"], "location": "US"},
            "configuration": asked.body["configuration"],
            "status": {"state": "DONE", "errorResult": error, "errors": [error]},
            "statistics": {},
        }
        return Answer(200, json.dumps(proxy.ended[asked.job_id]).encode())

    return act


def _error(status: int, reason: str, message: str) -> Answer:
    errors = [{"reason": reason, "message": message, "domain": "global"}]
    body = {"error": {"code": status, "message": message, "errors": errors}}
    return Answer(status, json.dumps(body).encode(), {"Content-Type": "application/json"})


def _running(answer: Answer) -> Answer:
    if answer.status != 200:
        return answer
    job = json.loads(answer.body)
    job["status"] = {"state": "RUNNING"}
    return Answer(200, json.dumps(job).encode(), answer.headers)


class Handler(BaseHTTPRequestHandler):
    """Hands each request to the proxy."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Proxy

    def _any(self) -> None:
        sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        answer = self.server.answer(self.command, self.path, dict(self.headers), sent)
        if not answer.status:
            self.wfile.write(answer.body)
            # Without the courtesy of an end: a machine that goes away.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _any  # noqa: N815 - names that http.server calls

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


class Proxy(ThreadingHTTPServer):
    """Stands before an emulator; faults are taken from its plan."""

    daemon_threads = True

    def __init__(self, emulator: str, *plan: Fault) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.plan = list(plan)
        self.asked: list[Asked] = []
        #: Job → how often it is still shown as running.
        self.running: dict[str, int] = {}
        #: Jobs that ended in error, which the emulator never saw.
        self.ended: dict[str, dict[str, Any]] = {}
        self._emulator = emulator
        self._lock = threading.Lock()
        self._turns: dict[str, threading.Lock] = {}

    @property
    def host(self) -> str:
        """Give the value of BIGQUERY_EMULATOR_HOST."""
        return f"127.0.0.1:{self.server_port}"

    @property
    def submitted(self) -> list[Asked]:
        """Return the requests that give a job, dry runs aside."""
        return [a for a in self.asked if a.kind in _SUBMITS and not a.body["configuration"].get("dryRun")]

    def kinds(self, *kinds: str) -> list[Asked]:
        """Return the requests of some kinds, in their order."""
        return [asked for asked in self.asked if asked.kind in kinds]

    def answer(self, method: str, target: str, headers: dict[str, str], sent: bytes) -> Answer:
        """Answer one request."""
        path = urlsplit(target).path
        kind = next((k for k, m, form in _KINDS if m == method and form.search(path)), "other")
        body = _document(headers, sent)
        if "copy" in body.get("configuration", {}):
            kind = "copy"
        asked = Asked(kind, method, path, body)
        with self._lock:
            self.asked.append(asked)
            fault = next((one for one in self.plan if one.takes(asked)), None)
            turn = self._turns.setdefault(asked.job_id if kind in _SUBMITS else kind, threading.Lock())

        def forward() -> Answer:
            return self._forward(method, target, headers, sent)

        submits = kind in _SUBMITS
        with turn if kind in _IN_TURN else contextlib.nullcontext():
            if asked.job_id in self.ended:
                job = self.ended[asked.job_id]
                answer = (
                    _error(409, "duplicate", f"Already Exists: Job {asked.job_id}")
                    if submits
                    else Answer(200, json.dumps(job).encode(), {"Content-Type": "application/json"})
                )
            else:
                answer = fault.act(self, asked, forward) if fault else forward()
        if kind == "get job" and self.running.get(asked.job_id, 0) > 0:
            self.running[asked.job_id] -= 1
            answer = _running(answer)
        asked.status = answer.status
        return answer

    def _forward(self, method: str, target: str, headers: dict[str, str], sent: bytes) -> Answer:
        connection = http.client.HTTPConnection(self._emulator, timeout=60)
        try:
            kept = {name: value for name, value in headers.items() if name.lower() not in _HOP}
            connection.request(method, target, sent, {**kept, "Host": self._emulator})
            got = connection.getresponse()
            named = {k: v for k, v in got.getheaders() if k.lower() not in _HOP | {"date", "server"}}
            return Answer(got.status, got.read(), named)
        finally:
            connection.close()

    def handle_error(self, request: object, client_address: object) -> None:
        """Let clients hang up: that they do is what is tested."""

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join()


def _document(headers: dict[str, str], sent: bytes) -> dict[str, Any]:
    plain = {name.lower(): value for name, value in headers.items()}
    if plain.get("content-encoding") == "gzip":
        sent = gzip.decompress(sent)
    if plain.get("content-type", "").startswith("multipart/related"):
        # The job comes first, then the file.
        sent = sent[sent.index(b"{") :]
    if not sent.startswith(b"{"):
        return {}
    found, _ = json.JSONDecoder().raw_decode(sent.decode("latin-1"))
    return dict(found)

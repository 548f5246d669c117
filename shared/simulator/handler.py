"""Answer HTTP requests: the API below /v2, and beside it the door for tests (/__faults__, /__log__).

A request passes the keys, the budget, the faults and the cache, in that order, and is written down at the
end.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qsl, urlencode, urlsplit

from shared.simulator.answer import Answer, Hangup
from shared.simulator.faults import FAULTS, Fault
from shared.simulator.gate import Keys, fingerprint
from shared.simulator.mischief import Exchange
from shared.simulator.paging import Ask
from shared.simulator.refusals import Refusal
from shared.simulator.spoilers import dump

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping

    from shared.simulator.server import ApiServer
    from shared.simulator.sockets import SocketServer

__all__ = ["Handler", "Request"]

_BASE = "/v2"
_TEXT = {"Content-Type": "text/plain"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Record one request for the API. A key is recorded by its fingerprint alone, never in the query."""

    at: float
    method: str
    path: str
    query: str
    key_in_url: bool
    key: str | None
    status: int
    error: int | None
    cached: bool
    fault: str | None
    user_agent: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    answer: Answer
    error: int | None = None
    cached: bool = False
    fault: Fault | None = None


class Handler(BaseHTTPRequestHandler):
    """Serve one connection, kept alive between requests."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server_version = "TornSimulator"
    sys_version = ""

    @property
    def api(self) -> ApiServer:
        """Give the simulator behind the socket."""
        return cast("SocketServer", self.server).api

    @property
    def stopping(self) -> threading.Event:
        """Give the event that is set when the server stops."""
        return self.api.stopping

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Print nothing: requests are in the log that tests read."""

    def head(self, status: int, headers: Mapping[str, str]) -> None:
        """Send status line and headers."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def write(self, data: bytes) -> None:
        """Send bytes of the body."""
        self.wfile.write(data)

    def do_GET(self) -> None:
        """Answer from the API, or from the door for tests."""
        if self.path == "/__log__":
            self._send(Answer(body=dump({"requests": [asdict(request) for request in self.api.requests]})))
        elif self.path == "/__faults__":
            known = {name: fault.description for name, fault in FAULTS.items()}
            self._send(Answer(body=dump({"waiting": self.api.faults.waiting(), "known": known})))
        else:
            self._answer()

    def do_POST(self) -> None:
        """Plan a fault: ``{"fault": NAME, "where": "crimes", "times": 1, "after": 0, "amount": 2}``.

        Only the name is needed. ``{"text": ...}`` takes what the command line takes.
        """
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path != "/__faults__":
            self._answer()
            return
        try:
            wish = json.loads(body)
            if "text" in wish:
                self.api.faults.add_text(wish["text"])
            else:
                fault = Fault.named(wish["fault"], amount=wish.get("amount"))
                where, times, after = wish.get("where", "*"), wish.get("times"), wish.get("after", 0)
                self.api.faults.add(where, fault, times=times, after=after)
        except (KeyError, TypeError, ValueError) as error:
            self._send(Answer(status=400, body=dump({"error": str(error)})))
        else:
            self._send(Answer(body=dump({"waiting": self.api.faults.waiting()})))

    def do_DELETE(self) -> None:
        """Forget the faults that are to come."""
        if self.path == "/__faults__":
            self.api.faults.clear()
            self._send(Answer(body=dump({"waiting": []})))
        else:
            self._answer()

    def _send(self, answer: Answer) -> None:
        try:
            answer.send(self, answer)
        except (Hangup, ConnectionError):
            self.close_connection = True

    def _answer(self) -> None:
        """Answer one request for the API and write it down."""
        url = urlsplit(self.path)
        params = dict(parse_qsl(url.query, keep_blank_values=True))
        in_url = params.pop("key", None) is not None
        key = Keys.read(self.headers.get("Authorization"))
        now = self.api.now()
        outcome = _Outcome(answer=Answer(status=404, body=b"Not found", headers=_TEXT))
        if self.command != "GET":
            outcome = _Outcome(answer=Answer(status=405, body=b"Method not allowed", headers=_TEXT))
        elif url.path.startswith(f"{_BASE}/"):
            ask = Ask(path=url.path.removeprefix(_BASE).rstrip("/") or "/", params=params, base=self._base())
            outcome = self._api_answer(key, ask, now, in_url=in_url)
        request = Request(
            at=now,
            method=self.command,
            path=url.path,
            query=urlencode(params),
            key_in_url=in_url,
            key=fingerprint(key) if key else None,
            status=outcome.answer.status,
            error=outcome.error,
            cached=outcome.cached,
            fault=outcome.fault.name if outcome.fault else None,
            user_agent=self.headers.get("User-Agent"),
        )
        # Written down before the answer leaves: whoever has the answer finds the request in the log.
        self.api.record(request)
        self._send(outcome.answer)

    def _api_answer(self, key: str, ask: Ask, now: float, *, in_url: bool) -> _Outcome:
        api = self.api
        try:
            api.keys.check(key, in_url=in_url)
            api.budget.spend(key, now)
        except Refusal as refusal:
            return _Outcome(answer=_refused(refusal), error=refusal.code)
        fault, source = api.faults.take(ask.path), api.source_for(key)
        outcome = _Outcome(answer=Answer(body=b""), fault=fault)
        try:
            body, cached = api.cache.get(key, ask, now, lambda: source.body(ask, now))
            outcome = replace(outcome, answer=Answer(body=body), cached=cached)
        except Refusal as refusal:
            outcome = replace(outcome, answer=_refused(refusal), error=refusal.code)
        if fault is None:
            return outcome
        exchange = Exchange(ask=ask, again=lambda changed: source.body(changed, now))
        # A fault of pages has nothing to spoil where the API refuses the page: the refusal is the answer
        # then.
        with suppress(Refusal):
            outcome = replace(outcome, answer=fault.act(fault.amount, outcome.answer, exchange))
        return outcome

    def _base(self) -> str:
        """Give the base URL as the client reached it."""
        return f"http://{self.headers.get('Host') or self.api.address}{_BASE}"


def _refused(refusal: Refusal) -> Answer:
    return Answer(body=dump(refusal.body))

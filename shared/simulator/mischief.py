"""Do what the faults say: turn a true answer into the one that is sent.

An act gets the fault's amount (seconds or megabytes), the true answer, and the exchange it belongs to.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from shared.simulator import spoilers
from shared.simulator.answer import Answer
from shared.simulator.paging import links
from shared.simulator.refusals import Refusal

if TYPE_CHECKING:
    from shared.simulator.answer import Connection
    from shared.simulator.paging import Ask

__all__ = [
    "Act",
    "Exchange",
    "busy",
    "challenge",
    "empty",
    "endless_new",
    "endless_same",
    "not_json",
    "other_host",
    "paged",
    "redirect",
    "refused",
    "repeat_page",
    "sent",
    "spoiled",
    "status",
    "truncated",
]

_EVIL = "http://evil.example"
_HTML = {"Content-Type": "text/html; charset=UTF-8"}
_CHALLENGE = b"""<!DOCTYPE html><html lang="en-US"><head><title>Just a moment...</title></head>
<body><h1>api.torn.com</h1><p>Verifying you are human. This may take a few seconds.</p></body></html>"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """Hold what a fault may look at: the request, and how to get the true answer to a changed one."""

    ask: Ask
    again: Callable[[Ask], bytes]

    @property
    def offset(self) -> int:
        """Give the page's offset."""
        return self.ask.integer("offset", 0, low=0) or 0

    @property
    def limit(self) -> int:
        """Give the page's size."""
        return self.ask.integer("limit", 20, low=1, high=100) or 20

    def page(self, offset: int) -> dict[str, Any]:
        """Give the true page at another offset."""
        document = json.loads(
            self.again(replace(self.ask, params={**self.ask.params, "offset": str(offset)}))
        )
        return cast("dict[str, Any]", document)


Act = Callable[[float, Answer, Exchange], Answer]


def _json(status: int, document: object, **headers: str) -> Answer:
    return Answer(
        status=status, body=spoilers.dump(document), headers={"Content-Type": "application/json", **headers}
    )


def refused(code: int, *, flat: bool) -> Act:
    """Answer an error of Torn's."""
    body = Refusal(code).body
    return lambda _amount, _answer, _exchange: _json(200, body["error"] if flat else body)


def status(code: int) -> Act:
    """Answer an HTTP error in HTML."""
    return lambda _amount, _answer, _exchange: Answer(status=code, body=b"<h1>%d</h1>" % code, headers=_HTML)


def busy(amount: float, _answer: Answer, _exchange: Exchange) -> Answer:
    """Answer HTTP 429; the amount is what Retry-After says."""
    return _json(429, Refusal(5).body, **{"Retry-After": f"{amount:g}"})


def challenge(_amount: float, _answer: Answer, _exchange: Exchange) -> Answer:
    """Answer Cloudflare's challenge page."""
    headers = {**_HTML, "cf-mitigated": "challenge", "cf-ray": "0000000000000000-SIM"}
    return Answer(status=403, body=_CHALLENGE, headers=headers)


def sent(sender: Callable[[Connection, Answer], None]) -> Act:
    """Send the true answer in another way."""
    return lambda amount, answer, _exchange: replace(answer, send=sender, amount=amount)


def spoiled(spoil: Callable[[dict[str, Any]], None]) -> Act:
    """Change the document before it is sent."""

    def act(_amount: float, answer: Answer, _exchange: Exchange) -> Answer:
        document = json.loads(answer.body)
        spoil(document)
        return replace(answer, body=spoilers.dump(document))

    return act


def truncated(_amount: float, answer: Answer, _exchange: Exchange) -> Answer:
    """Leave out the last third of the body, and say its length rightly."""
    return replace(answer, body=answer.body[: len(answer.body) * 2 // 3])


def not_json(_amount: float, _answer: Answer, _exchange: Exchange) -> Answer:
    """Answer HTTP 200 with plain words."""
    return Answer(body=b"The city is resting. Please come back later.", headers=_HTML)


def empty(_amount: float, answer: Answer, _exchange: Exchange) -> Answer:
    """Answer HTTP 200 with nothing."""
    return replace(answer, body=b"")


def redirect(_amount: float, _answer: Answer, exchange: Exchange) -> Answer:
    """Answer HTTP 302 to another host."""
    return Answer(status=302, body=b"", headers={**_HTML, "Location": f"{_EVIL}/v2{exchange.ask.path}"})


def paged(act: Act) -> Act:
    """Do it to pages alone: a body without links stays as it is."""

    def acted(amount: float, answer: Answer, exchange: Exchange) -> Answer:
        return act(amount, answer, exchange) if "_metadata" in json.loads(answer.body) else answer

    return acted


def _with_next(document: dict[str, Any], exchange: Exchange) -> dict[str, Any]:
    """Give a page a next link as if there were always more."""
    document["_metadata"] = {
        "links": links(exchange.ask, offset=exchange.offset, limit=exchange.limit, more=True)
    }
    return document


def other_host(_amount: float, answer: Answer, exchange: Exchange) -> Answer:
    """Let the next link lead to another host."""
    document = _with_next(json.loads(answer.body), exchange)
    found = document["_metadata"]["links"]
    found["next"] = found["next"].replace(exchange.ask.base, f"{_EVIL}/v2")
    return replace(answer, body=spoilers.dump(document))


def endless_same(_amount: float, answer: Answer, exchange: Exchange) -> Answer:
    """Show the first page whatever the offset, always with a next link."""
    return replace(answer, body=spoilers.dump(_with_next(exchange.page(0), exchange)))


def endless_new(_amount: float, answer: Answer, exchange: Exchange) -> Answer:
    """Show the first page's records under ids that no other page has."""
    document = exchange.page(0)
    spoilers.renumber(document, exchange.offset // exchange.limit)
    return replace(answer, body=spoilers.dump(_with_next(document, exchange)))


def repeat_page(_amount: float, answer: Answer, exchange: Exchange) -> Answer:
    """Show the previous page's records under this page's links."""
    if not exchange.offset:
        return answer
    document = json.loads(answer.body)
    previous = exchange.page(max(0, exchange.offset - exchange.limit))
    spoilers.records(document)[:] = spoilers.records(previous)
    return replace(answer, body=spoilers.dump(document))

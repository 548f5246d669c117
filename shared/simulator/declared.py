"""Answer a path that no part of the world shows, but an endpoint.yaml declares: a body as it declares it.

So a new endpoint has something to collect before anybody has drawn its part of the world. What is shown is
made of the declaration alone: it proves that the declaration can be collected, not that it is true.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from typing import TYPE_CHECKING
from urllib.parse import unquote

from shared.endpoint_file import FUNCTIONS, find_endpoints, load_endpoint
from shared.endpoint_rules import request_of
from shared.errors import EndpointInvalid
from shared.names import written
from shared.simulator.chance import whole
from shared.simulator.inventor import Inventor
from shared.simulator.paging import links

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from shared.endpoint import Endpoint, Request
    from shared.simulator.paging import Ask

__all__ = ["Declared", "declared"]

_FEWEST, _MOST = 24, 36  # records of a list
_PAGES = 2  # over which they are spread at least
_SINGLE_PAGES = 3  # of a body that is one record


@dataclass(frozen=True, slots=True)
class Declared:
    """One request of one endpoint, and the body that it would like to read."""

    endpoint: Endpoint
    name: str

    @property
    def request(self) -> Request:
        """Give the request as it is declared."""
        return self.endpoint.requests[self.name]

    def fits(self, ask: Ask) -> tuple[int, int] | None:
        """Tell how well a request fits this one, the more the better; None where the path is another.

        Of two declarations of a path, the one counts whose path says more and whose parameters were sent.
        """
        literal = re.split(r"\{\w+\}", self.request.path.rstrip("/"))
        pattern = "[^/]+".join(map(re.escape, literal))
        if not re.fullmatch(pattern, unquote(ask.path)):
            return None
        sent = sum(ask.params.get(name) == written(value) for name, value in self.request.params.items())
        return -len(literal), sent

    def show(self, seed: int, ask: Ask, now: int) -> dict[str, object]:
        """Answer a request; ``from``, ``to`` and ``sort`` are taken and change nothing."""
        inventor = Inventor(self.endpoint, self.name, seed, ask.path, now=now)
        single = not inventor.mapped and not self._listed
        paged = self.request.pages == "links"
        total = whole(_FEWEST, _MOST, seed, ask.path, "records")
        if single:
            total = _SINGLE_PAGES if paged else 1
        total = int(min(total, inventor.capacity))
        offset, size = 0, total
        if paged:
            # An API may show fewer than were asked for; so that there is always a second page, this one does.
            size = 1 if single else min(ask.integer("limit", 20, low=1) or 20, ceil(total / _PAGES))
            offset = ask.integer("offset", 0, low=0) or 0
            offset = min(offset, total - 1) if single else offset
        numbers = range(offset, min(offset + size, total))
        records = [inventor.record(number, full=number == offset) for number in numbers]
        holder: object = dict(records) if inventor.mapped else [record for _, record in records]
        body = self._body(records[0][1] if single else holder)
        if paged:
            body["_metadata"] = {"links": links(ask, offset=offset, limit=size, more=offset + size < total)}
        return body

    @property
    def _listed(self) -> bool:
        """Say whether the records are likely to be a list: a single one needs no key."""
        if self.request.records == "$":
            return False
        roots = (
            table
            for table in self.endpoint.tables.values()
            if table.each is None and table.of is None and request_of(self.endpoint, table) == self.name
        )
        return any(root.key for root in roots) or self.request.pages == "links"

    def _body(self, records: object) -> dict[str, object]:
        """Put the records where they are declared."""
        if self.request.records != "$":
            for key in reversed(self.request.records.split(".")):
                records = {key: records}
        assert isinstance(records, dict)
        return records


def declared(ask: Ask, folder: Path = FUNCTIONS) -> Declared | None:
    """Find the request of an endpoint that declares a path; an endpoint with mistakes has none."""
    best: tuple[tuple[int, int], Declared] | None = None
    for each in _requests(folder):
        score = each.fits(ask)
        if score is not None and (best is None or score > best[0]):
            best = score, each
    return best[1] if best else None


def _requests(folder: Path) -> Iterator[Declared]:
    """Yield every request that is declared now, also by files that have changed since they were last read."""
    for file in find_endpoints(folder).values():
        try:
            endpoint = _read(file, file.stat().st_mtime_ns)
        except OSError:
            continue
        if endpoint is not None:
            yield from (Declared(endpoint, name) for name in endpoint.requests)


@lru_cache(maxsize=1_000)
def _read(file: Path, changed_at: int) -> Endpoint | None:  # noqa: ARG001 - another time is another file
    try:
        return load_endpoint.__wrapped__(file)
    except EndpointInvalid:
        return None

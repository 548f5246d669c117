"""What a BigQuery client sends: each HTTP request, its size, and the job that it gives."""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from requests.adapters import HTTPAdapter

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from google.cloud import bigquery

__all__ = ["JOBS", "LOOK", "Counting", "Sent", "kinds"]

#: The jobs that a request may give, as the API names them.
JOBS = ("load", "query", "copy")
#: Looking whether a job is done: how often depends on how long it takes.
LOOK = "look"
_STREAMED = "insertAll"
_LOOKS = re.compile(r"/(jobs|queries)/[^/]+$")
# A job's description comes first; then, perhaps, a file of many megabytes.
_HEAD = 200_000


@dataclass(frozen=True, slots=True)
class Sent:
    """One request that was sent."""

    method: str
    path: str
    #: Bytes of the body, as they went out.
    size: int
    #: How the body begins.
    head: bytes = b""
    status: int = 0

    @property
    def kind(self) -> str:
        """Say what it does: give a job of ``JOBS``, ``insertAll``, ``look``, or ``other``."""
        if self.method == "POST" and self.path.endswith("/queries"):
            return "query"
        if self.method == "POST" and self.path.endswith("/jobs"):
            return next((job for job in JOBS if job in self._configuration), "other")
        if self.method == "POST" and self.path.endswith("/insertAll"):
            return _STREAMED
        return LOOK if self.method == "GET" and _LOOKS.search(self.path) else "other"

    @property
    def table(self) -> str:
        """Give the name of the table that a load job writes to."""
        return str(self._configuration["load"]["destinationTable"]["tableId"])

    @property
    def _configuration(self) -> Mapping[str, Any]:
        head = gzip.decompress(self.head) if self.head.startswith(b"\x1f\x8b") else self.head
        text = head.decode("latin-1")
        found: Mapping[str, Any] = json.JSONDecoder().raw_decode(text, text.index("{"))[0]["configuration"]
        return found


class Counting(HTTPAdapter):
    """Notes what goes out through it."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[Sent] = []

    def watch(self, client: bigquery.Client) -> None:
        """Take the requests that a client makes from now on."""
        session = client._http
        session.mount("http://", self)
        session.mount("https://", self)

    def send(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Send a request, and note it."""
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body
        head = bytes(body[:_HEAD]) if isinstance(body, bytes) else b""
        size = int(request.headers.get("Content-Length") or 0)
        answer = super().send(request, *args, **kwargs)
        path = urlsplit(request.url).path
        self.sent.append(Sent(request.method, path, size, head, answer.status_code))
        return answer


def kinds(sent: Iterable[Sent]) -> dict[str, int]:
    """Return how many requests there were of each kind that was sent."""
    return dict(Counter(one.kind for one in sent))

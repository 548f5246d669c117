"""A function as functions-framework serves it, and the messages that Pub/Sub pushes to it."""

from __future__ import annotations

import base64
import http.client
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from support.processes import BIN, ROOT, Process, free_port

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["Function", "push_body"]


def push_body(
    data: bytes = b"{}",
    *,
    message_id: str,
    scheduled: bool = False,
    published: datetime | None = None,
) -> dict[str, Any]:
    """Return the body that Pub/Sub pushes for one message."""
    published = (published or datetime.now(UTC)).astimezone(UTC)
    when = published.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "message": {
            "data": base64.b64encode(data).decode(),
            "messageId": message_id,
            "message_id": message_id,
            "publishTime": when,
            "publish_time": when,
            "attributes": {"origin": "schedule"} if scheduled else {},
        },
        "subscription": "projects/proj/subscriptions/crimes",
    }


class Function(Process):
    """The function of one endpoint in a process of its own, started in the endpoint's folder."""

    def __init__(self, name: str, *, folder: Path, env: Mapping[str, str], from_root: bool = False) -> None:
        self.name = name
        self.port = free_port()
        source = [f"--source=functions/{name}/main.py"] if from_root else []
        super().__init__(
            [
                BIN / "functions-framework",
                f"--target={name}",
                *source,
                "--host=127.0.0.1",
                f"--port={self.port}",
            ],
            folder=folder,
            env=env,
            cwd=ROOT if from_root else ROOT / "functions" / name,
        )

    @property
    def path(self) -> str:
        """Give the path that the topic's messages are pushed to."""
        return f"/projects/proj/topics/{self.name}"

    @property
    def url(self) -> str:
        """Give the address that the topic's messages are pushed to."""
        return f"http://127.0.0.1:{self.port}{self.path}"

    def post(self, body: bytes, *, timeout: float = 60.0) -> tuple[int, bytes]:
        """Post a body as it is; return status and answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request("POST", self.path, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def deliver(
        self,
        data: bytes = b"{}",
        *,
        message_id: str,
        scheduled: bool = False,
        published: datetime | None = None,
        timeout: float = 60.0,
    ) -> int:
        """Push one message; return the HTTP status: 200 acknowledges it, 500 asks for it again."""
        body = push_body(data, message_id=message_id, scheduled=scheduled, published=published)
        return self.post(json.dumps(body).encode(), timeout=timeout)[0]

    def lines(self, run_id: str | None = None) -> list[dict[str, Any]]:
        """Return its JSON log lines, of one run if given."""
        found = [json.loads(line) for line in self.stderr.splitlines() if line.startswith("{")]
        labels = "logging.googleapis.com/labels"
        return [line for line in found if run_id in {None, line[labels].get("run_id")}]

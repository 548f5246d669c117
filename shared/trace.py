"""The W3C trace that a message belongs to, so that its log lines stand beside the push request's."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.message import Event

__all__ = ["traceparent"]


def traceparent(event: Event) -> str | None:
    """Return the trace context: of the push request, or of the event itself; None without one."""
    flask = sys.modules.get("flask")
    if flask is not None and flask.has_request_context():
        header: str | None = flask.request.headers.get("traceparent")
        return header
    try:
        return str(event["traceparent"])
    except KeyError:
        return None

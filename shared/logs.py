"""Log lines that carry run id, endpoint and account: JSON in the cloud, readable on a terminal.

The JSON fields are those that Cloud Logging reads from standard error: severity, message, time,
trace, labels and source location. (google-cloud-logging's own handler says the same and costs
320 ms of import; it has its place where logs are read back.)
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["configure", "context", "log"]

log = logging.getLogger("tcdatalogger")

_context: ContextVar[dict[str, str]] = ContextVar("tcdatalogger_context", default={})  # noqa: B039 - never changed in place
_LABELS = "logging.googleapis.com/labels"
_SOURCE = "logging.googleapis.com/sourceLocation"
_OWN = {"severity", "time", "message", "stack_trace", _LABELS, _SOURCE}
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")


@contextmanager
def context(**fields: str | None) -> Iterator[None]:
    """Add fields to every line logged inside: run_id, endpoint, account, attempt, traceparent."""
    token = _context.set({**_context.get(), **{k: v for k, v in fields.items() if v}})
    try:
        yield
    finally:
        _context.reset(token)


def configure(log_format: str, level: str) -> None:
    """Send log lines to standard error in the given format, ``json`` or ``text``."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if log_format == "json" else _Text())
    log.handlers = [handler]
    log.setLevel(level)
    log.propagate = False


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields = dict(_context.get())
        line: dict[str, Any] = {
            "severity": record.levelname,
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "message": record.getMessage(),
        }
        match = _TRACEPARENT.fullmatch(fields.pop("traceparent", ""))
        if match:
            project = os.environ.get("GOOGLE_CLOUD_PROJECT", "")
            trace, span = match.groups()
            line["logging.googleapis.com/trace"] = f"projects/{project}/traces/{trace}" if project else trace
            line["logging.googleapis.com/spanId"] = span
        line[_LABELS] = {name: str(value) for name, value in fields.items()}
        line[_SOURCE] = {
            "file": record.pathname,
            "line": str(record.lineno),
            "function": record.funcName,
        }
        line.update(getattr(record, "fields", {}))
        if record.exc_info:
            line["stack_trace"] = self.formatException(record.exc_info)
        return _one_line(line)


def _one_line(line: dict[str, Any]) -> str:
    try:
        return msgspec.json.encode(line, enc_hook=str).decode()
    except (TypeError, ValueError, OverflowError, RecursionError):
        # Half a surrogate pair, a number beyond 64 bits, a loop: written, whatever it is.
        plain = {k: v if isinstance(v, str | dict) and k in _OWN else repr(v) for k, v in line.items()}
        return json.dumps(plain, default=repr)


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        when = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        run = _context.get().get("run_id") or _context.get().get("endpoint", "")
        text = f"{when} {record.levelname:<7} {run + ': ' if run else ''}{record.getMessage()}"
        if record.exc_info:
            text += "\n" + self.formatException(record.exc_info)
        return text

"""Log lines that carry run id, endpoint and account: JSON in the cloud, readable on a terminal.

On a laptop the same JSON lines are kept in a file, too, see ``shared.log_file``. The JSON fields are
those that Cloud Logging reads from standard error: severity, message, time, trace, labels and source
location. (google-cloud-logging's own handler says the same and costs 320 ms of import; it has its
place where logs are read back.)
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
    from pathlib import Path

__all__ = ["LABELS", "SOURCE", "SPAN", "TRACE", "configure", "context", "log"]

log = logging.getLogger("tcdatalogger")

_context: ContextVar[dict[str, str]] = ContextVar("tcdatalogger_context", default={})  # noqa: B039 - never changed in place
# The fields that Cloud Logging takes out of a JSON line; what else it holds stays as it is.
LABELS = "logging.googleapis.com/labels"
SOURCE = "logging.googleapis.com/sourceLocation"
SPAN = "logging.googleapis.com/spanId"
TRACE = "logging.googleapis.com/trace"
_OWN = {"severity", "time", "message", "stack_trace", LABELS, SOURCE}
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")


@contextmanager
def context(**fields: str | None) -> Iterator[None]:
    """Add fields to every line logged inside: run_id, endpoint, account, attempt, traceparent."""
    token = _context.set({**_context.get(), **{k: v for k, v in fields.items() if v}})
    try:
        yield
    finally:
        _context.reset(token)


def configure(log_format: str, level: str, *, shown: str | None = None, folder: Path | None = None) -> None:
    """Send log lines to standard error in the given format, ``json`` or ``text``, and to a folder's file.

    ``shown`` is the level of what standard error gets, where that is not everything.
    """
    screen = logging.StreamHandler(sys.stderr)
    screen.setFormatter(_Json() if log_format == "json" else _Text())
    screen.setLevel(shown or level)
    handlers: list[logging.Handler] = [screen]
    if folder is not None:
        # Not for the cloud, whose standard error is kept.
        from shared.log_file import LogFile  # noqa: PLC0415

        kept = logging.StreamHandler(LogFile(folder))
        kept.setFormatter(_Json())
        handlers.append(kept)
    log.handlers = handlers
    # Where nothing is kept, what is not shown need not be made.
    log.setLevel(level if folder is not None else shown or level)
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
            line[TRACE] = f"projects/{project}/traces/{trace}" if project else trace
            line[SPAN] = span
        line[LABELS] = {name: str(value) for name, value in fields.items()}
        line[SOURCE] = {
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

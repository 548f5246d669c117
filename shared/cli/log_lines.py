"""A log line as a person sees it, and which lines are wanted; the same from a file and from the cloud."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from shared.logs import LABELS
from shared.schedule import utc

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SEVERITIES", "Line", "Wanted", "escaped"]

#: As Cloud Logging orders them.
SEVERITIES = (
    "DEFAULT", "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY",
)  # fmt: skip
_ERROR = SEVERITIES.index("ERROR")


def escaped(text: str) -> str:
    """Return text that plays no tricks on a terminal: what is not printable stands there as its code."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One log line; ``entry`` is the whole of it, as ``shared.logs`` writes it."""

    time: datetime
    severity: str
    #: The run it belongs to; else the endpoint, the job or, of a line without labels, the service.
    run: str
    message: str
    stack: str
    entry: Mapping[str, Any]

    @classmethod
    def of(cls, entry: object, *, service: str = "") -> Line | None:
        """Return the line that an entry is; None if it is none."""
        if not isinstance(entry, dict):
            return None
        try:
            time = utc(str(entry["time"]))
        except (KeyError, ValueError, OverflowError):
            return None
        labels = entry.get(LABELS)
        labels = labels if isinstance(labels, dict) else {}
        return cls(
            time=time,
            severity=str(entry.get("severity", "DEFAULT")),
            run=str(labels.get("run_id") or labels.get("endpoint") or labels.get("job") or service),
            message=str(entry.get("message", "")),
            stack=str(entry.get("stack_trace", "")),
            entry=entry,
        )

    @property
    def moment(self) -> str:
        """Return the time as it is shown, in UTC to the millisecond."""
        return f"{self.time.astimezone(UTC):%Y-%m-%d %H:%M:%S}.{self.time.microsecond // 1000:03d}Z"

    @property
    def words(self) -> tuple[str, str, str, str]:
        """Return what is shown: severity, run, message, and the stack's lines, indented."""
        stack = "".join(f"\n    {escaped(one)}" for one in self.stack.splitlines())
        run = f"{escaped(self.run)}: " if self.run else ""
        return f"{escaped(self.severity):<8} ", run, escaped(self.message), stack


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which lines are wanted; ``run`` is a run's id, or what a Pub/Sub message's id begins with.

    ``endpoint`` may also be a job.
    """

    since: datetime
    run: str = ""
    endpoint: str = ""
    errors: bool = False

    @property
    def is_run_id(self) -> bool:
        """Say whether ``run`` is a run's whole id."""
        return "/" in self.run

    def matches(self, line: Line) -> bool:
        """Say whether a line is wanted."""
        labels, record = line.entry.get(LABELS), line.entry.get("run") or line.entry.get("job")
        labels = labels if isinstance(labels, dict) else {}
        if line.time < self.since or (self.errors and not _is_error(line.severity)):
            return False
        if self.endpoint and self.endpoint not in {labels.get("endpoint"), labels.get("job")}:
            return False
        run_id = str(labels.get("run_id", ""))
        if not self.run or self.is_run_id:
            return self.run in {"", run_id}
        # A scheduled run is named by its slot: only its record, on its last line, has the message's id.
        message = str(record.get("message_id", "")) if isinstance(record, dict) else ""
        name = run_id.rpartition("/")[2]
        return name.startswith(self.run) or message.startswith(self.run)


def _is_error(severity: str) -> bool:
    return severity in SEVERITIES and SEVERITIES.index(severity) >= _ERROR

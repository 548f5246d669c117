"""The ledger: which runs there were, what they left out, and what the API had that we did not know.

Append-only; what is latest, first or changed is a view over it. The tables are declared as an
endpoint's are, so every warehouse makes and fills them in the one way it has.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import perf_counter
from typing import TYPE_CHECKING, Any

import msgspec

from shared.endpoint import Column, Table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shared.isolate import Drift, Rejected
    from shared.message import Request
    from shared.quality import Quality

__all__ = ["LEDGER", "LEDGER_VERSION", "OUTCOMES", "Attempt", "drift_rows", "rejected_rows"]

#: Version of the ledger's own tables.
LEDGER_VERSION = 1

#: Every outcome of an attempt: what it means.
OUTCOMES = {
    "ok": "The rows are written.",
    "repeated": "An earlier delivery had written this run's rows; nothing was written again.",
    "superseded": "A newer state was there already; this older one was not written over it.",
    "fanned_out": "The message was for every account; it became one message for each.",
    "missed": "The fetch would have started more than one `every` late; acknowledged.",
    "refused": "The message asked for what is not allowed; acknowledged.",
    "failed": "Another try would change nothing; acknowledged, a person is needed.",
    "retry": "It may go better next time; the message is delivered again.",
}


def _column(type_: str, description: str, *, required: bool = False) -> Column:
    return Column(type=type_, mode="REQUIRED" if required else "NULLABLE", description=description)  # type: ignore[arg-type]


_RUN = {
    "run_id": _column("STRING", "The run: endpoint/account/name, the same for every delivery."),
    "attempt": _column("STRING", "The delivery: every attempt at a run has its own.", required=True),
    "endpoint": _column("STRING", "The endpoint.", required=True),
    "account": _column("STRING", "The account it was read for."),
}

LEDGER: dict[str, Table] = {
    "runs": Table(
        description="One row per attempt at a run.",
        partition="started_at",
        cluster=["endpoint", "outcome"],
        columns={
            **_RUN,
            "message_id": _column("STRING", "The Pub/Sub message."),
            "slot": _column("TIMESTAMP", "The slot of a scheduled run."),
            "window_from": _column("TIMESTAMP", "A backfill's begin."),
            "window_to": _column("TIMESTAMP", "A backfill's end."),
            "params": _column("JSON", "What the message set."),
            "started_at": _column("TIMESTAMP", "When the attempt began.", required=True),
            "finished_at": _column("TIMESTAMP", "When it ended."),
            "seconds": _column("JSON", "Seconds per step: fetch, flatten, write."),
            "pages": _column("INTEGER", "Pages read."),
            "bytes": _column("INTEGER", "Bytes of those pages."),
            "records": _column("INTEGER", "Records in those pages."),
            "rows": _column("JSON", "Rows written per table."),
            "rejected": _column("INTEGER", "Records set aside in rejected_rows."),
            "drift": _column("INTEGER", "Fields that nobody declared, see drift."),
            "warnings": _column("INTEGER", "Values that a check did not like; kept."),
            "duplicates": _column("INTEGER", "Records whose key came twice; the one read last was kept."),
            "outcome": _column("STRING", "How it ended: " + ", ".join(OUTCOMES) + ".", required=True),
            "error_class": _column("STRING", "The error's class, see shared/errors.py."),
            "error_message": _column("STRING", "What happened."),
            "next_step": _column("STRING", "What a person does next."),
            "schema_version": _column("INTEGER", "Version of the endpoint's tables."),
            "archive_uri": _column("STRING", "Where the raw responses are."),
            "quality": _column("JSON", "Null shares, warnings and duplicates per table."),
        },
    ),
    "rejected_rows": Table(
        description="Records that were not as declared, with their JSON.",
        partition="rejected_at",
        cluster=["endpoint"],
        columns={
            **_RUN,
            "request": _column("STRING", "Which of the endpoint's requests."),
            "path": _column("STRING", "Where in the response."),
            "reason": _column("STRING", "Why."),
            "raw": _column("STRING", "The record's JSON, its first 64 kB."),
            "rejected_at": _column("TIMESTAMP", "When.", required=True),
        },
    ),
    "drift": Table(
        description="Fields that the API sent and nobody declared, once per run.",
        partition="seen_at",
        cluster=["endpoint"],
        columns={
            **_RUN,
            "request": _column("STRING", "Which of the endpoint's requests."),
            "path": _column("STRING", "Where in the response; [] marks a list or map."),
            "type": _column("STRING", "Its JSON type."),
            "seen_at": _column("TIMESTAMP", "When.", required=True),
        },
    ),
    "schema_versions": Table(
        description="Which version of an endpoint's tables was first written when.",
        columns={
            "endpoint": _column("STRING", "The endpoint; `ledger` for these tables.", required=True),
            "version": _column("INTEGER", "The version that endpoint.yaml gives.", required=True),
            "fingerprint": _column("STRING", "SHA-256 of tables, columns, types and texts.", required=True),
            "run_id": _column("STRING", "The run that wrote it first."),
            "seen_at": _column("TIMESTAMP", "When.", required=True),
        },
    ),
}


@dataclass(slots=True, kw_only=True)
class Attempt:
    """One attempt at a run, filled in as it goes, written at its end."""

    attempt: str
    endpoint: str
    schema_version: int
    message_id: str | None = None
    request: Request | None = None
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    outcome: str = "retry"
    error: Exception | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    pages: int | None = None
    bytes: int | None = None
    archive_uri: str | None = None
    rows: dict[str, int] = field(default_factory=dict)
    quality: Quality | None = None
    drift: int | None = None
    _clock: float = field(default_factory=perf_counter)

    def lap(self, step: str) -> None:
        """Add the time since the last lap to a step."""
        now = perf_counter()
        self.seconds[step] = round(self.seconds.get(step, 0.0) + now - self._clock, 4)
        self._clock = now

    def identity(self) -> dict[str, Any]:
        """Return the columns that every ledger table begins with."""
        request = self.request
        return {
            "run_id": request.run_id if request else None,
            "attempt": self.attempt,
            "endpoint": self.endpoint,
            "account": request.account if request else None,
        }

    def row(self) -> dict[str, Any]:
        """Return the attempt's row of ``runs``."""
        request, error, quality = self.request, self.error, self.quality
        window = request.window if request and request.window else (None, None)
        return {
            **self.identity(),
            "message_id": self.message_id,
            "slot": request.slot if request else None,
            "window_from": window[0],
            "window_to": window[1],
            "params": _json(dict(request.params)) if request and request.params else None,
            "started_at": self.started_at,
            "finished_at": datetime.now(UTC),
            "seconds": _json(self.seconds),
            "pages": self.pages,
            "bytes": self.bytes,
            "records": quality.records if quality else None,
            "rows": _json(self.rows),
            "rejected": quality.rejected if quality else None,
            "drift": self.drift,
            "warnings": sum(sum(c.values()) for c in quality.warnings.values()) if quality else None,
            "duplicates": sum(quality.duplicates.values()) if quality else None,
            "outcome": self.outcome,
            "error_class": type(error).__name__ if error else None,
            "error_message": (getattr(error, "message", None) or str(error))[:2000] if error else None,
            "next_step": getattr(error, "next_step", None) or None,
            "schema_version": self.schema_version,
            "archive_uri": self.archive_uri,
            "quality": _json(
                {
                    "null_shares": quality.null_shares(),
                    "warnings": quality.warnings,
                    "duplicates": quality.duplicates,
                }
            )
            if quality
            else None,
        }


def rejected_rows(attempt: Attempt, rejected: Iterable[Rejected]) -> list[dict[str, Any]]:
    """Return the rows of ``rejected_rows``."""
    now = datetime.now(UTC)
    return [{**attempt.identity(), **msgspec.structs.asdict(one), "rejected_at": now} for one in rejected]


def drift_rows(attempt: Attempt, drift: Iterable[tuple[str, Drift]]) -> list[dict[str, Any]]:
    """Return the rows of ``drift`` from pairs of request and finding."""
    now = datetime.now(UTC)
    return [
        {**attempt.identity(), "request": request, **msgspec.structs.asdict(one), "seen_at": now}
        for request, one in drift
    ]


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()

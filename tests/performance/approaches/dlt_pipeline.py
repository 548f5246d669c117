"""dlt: a resource of parsed records, normalised into nested tables and loaded."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

os.environ.setdefault("RUNTIME__DLTHUB_TELEMETRY", "false")
os.environ.setdefault("RUNTIME__LOG_LEVEL", "ERROR")

import dlt

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["NESTED", "load", "resource"]

#: dlt's names of the nested tables.
NESTED = {
    "crimes": "crimes",
    "crimes_slots": "crimes__slots",
    "crimes_reward_items": "crimes__rewards__items",
}
# Types that dlt would infer otherwise, or differently from one page to the next.
_CRIMES = {
    "created_at": "timestamp",
    "planning_at": "timestamp",
    "executed_at": "timestamp",
    "ready_at": "timestamp",
    "expired_at": "timestamp",
    "rewards__payout__paid_at": "timestamp",
    "rewards__payout__percentage": "double",
}
_SLOTS = {"user__joined_at": "timestamp", "user__progress": "double"}


def resource(pages: Iterable[bytes]) -> Any:
    """Return the resource, with its hints; all other types are inferred."""

    @dlt.resource(
        name="crimes",
        columns=_hints(_CRIMES),
        nested_hints={"slots": {"columns": _hints(_SLOTS)}},
        primary_key="id",
    )
    def crimes() -> Iterator[list[dict[str, Any]]]:
        for page in pages:
            yield json.loads(page)["crimes"]

    return crimes


def load(pages: Iterable[bytes], folder: str, destination: Any, **options: Any) -> None:
    """Run the pipeline with its working files in ``folder``."""
    pipeline = dlt.pipeline("bench", pipelines_dir=folder, destination=destination, dataset_name="faction")
    pipeline.run(resource(pages), **options)


def _hints(types: dict[str, str]) -> Any:
    return {column: {"name": column, "data_type": data_type} for column, data_type in types.items()}

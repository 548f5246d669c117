"""Pandas: json_normalize over the parsed records, three times."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa

from . import ACCOUNT, FACTION_ID, FETCHED_AT, RUN_ID, TIMES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["flatten"]

_TEXT = {"name", "status", "position", "position_id", "position_label", "user_outcome"} | {
    "rewards_payout_type",
    "user_item_outcome_owned_by",
    "user_item_outcome_outcome",
}
_FLOAT = {"rewards_payout_percentage", "user_progress"}
_BOOLEAN = {"item_requirement_is_reusable", "item_requirement_is_available"}


def flatten(pages: Iterable[bytes]) -> Iterator[dict[str, pa.Table]]:
    """Yield the three tables, whole."""
    records: list[dict[str, Any]] = []
    for page in pages:
        records += json.loads(page)["crimes"]
    crimes = pd.json_normalize(records, sep="_").drop(columns=["slots", "rewards_items"], errors="ignore")
    crimes["faction_id"] = FACTION_ID
    slots = pd.json_normalize(records, "slots", ["id", "name"], sep="_", meta_prefix="crime_")
    slots = _children(slots, "slot_index").rename(
        columns={f"position_info_{key}": f"position_{key}" for key in ("id", "label", "number")}
    )
    slots["success_chance"] = None
    rewarded = [record for record in records if record["rewards"] is not None and record["rewards"]["items"]]
    meta = ["id", "name", ["rewards", "money"]]
    items = pd.json_normalize(
        rewarded, ["rewards", "items"], meta, sep="_", record_prefix="item_", meta_prefix="crime_"
    )
    items = _children(items, "item_index").rename(
        columns={"crime_rewards_money": "rewards_money", "item_quantity": "quantity"}
    )
    yield {
        "crimes": _table("crimes", crimes.drop(columns=["rewards", "rewards_payout"], errors="ignore")),
        "crimes_slots": _table(
            "crimes_slots",
            slots.drop(columns=["user", "item_requirement", "user_item_outcome"], errors="ignore"),
        ),
        "crimes_reward_items": _table("crimes_reward_items", items),
    }


def _children(frame: pd.DataFrame, index: str) -> pd.DataFrame:
    frame = frame.rename(columns={"crime_name": "name"})
    frame[index] = frame.groupby("crime_id").cumcount()
    return frame


def _table(name: str, frame: pd.DataFrame) -> pa.Table:
    times = TIMES.get(name, ())
    for column in frame.columns:
        if column in times:
            seconds = pd.to_datetime(frame[column].astype("Int64"), unit="s", utc=True)
            frame[column] = seconds.astype("datetime64[us, UTC]")
        elif column in _TEXT:
            frame[column] = frame[column].astype("string")
        elif column in _FLOAT:
            frame[column] = frame[column].astype("Float64")
        elif column in _BOOLEAN:
            frame[column] = frame[column].astype("boolean")
        else:
            frame[column] = frame[column].astype("Int64")
    frame = frame.assign(_run_id=RUN_ID, _account=ACCOUNT, server_timestamp=FETCHED_AT)
    return pa.Table.from_pandas(frame, preserve_index=False)

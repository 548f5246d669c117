"""The shape of a crime as the API sends it, for peers that are told it in their own words."""

from __future__ import annotations

from typing import Any

__all__ = ["CRIME"]

_ITEM_OUTCOME = {"owned_by": "text", "item_id": "integer", "item_uid": "integer", "outcome": "text"}
_SLOT = {
    "position": "text",
    "position_info": {"id": "text", "label": "text", "number": "integer"},
    "item_requirement": {"id": "integer", "is_reusable": "boolean", "is_available": "boolean"},
    "user": {
        "id": "integer",
        "joined_at": "integer",
        "progress": "float",
        "outcome": "text",
        "outcome_duration": "integer",
        "item_outcome": _ITEM_OUTCOME,
    },
    "checkpoint_pass_rate": "integer",
}
_REWARDS = {
    "money": "integer",
    "items": [{"id": "integer", "quantity": "integer"}],
    "respect": "integer",
    "scope": "integer",
    "payout": {"type": "text", "percentage": "float", "paid_by": "integer", "paid_at": "integer"},
}
CRIME: dict[str, Any] = {
    "id": "integer",
    "previous_crime_id": "integer",
    "name": "text",
    "difficulty": "integer",
    "status": "text",
    "created_at": "integer",
    "planning_at": "integer",
    "executed_at": "integer",
    "ready_at": "integer",
    "expired_at": "integer",
    "slots": [_SLOT],
    "rewards": _REWARDS,
}

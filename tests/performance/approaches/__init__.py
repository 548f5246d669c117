"""Ways of turning pages of crimes into the three tables that functions/crimes/endpoint.yaml declares.

Each module is one way, written as its library's documentation says, with one function::

    flatten(pages) -> iterator of {table: Arrow data}

``pages`` is iterable (a page's bytes at a time) and has a ``path`` (the same pages, one a line).
What is not in a page stands here.
"""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["ACCOUNT", "FACTION_ID", "FETCHED_AT", "RUN_ID", "TABLES", "TIMES"]

RUN_ID = "crimes/default/20260427T165000Z"
ACCOUNT = "default"
FACTION_ID = 42
FETCHED_AT = datetime(2026, 4, 27, 16, 53, 51, tzinfo=UTC)

TABLES = ("crimes", "crimes_slots", "crimes_reward_items")
#: Unix seconds that become timestamps.
TIMES = {
    "crimes": (
        "created_at",
        "planning_at",
        "executed_at",
        "ready_at",
        "expired_at",
        "rewards_payout_paid_at",
    ),
    "crimes_slots": ("user_joined_at",),
}

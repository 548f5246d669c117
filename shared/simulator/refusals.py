"""Name the errors the Torn API answers with, and raise one inside the simulator.

Torn answers an error with HTTP 200 and ``{"error": {"code": 5, "error": "Too many requests"}}``.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["TEXTS", "Refusal"]

TEXTS: Mapping[int, str] = MappingProxyType(
    {
        0: "Unknown error",
        1: "Key is empty",
        2: "Incorrect key",
        3: "Wrong type",
        4: "Wrong fields",
        5: "Too many requests",
        6: "Incorrect ID",
        7: "Incorrect ID-entity relation",
        8: "IP block",
        9: "API disabled",
        10: "Key owner is in federal jail",
        11: "Key change error: You can only change your API key once every 60 seconds",
        12: "Key read error",
        13: "The key is temporarily disabled due to owner inactivity",
        14: "Daily read limit reached",
        15: "Temporary error",
        16: "Access level of this key is not high enough",
        17: "Backend error occurred, please try again",
        18: "API key has been paused by the owner",
        19: "Must be migrated to crimes 2.0",
        20: "Race not yet finished",
        21: "Incorrect category",
        22: "This selection is only available in API v1",
        23: "This selection is only available in API v2",
        24: "Closed temporarily",
        25: "Invalid stat requested",
        26: "Only category or stats can be requested",
        27: "Must be migrated to organized crimes 2.0",
        28: "Incorrect log ID",
        29: "Category selection unavailable for interaction logs",
        30: "File does not exist",
    }
)


class Refusal(Exception):  # noqa: N818 - it is the API's answer, not a fault of this program
    """Say that the API refuses a request, with Torn's own code."""

    def __init__(self, code: int) -> None:
        super().__init__(f"{code}: {TEXTS[code]}")
        self.code = code

    @property
    def body(self) -> dict[str, object]:
        """Give the JSON document Torn would send."""
        return {"error": {"code": self.code, "error": TEXTS[self.code]}}

"""Read a request's parameters and build the links between pages, as Torn does.

Where Torn's wording leaves room: a parameter given twice counts as last given; a value that does not fit is
error 4 (``cat``: error 21); unknown parameters are ignored; links carry every parameter but the key.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from shared.simulator.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

__all__ = ["Ask", "links"]

_WRONG_FIELDS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Hold one request: the path below ``/v2``, its parameters, and the base URL it was reached at."""

    path: str
    params: Mapping[str, str]
    base: str

    def integer(self, name: str, default: int | None, *, low: int, high: int = 2**31 - 1) -> int | None:
        """Read a whole number between two bounds, both inclusive."""
        text = self.params.get(name)
        if text is None:
            return default
        if not text.removeprefix("-").isdecimal() or len(text) > 12:  # noqa: PLR2004 - longer than any int32
            raise Refusal(_WRONG_FIELDS)
        if not low <= (value := int(text)) <= high:
            raise Refusal(_WRONG_FIELDS)
        return value

    def choice(
        self, name: str, allowed: Collection[str], default: str, *, refusal: int = _WRONG_FIELDS
    ) -> str:
        """Read one of the allowed words."""
        value = self.params.get(name, default)
        if value not in allowed:
            raise Refusal(refusal)
        return value

    def descending(self, *, default: bool) -> bool:
        """Read ``sort`` (ASC or DESC, in any case) as "newest first?"."""
        value = self.params.get("sort", "DESC" if default else "ASC").upper()
        if value not in {"ASC", "DESC"}:
            raise Refusal(_WRONG_FIELDS)
        return value == "DESC"


def links(ask: Ask, *, offset: int, limit: int, more: bool) -> dict[str, str | None]:
    """Build ``_metadata.links``: whole URLs of the next and the previous page, or null."""

    def link(to: int) -> str:
        params = {name: value for name, value in ask.params.items() if name not in {"key", "limit", "offset"}}
        return f"{ask.base}{ask.path}?{urlencode({**params, 'limit': limit, 'offset': to})}"

    return {
        "next": link(offset + limit) if more else None,
        "prev": link(max(0, offset - limit)) if offset else None,
    }

"""The yardstick: parsing the pages into dicts and lists, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["flatten"]


def flatten(pages: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """Parse each page; the rows are not made, so there is nothing to yield."""
    for page in pages:
        orjson.loads(page)
    yield {}

"""Bodies with longer lists: what the simulated faction has few of, many times over."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.endpoint import Endpoint

__all__ = ["grown", "key_paths"]

#: Between the numbers of an element and of its copies; larger than any id there is, and it fits often.
_STEP = 10**11


def key_paths(endpoint: Endpoint) -> set[tuple[str, ...]]:
    """Return where in a record the keys of an endpoint's tables stand."""
    sources = (
        table.columns[name].from_
        for table in endpoint.tables.values()
        for name in table.key
        if name in table.columns
    )
    return {tuple(source.split(".")) for source in sources if source and not source.startswith("$")}


def grown(body: bytes, times: int, keys: set[tuple[str, ...]]) -> bytes:
    """Return a body whose outermost lists of objects are so many times as long, each key in them once."""
    data = json.loads(body)
    for holder, name in _lists(data):
        elements = holder[name]
        holder[name] = elements + [_copy(one, n, keys) for n in range(1, times) for one in elements]
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode()


def _lists(data: Any) -> Iterator[tuple[dict[str, Any], str]]:
    if isinstance(data, dict):
        for name, value in data.items():
            if isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
                yield data, name
            else:
                yield from _lists(value)


def _copy(element: dict[str, Any], number: int, keys: set[tuple[str, ...]]) -> dict[str, Any]:
    copied = deepcopy(element)
    for *above, last in keys:
        place: Any = copied
        for name in above:
            place = place.get(name) if isinstance(place, dict) else None
        value = place.get(last) if isinstance(place, dict) else None
        if isinstance(value, str):
            place[last] = f"{value}-{number}"
        elif isinstance(value, int):
            place[last] = value + number * _STEP
    return copied

"""Route a request to the function that shows that part of the world. A further endpoint is one further line.

A renderer takes the world, the request and the moment, and returns the JSON document; it may raise a Refusal.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from shared.simulator import catalogue
from shared.simulator.crimes import list_crimes
from shared.simulator.goods import GOODS
from shared.simulator.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.simulator.catalogue import Prices
    from shared.simulator.paging import Ask
    from shared.simulator.world import World

__all__ = ["LiveSource"]

_WRONG_TYPE, _WRONG_FIELDS, _INCORRECT_ID, _INCORRECT_CATEGORY = 3, 4, 6, 21
_SECTIONS = frozenset({"company", "faction", "forum", "key", "market", "property", "racing", "torn", "user"})


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSource:
    """Answer from the invented world."""

    world: World
    prices: Prices = "value"

    def body(self, ask: Ask, now: float) -> bytes:
        """Render the document a path asks for, as compact JSON."""
        for pattern, render in _ROUTES:
            if pattern.fullmatch(ask.path):
                return msgspec.json.encode(render(self, ask, int(now)))
        # Torn names an unknown section a wrong type and an unknown selection a wrong field.
        raise Refusal(_WRONG_FIELDS if ask.path.split("/")[1] in _SECTIONS else _WRONG_TYPE)


def _crimes(source: LiveSource, ask: Ask, now: int) -> object:
    return list_crimes(source.world, ask, now)


def _items(source: LiveSource, ask: Ask, now: int) -> object:
    category = ask.choice("cat", catalogue.CATEGORIES, "All", refusal=_INCORRECT_CATEGORY)
    found = catalogue.items(source.world.seed, now, category=category, prices=source.prices)
    return {"items": found[::-1] if ask.descending(default=False) else found}


def _chosen_items(source: LiveSource, ask: Ask, now: int) -> object:
    wanted = {int(text) for text in ask.path.split("/")[2].split(",")}
    goods = [good for good in GOODS if good.id in wanted]
    if not goods:
        raise Refusal(_INCORRECT_ID)
    found = [
        catalogue.item(good, source.world.seed, now, prices=source.prices, detailed=True) for good in goods
    ]
    return {"items": found[::-1] if ask.descending(default=False) else found}


_ROUTES: tuple[tuple[re.Pattern[str], Callable[[LiveSource, Ask, int], object]], ...] = (
    (re.compile(r"/faction/crimes"), _crimes),
    (re.compile(r"/torn/items"), _items),
    (re.compile(r"/torn/\d{1,9}(,\d{1,9})*/items"), _chosen_items),
)

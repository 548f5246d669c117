"""Route a request to the function that shows that part of the world. A further endpoint is one further line.

A renderer takes the world, the request and the moment, and returns the JSON document; it may raise a Refusal.
What no renderer shows, but an endpoint.yaml declares, is invented from the declaration.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from shared.simulator import catalogue
from shared.simulator.balance import show_balance
from shared.simulator.basic import list_territory, show_basic
from shared.simulator.crimes import list_crimes
from shared.simulator.declared import declared
from shared.simulator.goods import GOODS
from shared.simulator.members import list_members
from shared.simulator.points import list_points
from shared.simulator.raids import list_raids
from shared.simulator.refusals import Refusal
from shared.simulator.wars import show_wars

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
    """Answer from the invented world. ``city`` is the seed of what all factions share: items, points."""

    world: World
    city: int
    prices: Prices = "value"

    def body(self, ask: Ask, now: float) -> bytes:
        """Render the document a path asks for, as compact JSON."""
        for pattern, render in _ROUTES:
            if pattern.fullmatch(ask.path):
                return msgspec.json.encode(render(self, ask, int(now)))
        if found := declared(ask):
            seed = self.city if found.endpoint.scope == "global" else self.world.seed
            return msgspec.json.encode(found.show(seed, ask, int(now)))
        # Torn names an unknown section a wrong type and an unknown selection a wrong field.
        raise Refusal(_WRONG_FIELDS if ask.path.split("/")[1] in _SECTIONS else _WRONG_TYPE)


def _items(source: LiveSource, ask: Ask, now: int) -> object:
    category = ask.choice("cat", catalogue.CATEGORIES, "All", refusal=_INCORRECT_CATEGORY)
    found = catalogue.items(source.city, now, category=category, prices=source.prices)
    return {"items": found[::-1] if ask.descending(default=False) else found}


def _chosen_items(source: LiveSource, ask: Ask, now: int) -> object:
    wanted = {int(text) for text in ask.path.split("/")[2].split(",")}
    goods = [good for good in GOODS if good.id in wanted]
    if not goods:
        raise Refusal(_INCORRECT_ID)
    found = [catalogue.item(good, source.city, now, prices=source.prices, detailed=True) for good in goods]
    return {"items": found[::-1] if ask.descending(default=False) else found}


_ROUTES: tuple[tuple[re.Pattern[str], Callable[[LiveSource, Ask, int], object]], ...] = (
    (re.compile(r"/faction/balance"), lambda source, ask, now: show_balance(source.world, ask, now)),
    (re.compile(r"/faction/basic"), lambda source, _ask, now: show_basic(source.world, now)),
    (re.compile(r"/faction/crimes"), lambda source, ask, now: list_crimes(source.world, ask, now)),
    (re.compile(r"/faction/members"), lambda source, ask, now: list_members(source.world, ask, now)),
    (re.compile(r"/faction/raids"), lambda source, ask, now: list_raids(source.world, ask, now)),
    (re.compile(r"/faction/territory"), lambda source, _ask, now: list_territory(source.world, now)),
    (re.compile(r"/faction/wars"), lambda source, _ask, now: show_wars(source.world, now)),
    (re.compile(r"/market/pointsmarket"), lambda source, _ask, now: list_points(source.city, now)),
    (re.compile(r"/torn/items"), _items),
    (re.compile(r"/torn/\d{1,9}(,\d{1,9})*/items"), _chosen_items),
)

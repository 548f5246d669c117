"""Show the items of the invented city as ``/torn/items`` does, at any moment.

Prices and circulation move slowly with the clock; everything else about an item is fixed by the seed.
``prices="value"`` is the shape of API 6.6.1 (vendor, buy_price, sell_price, market_price);
``prices="shops"`` the later one, where a list of shops stands in place of the first three.
"""

from __future__ import annotations

import math
import random
from typing import Literal

from shared.simulator.goods import GOODS, Good

__all__ = ["CATEGORIES", "Prices", "item", "items"]

Prices = Literal["shops", "value"]

_DAY = 86_400
_STEP = 300  # prices stand still for five minutes, as those of a market that is read now and then
_SHOPS = (
    ("Lantern Street Hardware", "Torn"),
    ("Quay Nine Chandlery", "Torn"),
    ("The Back Counter", "Torn"),
    ("Airport Kiosk", "Japan"),
    ("Mountain Post", "Switzerland"),
)
_WEAPON_CLASS = {
    "Clubbing": "Melee",
    "Piercing": "Melee",
    "Slashing": "Melee",
    "Mechanical": "Melee",
    "Pistol": "Secondary",
    "SMG": "Secondary",
    "Temporary": "Temporary",
}
_BODY_PARTS = ("Chest", "Stomach", "Heart", "Arm", "Hand", "Leg", "Foot", "Head", "Throat", "Groin")
_EFFECTS = {
    "Alcohol": "Increases nerve by 2.",
    "Booster": "Increases happiness by 500.",
    "Candy": "Increases happiness by 25.",
    "Drug": "Has unpredictable effects.",
    "Energy Drink": "Increases energy by 20.",
    "Enhancer": "Increases chances of success while it is held.",
    "Medical": "Restores 15% of life.",
    "Tool": "Useful in certain crimes.",
}
_SUB_CATEGORIES = frozenset({"Defensive", "Melee", "Primary", "Secondary", "Temporary"})
CATEGORIES: frozenset[str] = frozenset({"All"}) | {good.type for good in GOODS} | _SUB_CATEGORIES


def items(
    seed: int, now: float, *, category: str = "All", prices: Prices = "value"
) -> list[dict[str, object]]:
    """List the items of a category, by id. ``details`` is null for "All", as Torn's documentation says."""
    return [
        item(good, seed, now, prices=prices, detailed=category != "All")
        for good in GOODS
        if category in {"All", good.type, _weapon_class(good)}
    ]


def item(good: Good, seed: int, now: float, *, prices: Prices, detailed: bool) -> dict[str, object]:
    """Show one item at a moment (unix seconds)."""
    rng = random.Random(f"{seed}/item/{good.id}")
    tradable = good.type not in {"Unused", "Special"} and rng.random() < 0.95  # noqa: PLR2004
    found = rng.random() < 0.2  # noqa: PLR2004
    base = good.price * rng.uniform(0.3, 2.5)
    drift = _wave(now, rng)
    market = round(base * drift) if tradable else 0
    circulation = round(rng.lognormvariate(9, 2) * (1 + _days(now) / 40_000) * drift)
    shop = rng.choice(_SHOPS) if rng.random() < 0.3 else None  # noqa: PLR2004
    buy = round(base * 0.9) if shop and rng.random() < 0.85 else None  # noqa: PLR2004
    sell = round(base * 0.6) if tradable and rng.random() < 0.45 else None  # noqa: PLR2004
    return {
        "id": good.id,
        "name": good.name,
        "description": f"{good.name}. Somebody in this city will know what it is for.",
        "effect": _EFFECTS.get(good.type),
        "requirement": "Requires 10,000 manual labor." if good.type == "Enhancer" else None,
        "image": f"https://www.torn.com/images/items/{good.id}/large.png",
        "type": good.type,
        "sub_type": good.sub_type,
        "is_masked": good.name == "Warden Helm",
        "is_tradable": tradable,
        "is_found_in_city": found,
        "value": _value(prices, shop, buy, sell, market),
        "circulation": circulation,
        "details": _details(good, rng) if detailed else None,
    }


def _value(
    prices: Prices, shop: tuple[str, str] | None, buy: int | None, sell: int | None, market: int
) -> dict[str, object]:
    name, country = shop or (None, None)
    if prices == "shops":
        sold_at = [{"shop": name, "country": country, "buy_price": buy, "sell_price": sell}] if shop else []
        return {"shops": sold_at, "market_price": market}
    return {
        "vendor": {"country": country, "name": name} if shop else None,
        "buy_price": buy,
        "sell_price": sell,
        "market_price": market,
    }


def _details(good: Good, rng: random.Random) -> dict[str, object] | None:
    stats = {"damage": 0, "accuracy": 0, "armor": 0}
    if good.type == "Armor":
        parts = rng.sample(_BODY_PARTS, 3)
        coverage = [{"name": part, "value": round(rng.uniform(2, 100), 2)} for part in parts]
        return {"coverage": coverage, "base_stats": {**stats, "armor": rng.randint(5, 50)}}
    if good.type != "Weapon":
        return None
    weapon_class = _weapon_class(good)
    firearm = weapon_class in {"Primary", "Secondary"}
    return {
        "stealth_level": round(rng.uniform(1, 9), 1),
        "base_stats": {**stats, "damage": rng.randint(10, 90), "accuracy": rng.randint(20, 80)},
        "category": weapon_class,
        "ammo": {
            "id": rng.randint(1, 40),
            "name": "Plain Rounds",
            "magazine_rounds": rng.choice((6, 12, 30)),
            "rate_of_fire": {"minimum": 1, "maximum": rng.randint(2, 20)},
        }
        if firearm
        else None,
        "mods": sorted(rng.sample(range(1, 30), 2)) if firearm else [],
    }


def _weapon_class(good: Good) -> str | None:
    if good.type == "Armor":
        return "Defensive"
    return _WEAPON_CLASS.get(good.sub_type, "Primary") if good.sub_type else None


def _wave(now: float, rng: random.Random) -> float:
    step = now // _STEP * _STEP
    period, phase = rng.uniform(3, 20) * _DAY, rng.random()
    return 1 + 0.08 * math.sin(math.tau * (step / period + phase))


def _days(now: float) -> float:
    return now // _STEP * _STEP / _DAY

"""What the simulator shows is what the official OpenAPI document promises."""

from __future__ import annotations

import json
from functools import cache
from typing import Any
from urllib.request import Request, urlopen

import jsonschema
import pytest
from support.inputs import ITEMS, SPEC, needed

from shared.simulator import FactionSize, Replay, Simulator

pytestmark = pytest.mark.unmeasured

NOW = 1_777_308_831
MOMENTS = [NOW, NOW + 3_600, NOW + 86_400 * 3 + 17, NOW + 86_400 * 40]
CATEGORIES = ["all", "recruiting", "planning", "failure", "successful", "expired", "available", "completed"]


@cache
def spec() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(needed(SPEC).read_text(encoding="utf-8"))
    return document


def strict(node: Any) -> Any:
    """Close every object of the spec: a field it does not name is an error in our data, not an extension.

    Where the spec says "one of an enumeration or any text", every word of the enumeration is both, and so
    neither the real API nor anyone else could keep it: that is read as "any of".
    """
    if isinstance(node, list):
        return [strict(each) for each in node]
    if not isinstance(node, dict):
        return node
    closed = {name: strict(value) for name, value in node.items()}
    if {"type": "string"} in closed.get("oneOf", []) and {"type": "null"} not in closed["oneOf"]:
        closed["anyOf"] = closed.pop("oneOf")
    if closed.get("type") == "object" and isinstance(closed.get("properties"), dict):
        closed["additionalProperties"] = False
    return closed


@cache
def validator(path: str) -> jsonschema.Draft202012Validator:
    answer = spec()["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    if "oneOf" in answer or "anyOf" in answer:
        pytest.fail(f"{path} has several answers: say which")
    components = strict(spec()["components"])
    return jsonschema.Draft202012Validator({**answer, "components": components})


def fetch(sim: Simulator | Replay, path: str) -> dict[str, Any]:
    request = Request(f"{sim.url}{path}", headers={"Authorization": f"ApiKey {sim.key}"})
    with urlopen(request, timeout=10) as response:
        document: dict[str, Any] = json.loads(response.read())
    return document


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("category", CATEGORIES)
def test_crimes_of_every_category_keep_the_spec(category: str, moment: int) -> None:
    """Each page of each category is valid, at several moments of the world's life."""
    schema = validator("/faction/crimes")
    with Simulator(clock=lambda: moment, faction=FactionSize(crimes=300, founded=NOW - 75 * 86_400)) as sim:
        for offset in (0, 100):
            body = fetch(sim, f"/faction/crimes?cat={category}&limit=100&offset={offset}&timestamp={offset}")
            schema.validate(body)
            assert body["crimes"] or offset, "a category that is always empty shows nothing"


@pytest.mark.parametrize(
    "path", ["", "?cat=Weapon", "?cat=Armor", "?cat=Defensive", "?cat=Tool", "?sort=DESC"]
)
@pytest.mark.parametrize("moment", MOMENTS[::3])
def test_items_keep_the_spec(path: str, moment: int) -> None:
    """Items are valid with details and without."""
    schema = validator("/torn/items")
    with Simulator(clock=lambda: moment) as sim:
        body = fetch(sim, f"/torn/items{path}")
    schema.validate(body)
    assert body["items"]


BODIES = {
    "/faction/members": ["", "?striptags=false", "?striptags=true"],
    "/faction/balance": ["", "?cat=all", "?cat=current"],
    "/faction/basic": [""],
    "/faction/raids": ["", "?limit=100", "?sort=ASC&limit=5&offset=5"],
    "/faction/territory": [""],
    "/faction/wars": [""],
    "/market/pointsmarket": [""],
}


@pytest.mark.parametrize("moment", [*MOMENTS, NOW + 86_400 * 207 + 4_321])
@pytest.mark.parametrize("seed", [1, 7, 12_345])
@pytest.mark.parametrize("path", BODIES)
def test_every_other_body_keeps_the_spec(path: str, seed: int, moment: int) -> None:
    """Members, money, wars and the rest are valid for several factions and moments, however asked for."""
    schema = validator(path)
    with Simulator(seed=seed, clock=lambda: moment, cache_seconds=0) as sim:
        for query in BODIES[path]:
            schema.validate(fetch(sim, f"{path}{query}"))


def test_chosen_items_keep_the_spec() -> None:
    """Items asked for by id are valid and have details."""
    schema = validator("/torn/{ids}/items")
    with Simulator(clock=lambda: NOW) as sim:
        weapons = [item["id"] for item in fetch(sim, "/torn/items?cat=Weapon")["items"]]
        body = fetch(sim, f"/torn/{','.join(map(str, weapons))}/items")
    schema.validate(body)
    assert [item["id"] for item in body["items"]] == weapons
    assert all(item["details"] for item in body["items"])


def test_the_check_notices_what_the_spec_forbids() -> None:
    """The schemas used here are not empty: a renamed field and a wrong type are both found."""
    schema = validator("/faction/crimes")
    with Simulator(clock=lambda: NOW) as sim:
        body = fetch(sim, "/faction/crimes")
    body["crimes"][0]["slots"][0]["success_chance"] = 70
    assert not schema.is_valid(body)
    del body["crimes"][0]["slots"][0]["success_chance"]
    body["crimes"][0]["difficulty"] = "7"
    assert not schema.is_valid(body)


def test_recorded_items_are_replayed_byte_for_byte() -> None:
    """The recorded items come back as they were recorded, and keep the spec."""
    recorded = needed(ITEMS)
    with Replay([recorded]) as replay:
        request = Request(f"{replay.url}/torn/items", headers={"Authorization": f"ApiKey {replay.key}"})
        with urlopen(request, timeout=10) as response:
            body = response.read()
    assert body == recorded.read_bytes()
    validator("/torn/items").validate(json.loads(body))

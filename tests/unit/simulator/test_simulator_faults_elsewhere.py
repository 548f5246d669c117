"""Faults strike every path by its last segment, and do to each body what can be done to it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from shared.simulator import FAULTS, Simulator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Ask = Callable[..., Any]

PATHS = [
    "/faction/balance",
    "/faction/basic",
    "/faction/members",
    "/faction/raids",
    "/faction/territory",
    "/faction/wars",
    "/market/pointsmarket",
]
PAGES = ["other-host", "endless-same", "endless-new", "repeat-page"]
TEXTUAL = {"timeout", "slow", "cut", "reset", "huge-body", "truncated", "non-json", "empty-body", "redirect"}
# fault → segment → where it strikes; a segment that is absent is left as it is. Records are the second ones.
STRIKES: dict[str, dict[str, str]] = {
    "wrong-type": {
        "balance": "balance.members.1.money",
        "basic": "basic.respect",
        "members": "members.1.level",
        "raids": "raids.1.start",
        "territory": "territory.1.respect",
        "wars": "pacts.1.until",
        "pointsmarket": "pointsmarket.1.quantity",
    },
    "wrong-type-id": {
        "balance": "balance.members.1.id",
        "basic": "basic.id",
        "members": "members.1.id",
        "raids": "raids.1.id",
        "wars": "pacts.1.faction_id",
        "pointsmarket": "pointsmarket.1.id",
    },
    "wrong-type-nested": {
        "basic": "basic.rank.level",
        "members": "members.1.last_action.timestamp",
        "raids": "raids.1.aggressor.id",
        "territory": "territory.1.coordinates.x",
    },
    "surrogate": {
        "balance": "balance.members.1.username",
        "basic": "basic.name",
        "members": "members.1.name",
        "raids": "raids.1.aggressor.name",
        "wars": "pacts.1.faction_name",
    },
    "huge-int": {
        "balance": "balance.members.1.id",
        "basic": "basic.id",
        "members": "members.1.id",
        "raids": "raids.1.id",
        "territory": "territory.1.id",
        "wars": "pacts.1.faction_id",
        "pointsmarket": "pointsmarket.1.id",
    },
    "null-list": {},
}
STRIKES["missing-key"] = STRIKES["huge-int"]


@pytest.fixture
def sim(clock: Callable[[], float]) -> Iterator[Simulator]:
    with Simulator(clock=clock, cache_seconds=0, calls_per_minute=10_000) as running:
        yield running


def leaves(node: Any, place: str = "") -> dict[str, Any]:
    """Give every number, text and null of a document by its place."""
    if not isinstance(node, (dict, list)):
        return {place.removeprefix("."): node}
    found = {}
    for name, value in node.items() if isinstance(node, dict) else enumerate(node):
        found |= leaves(value, f"{place}.{name}")
    return found


def struck(sim: Simulator, ask: Ask, name: str, path: str) -> tuple[Any, Any]:
    """Give the true answer and the one with the fault, which strikes this path's segment alone."""
    truth = ask(sim, path).json
    sim.faults.add(path.rpartition("/")[2], name, times=1)
    assert ask(sim, "/torn/items").json["items"]
    reply = ask(sim, path)
    assert [request.fault for request in sim.requests] == [None, None, name]
    assert ask(sim, path).json == truth
    return truth, reply


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", STRIKES)
def test_one_value_is_spoiled_or_none(sim: Simulator, ask: Ask, name: str, path: str) -> None:
    """A fault of records changes one value of one record; a body that has no such value stays true."""
    truth, reply = struck(sim, ask, name, path)
    old, new = leaves(truth), leaves(reply.json)
    place = STRIKES[name].get(path.rpartition("/")[2])
    changed = {where for where in old.keys() | new.keys() if old.get(where, 0) != new.get(where, 0)}
    assert changed == ({place} if place else set())
    if place:
        was = old[place]
        wanted = {
            "wrong-type": str(was),
            "wrong-type-nested": str(was),
            "surrogate": f"{was} \ud800",
            "huge-int": 2**63,
            "missing-key": None,
            "wrong-type-id": was + 0.5 if isinstance(was, int) else None,
        }
        assert new.get(place) == wanted[name]


@pytest.mark.parametrize("path", PATHS)
def test_unknown_fields_appear(sim: Simulator, ask: Ask, path: str) -> None:
    """``unknown-field`` adds at the top and in one record, and changes nothing."""
    truth, reply = struck(sim, ask, "unknown-field", path)
    old, new = leaves(truth), leaves(reply.json)
    assert {where.rpartition(".")[2] for where in new.keys() - old.keys()} == {"api_notice", "level", "note"}
    assert sum("heat.level" in where for where in new.keys() - old.keys()) == 1
    assert {where: new[where] for where in old} == old


@pytest.mark.parametrize("path", [path for path in PATHS if path != "/faction/raids"])
@pytest.mark.parametrize("name", PAGES)
def test_what_has_no_pages_has_no_faults_of_pages(sim: Simulator, ask: Ask, name: str, path: str) -> None:
    """A body without links is sent as it is."""
    truth, reply = struck(sim, ask, name, path)
    assert reply.json == truth


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", ["error-5", "flat-17", "http-500", "html-403", "http-429"])
def test_refusals_strike_every_path(sim: Simulator, ask: Ask, name: str, path: str) -> None:
    """Errors of the API and of HTTP do not depend on the body."""
    _, reply = struck(sim, ask, name, path)
    sim.faults.add("items", name, times=1)
    items = ask(sim, "/torn/items")
    assert (reply.status, reply.body) == (items.status, items.body)


@pytest.mark.parametrize("path", PATHS)
def test_truncated_bodies_cannot_be_read(sim: Simulator, ask: Ask, path: str) -> None:
    """``truncated`` leaves the beginning of the true body."""
    truth, reply = struck(sim, ask, "truncated", path)
    assert truth
    with pytest.raises(json.JSONDecodeError):
        _ = reply.json


def walk(sim: Simulator, ask: Ask, steps: int) -> list[list[int]]:
    found: list[list[int]] = []
    link = "/faction/raids"
    while link and len(found) < steps:
        body = ask(sim, link).json
        found.append([raid["id"] for raid in body["raids"]])
        link = body["_metadata"]["links"]["next"]
    return found


def test_pages_of_raids_go_wrong_as_those_of_crimes(sim: Simulator, ask: Ask) -> None:
    """Endless pages repeat or renew themselves, a page repeats its predecessor, a link leads elsewhere."""
    one, two, three = walk(sim, ask, 9)
    seen = {}
    for name in ("endless-same", "endless-new", "repeat-page"):
        sim.faults.add("raids", name)
        seen[name] = walk(sim, ask, 9)
        sim.faults.clear()
    assert seen["endless-same"] == [one] * 9
    ids = [number for page in seen["endless-new"] for number in page]
    assert len(set(ids)) == len(ids) == 9 * 20
    assert seen["repeat-page"] == [one, one, two]
    assert three not in seen["repeat-page"]
    sim.faults.add("raids", "other-host", times=1)
    link = ask(sim, "/faction/raids").json["_metadata"]["links"]["next"]
    assert urlsplit(link).hostname == "evil.example"


def test_every_fault_of_bodies_has_its_places_here() -> None:
    """A fault of bodies that is added without saying what it does elsewhere fails this one."""
    errors = ("error-", "flat-", "http-", "html-")
    bodies = {name for name in FAULTS if not name.startswith(errors)} - TEXTUAL - set(PAGES)
    assert bodies == {*STRIKES, "unknown-field"}

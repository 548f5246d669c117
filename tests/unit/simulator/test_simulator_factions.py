"""Several factions live side by side in one city: each key sees its own, and all see the same markets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from shared.simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ONE, TWO = "AAAAbbbbCCCCdd01", "AAAAbbbbCCCCdd02"
OWN = [
    "/faction/balance",
    "/faction/basic",
    "/faction/crimes",
    "/faction/members",
    "/faction/raids",
    "/faction/territory",
    "/faction/wars",
]


@pytest.fixture
def sim(clock: Callable[[], float]) -> Iterator[Simulator]:
    with Simulator(clock=clock, factions={ONE: 11, TWO: 12}) as running:
        yield running


@pytest.mark.parametrize("path", OWN)
def test_each_key_sees_its_own_faction(
    sim: Simulator, ask: Callable[..., Any], clock: Any, path: str
) -> None:
    """Two keys of one simulator see what two simulators of those seeds would show."""
    one, two = (ask(sim, path, key=key).body for key in (ONE, TWO))
    assert one != two
    for seed, body in ((11, one), (12, two)):
        with Simulator(seed=seed, clock=clock) as alone:
            # Links name the server that made them.
            assert ask(alone, path).body.replace(alone.address.encode(), sim.address.encode()) == body


@pytest.mark.parametrize("path", ["/torn/items", "/market/pointsmarket"])
def test_the_city_is_the_same_for_all(sim: Simulator, ask: Callable[..., Any], path: str) -> None:
    """Items and points do not depend on the key."""
    assert ask(sim, path, key=ONE).body == ask(sim, path, key=TWO).body


def test_ids_tell_the_factions_apart(sim: Simulator, ask: Callable[..., Any]) -> None:
    """They have their own ids and names, and nobody is a member of both."""
    basics = [ask(sim, "/faction/basic", key=key).json["basic"] for key in (ONE, TWO)]
    assert len({basic["id"] for basic in basics}) == len({basic["leader_id"] for basic in basics}) == 2
    members = [
        {member["id"] for member in ask(sim, "/faction/members", key=key).json["members"]}
        for key in (ONE, TWO)
    ]
    assert not members[0] & members[1]


def test_only_their_keys_are_good(sim: Simulator, ask: Callable[..., Any]) -> None:
    """A key of no faction is incorrect; the first one is the simulator's own."""
    assert ask(sim, "/faction/basic", key="ZZZZyyyyXXXXwwww").json["error"]["code"] == 2
    assert sim.key == ONE
    assert ask(sim, "/faction/basic").body == ask(sim, "/faction/basic", key=ONE).body


def test_a_further_key_sees_the_faction_of_the_seed(clock: Any, ask: Callable[..., Any]) -> None:
    """With a list of keys, those without a faction of their own share the simulator's."""
    other = "ZZZZyyyyXXXXwwww"
    with Simulator(seed=7, clock=clock, factions={ONE: 11}, keys=[ONE, other]) as sim:
        shown = {key: ask(sim, "/faction/basic", key=key).json["basic"]["id"] for key in (ONE, other)}
    assert shown[other] == sim.world.faction_id != shown[ONE]


def test_a_page_fault_shows_pages_of_the_same_faction(sim: Simulator, ask: Callable[..., Any]) -> None:
    """A page shown again is one of the asking key's faction."""
    first = ask(sim, "/faction/raids?timestamp=1", key=TWO).json["raids"]
    sim.faults.add("raids", "repeat-page")
    assert ask(sim, "/faction/raids?offset=20&timestamp=2", key=TWO).json["raids"] == first

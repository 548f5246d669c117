"""Raids, wars, lands, pacts and the faction's own numbers agree with each other while time goes."""

from __future__ import annotations

import itertools
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from shared.simulator.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    Show = Callable[..., Any]

NOW = 1_777_308_831
HOUR, DAY = 3_600, 86_400
SEEDS = [1, 7, 4_242]
# The second and third run the lines that the first runs.
EACH_SEED = [SEEDS[0], *(pytest.param(seed, marks=pytest.mark.unmeasured) for seed in SEEDS[1:])]
PATHS = [
    "/faction/members",
    "/faction/balance",
    "/faction/basic",
    "/faction/raids",
    "/faction/territory",
    "/faction/wars",
    "/market/pointsmarket",
]


@pytest.mark.parametrize("path", PATHS)
def test_seed_and_clock_alone_decide(show: Show, path: str) -> None:
    """The same seed and moment show the same, whenever it was started; another of each does not."""
    first = show(path, NOW)
    show(path, NOW + 9 * DAY)
    assert show(path, NOW) == show(path, NOW, start=NOW - 40 * DAY) == first
    assert show(path, NOW + 30 * DAY) != first
    assert show(path, NOW, seed=8) != first


@pytest.mark.parametrize("seed", range(12))
def test_there_is_always_something_of_everything(show: Show, seed: int) -> None:
    """At any moment: members, points, balances, lands, raids, a pact, and a war of each kind."""
    for now in range(NOW, NOW + 365 * DAY, 29 * DAY + 7 * HOUR):
        wars = show("/faction/wars", now, seed=seed)
        assert 1 <= len(wars["pacts"]) <= 4
        assert wars["wars"]["ranked"]
        assert any(war["end"] is None for war in wars["wars"]["raids"])
        assert any(war["end"] is None for war in wars["wars"]["territory"])
        for path, *names in (
            ("/faction/members", "members"),
            ("/market/pointsmarket", "pointsmarket"),
            ("/faction/balance", "balance", "members"),
            ("/faction/territory", "territory"),
            ("/faction/raids", "raids"),
        ):
            found = show(path, now, seed=seed)
            for name in names:
                found = found[name]
            assert found


def raid_pages(show: Show, now: int, **options: Any) -> list[list[dict[str, Any]]]:
    pages, params = [], options
    while True:
        body = show("/faction/raids", now, **params)
        pages.append(body["raids"])
        link = body["_metadata"]["links"]["next"]
        if link is None:
            return pages
        params = {f"{name}_": value for name, value in parse_qsl(urlsplit(link).query)}


@pytest.mark.parametrize("options", [{}, {"limit": 7}, {"sort": "ASC"}, {"from_": NOW - 700 * DAY}])
def test_pages_of_raids_are_complete_and_disjoint(show: Show, options: dict[str, Any]) -> None:
    """Following the links shows every raid once, in order; there are three pages of twenty."""
    everything = show("/faction/raids", NOW, limit=100)["raids"]
    wanted = [raid for raid in everything if raid["start"] > options.get("from_", 0)]
    pages = raid_pages(show, NOW, **options)
    found = [raid for page in pages for raid in page]
    assert found == (wanted[::-1] if options.get("sort") == "ASC" else wanted)
    assert len({raid["id"] for raid in found}) == len(found) > 30
    assert {len(page) for page in pages[:-1]} == {options.get("limit", 20)}
    if not options:
        assert len(pages) >= 3
        starts = [raid["start"] for raid in found]
        assert starts == sorted(starts, reverse=True)


def test_from_and_to_mean_the_start_of_a_raid(show: Show) -> None:
    """``from`` is exclusive, ``to`` inclusive."""
    everything = show("/faction/raids", NOW, limit=100)["raids"]
    newer, older = everything[5]["start"], everything[10]["start"]
    assert show("/faction/raids", NOW, from_=older, to=newer)["raids"] == everything[5:10]
    with pytest.raises(Refusal, match="4"):
        show("/faction/raids", NOW, limit=101)


@pytest.mark.parametrize("seed", EACH_SEED)
def test_raids_that_run_are_wars(show: Show, seed: int) -> None:
    """A raid without an end has chains and stands in wars.raids; one that ended has none and does not."""
    for now in range(NOW, NOW + 60 * DAY, 5 * DAY):
        raids = show("/faction/raids", now, seed=seed, limit=100)["raids"]
        wars = {war["war_id"]: war for war in show("/faction/wars", now, seed=seed)["wars"]["raids"]}
        own = show("/faction/basic", now, seed=seed)["basic"]["id"]
        assert {raid["id"] for raid in raids if raid["end"] is None} == wars.keys()
        for raid in raids:
            sides = raid["aggressor"], raid["defender"]
            assert [side["id"] for side in sides].count(own) == 1
            assert all(("chain" in side) == (raid["end"] is None) for side in sides)
            if raid["end"] is None:
                assert [side["id"] for side in sides] == [side["id"] for side in wars[raid["id"]]["factions"]]
                assert [side["chain"] for side in sides] == [
                    side["chain"] for side in wars[raid["id"]]["factions"]
                ]


@pytest.mark.parametrize("seed", EACH_SEED)
def test_raids_are_won_and_lost_and_then_stay_as_they_are(show: Show, seed: int) -> None:
    """Scores are numbers with fractions that only grow; what has ended never changes."""
    own = show("/faction/basic", NOW, seed=seed)["basic"]["id"]
    won = set()
    for before, after in pairwise(
        {raid["id"]: raid for raid in show("/faction/raids", now, seed=seed, limit=100)["raids"]}
        for now in range(NOW, NOW + 90 * DAY, 9 * DAY)
    ):
        assert before.keys() <= after.keys()
        for number, raid in before.items():
            if raid["end"] is not None:
                assert after[number] == raid
                ours, theirs = sorted(
                    (raid["aggressor"], raid["defender"]), key=lambda side: side["id"] != own
                )
                won.add(ours["score"] > theirs["score"])
            else:
                for side in ("aggressor", "defender"):
                    assert after[number][side]["score"] >= raid[side]["score"]
    assert won == {True, False}
    scores = [raid["aggressor"]["score"] for raid in after.values()]
    assert any(score % 1 for score in scores)


@pytest.mark.parametrize("seed", EACH_SEED)
def test_lands_change_hands_by_wars(show: Show, seed: int) -> None:
    """A land is gained or lost when a war about it ends, and by its winner; the rest stays as it is."""
    gained = lost = 0
    own = show("/faction/basic", NOW, seed=seed)["basic"]["id"]
    moments = range(NOW, NOW + 60 * DAY, 11 * HOUR)
    for before, after in pairwise(
        (now, show("/faction/territory", now, seed=seed)["territory"]) for now in moments
    ):
        old, new = ({land["id"]: land for land in lands[1]} for lands in (before, after))
        wars = show("/faction/wars", after[0], seed=seed)["wars"]["territory"]
        ended = {war["territory"]: war for war in wars if war["end"] is not None and war["end"] > before[0]}
        for name in new.keys() - old.keys():
            assert ended[name]["winner"] == own
            assert new[name]["acquired_at"] == ended[name]["end"]
            gained += 1
        for name in old.keys() - new.keys():
            assert ended[name]["winner"] not in {own, None}
            lost += 1
        for name in old.keys() & new.keys():
            assert old[name]["acquired_at"] == new[name]["acquired_at"]
        for war in wars:
            assert (war["winner"] is None) == (war["end"] is None)
            (ours,) = (side for side in war["factions"] if side["id"] == own)
            if war["end"] is None:
                assert ours["is_aggressor"] == (war["territory"] not in new)
            assert {side["is_aggressor"] for side in war["factions"]} == {True, False}
            (attacker,) = (side for side in war["factions"] if side["is_aggressor"])
            assert 0 <= attacker["score"] <= war["target"]
    assert gained
    assert lost


@pytest.mark.parametrize("seed", EACH_SEED)
def test_who_stands_on_a_wall_is_in_the_war(show: Show, seed: int) -> None:
    """is_on_wall is true for those that a running territory war names, who are in the city and well."""
    stood = 0
    for now in range(NOW, NOW + 10 * DAY, 13 * HOUR):
        own = show("/faction/basic", now, seed=seed)["basic"]["id"]
        wars = show("/faction/wars", now, seed=seed)["wars"]["territory"]
        named = [
            user
            for war in wars
            for side in war["factions"]
            if side["id"] == own
            for user in side["playerIds"]
        ]
        members = show("/faction/members", now, seed=seed)["members"]
        standing = [member for member in members if member["is_on_wall"]]
        assert sorted(named) == sorted(member["id"] for member in standing)
        assert all(member["status"]["state"] == "Okay" for member in standing)
        stood += len(standing)
    assert stood > 20


def test_rackets_come_grow_and_go(show: Show) -> None:
    """Now and then a land has one, most have none; it pays items, points or money."""
    seen: dict[Any, set[int]] = {}
    kinds, lands = set(), 0
    for now in range(NOW, NOW + 200 * DAY, 5 * DAY):
        for land in show("/faction/territory", now)["territory"]:
            lands += 1
            if racket := land["racket"]:
                seen.setdefault((land["id"], racket["created_at"]), set()).add(racket["level"])
                kinds.add(racket["reward"]["type"])
                assert racket["created_at"] <= racket["changed_at"] <= now
                assert (racket["reward"]["id"] is None) == (racket["reward"]["type"] != "Item")
    assert kinds == {"Item", "Points", "Money"}
    assert any(len(levels) > 2 for levels in seen.values())
    assert sum(map(len, seen.values())) < lands / 3


@pytest.mark.parametrize("seed", EACH_SEED)
def test_a_ranked_war_is_announced_fought_and_won(show: Show, seed: int) -> None:
    """It has a start ahead, then scores that grow, then an end and a winner; our wins are counted."""
    phases = set()
    for before, after in pairwise(
        (
            show("/faction/basic", now, seed=seed)["basic"],
            show("/faction/wars", now, seed=seed)["wars"]["ranked"],
            now,
        )
        for now in range(NOW, NOW + 120 * DAY, 7 * HOUR)
    ):
        basic, war, now = after
        over = war["end"] is not None
        phases.add("ahead" if now < war["start"] else "over" if over else "on")
        assert (war["winner"] is None) != over
        scores = [side["score"] for side in war["factions"]]
        if now < war["start"]:
            assert scores == [0, 0]
        if over:
            best = max(war["factions"], key=lambda side: side["score"])
            assert war["winner"] == best["id"]
        if war["war_id"] == before[1]["war_id"]:
            assert all(
                new["score"] >= old["score"]
                for old, new in zip(before[1]["factions"], war["factions"], strict=True)
            )
        ended = over and before[1]["end"] is None
        wins = basic["rank"]["wins"] - before[0]["rank"]["wins"]
        assert wins == (ended and war["winner"] == basic["id"])
    assert phases == {"ahead", "on", "over"}


def test_pacts_last_and_are_not_with_enemies(show: Show) -> None:
    """A pact ends in the future; nobody with whom there is one is fought; over a year there are 1 to 4."""
    counts = set()
    for seed, days in itertools.product(SEEDS, range(0, 365, 12)):
        now = NOW + days * DAY
        body = show("/faction/wars", now, seed=seed)
        friends = {pact["faction_id"] for pact in body["pacts"]}
        assert len(friends) == len(body["pacts"])
        assert all(pact["until"] > now for pact in body["pacts"])
        wars = [body["wars"]["ranked"], *body["wars"]["raids"], *body["wars"]["territory"]]
        assert not friends & {side["id"] for war in wars for side in war["factions"]}
        counts.add(len(friends))
    assert counts >= {1, 2, 3}


@pytest.mark.parametrize("seed", EACH_SEED)
def test_basic_agrees_with_the_members(show: Show, seed: int) -> None:
    """It counts the members and names its leaders, who are the same for years."""
    leaders = set()
    for now in range(NOW, NOW + 800 * DAY, 67 * DAY):
        basic = show("/faction/basic", now, seed=seed)["basic"]
        members = show("/faction/members", now, seed=seed)["members"]
        positions = {member["position"]: member["id"] for member in members}
        assert basic["members"] == len(members) <= basic["capacity"]
        assert (basic["leader_id"], basic["co_leader_id"]) == (positions["Leader"], positions["Co-leader"])
        leaders.add((basic["leader_id"], basic["co_leader_id"]))
    assert len(leaders) == 1


def test_basic_grows(show: Show) -> None:
    """A day older every day; respect grows, the best chain and the wins never shrink; the id stays."""
    shown = [show("/faction/basic", NOW + days * DAY)["basic"] for days in range(400)]
    for before, after in pairwise(shown):
        assert after["days_old"] == before["days_old"] + 1
        assert after["respect"] > before["respect"]
        assert after["best_chain"] >= before["best_chain"]
        assert after["id"] == before["id"]
    assert shown[-1]["best_chain"] > shown[0]["best_chain"]
    assert {"note" in basic for basic in shown} == {True, False}


def test_chains_are_the_same_in_every_war_and_below_the_best(show: Show) -> None:
    """The faction has one chain at a moment, and it never passes best_chain."""
    for now in range(NOW, NOW + 5 * DAY, 3 * HOUR):
        basic, wars = show("/faction/basic", now)["basic"], show("/faction/wars", now)["wars"]
        chains = {
            side["chain"]
            for war in [wars["ranked"], *wars["raids"], *wars["territory"]]
            for side in war["factions"]
            if side["id"] == basic["id"]
        }
        assert len(chains) == 1
        assert max(chains) <= basic["best_chain"]

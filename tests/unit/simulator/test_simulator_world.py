"""The invented faction is a pure function of seed and clock, and its crimes live as real ones do."""

from __future__ import annotations

import json
from functools import cache
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from shared.simulator import FactionSize
from shared.simulator.catalogue import items
from shared.simulator.crimes import render
from shared.simulator.goods import GOODS
from shared.simulator.heists import LAYOUTS
from shared.simulator.timeline import timeline
from shared.simulator.world import World

NOW = 1_777_308_831
DAY = 86_400
ORDER = {"Recruiting": 0, "Planning": 1, "Expired": 2, "Failure": 2, "Successful": 2}


def world(seed: int = 7, **size: Any) -> World:
    return World(seed=seed, start=NOW, size=FactionSize(**size))


def shown(of: World, now: float) -> list[dict[str, Any]]:
    return [render(timeline(of, index), now) for index in of.crimes(now)]


def people(of: World, now: float) -> set[int]:
    return {tenure.id for tenure in of.roster.present(now)}


@cache
def lives(count: int = 150) -> list[list[dict[str, Any]]]:
    """Give ``count`` crimes, each as it is seen every five hours of its first 30 days."""
    of = world(crimes=count)
    found = []
    for index in of.crimes(NOW):
        crime = timeline(of, index)
        found.append([render(crime, crime.created_at + hour * 3_600) for hour in range(0, 30 * 24, 5)])
    return found


def test_the_same_moment_shows_the_same_bytes() -> None:
    """Two worlds of one seed agree to the byte; neither remembers what it has shown."""
    one, other = world(), world()
    shown(other, NOW + 5 * DAY)
    assert msgspec.json.encode(shown(one, NOW)) == msgspec.json.encode(shown(other, NOW))
    assert msgspec.json.encode(items(7, NOW)) == msgspec.json.encode(items(7, NOW))


def test_another_seed_shows_another_faction() -> None:
    """The seed matters, to every part."""
    assert shown(world(1), NOW) != shown(world(2), NOW)
    assert items(1, NOW) != items(2, NOW)
    assert people(world(1), NOW) != people(world(2), NOW)


def test_a_restart_changes_no_crime() -> None:
    """A world started later shows the same crimes under the same ids; only its history begins later."""
    later = World(seed=7, start=NOW + 40 * DAY, size=FactionSize())
    now = NOW + 41 * DAY
    before = {crime["id"]: crime for crime in shown(world(), now)}
    after = {crime["id"]: crime for crime in shown(later, now)}
    assert len(after) > 300
    assert after.keys() < before.keys()
    assert all(before[number] == crime for number, crime in after.items())


def test_the_default_faction_is_alive() -> None:
    """A few hundred crimes of the last 60 to 90 days, of every status, and new ones as the clock goes."""
    crimes = shown(world(), NOW)
    assert len(crimes) == 320
    assert 60 * DAY < NOW - min(crime["created_at"] for crime in crimes) < 90 * DAY
    assert {crime["status"] for crime in crimes} == set(ORDER)
    assert len(shown(world(), NOW + 10 * DAY)) in range(358, 363)
    assert max(crime["created_at"] for crime in crimes) <= NOW


@pytest.mark.parametrize("count", [0, 1, 17])
def test_a_faction_has_as_many_crimes_as_wanted(count: int) -> None:
    """The size is exact at the start."""
    assert len(shown(world(crimes=count), NOW)) == count


def test_a_founded_faction_shows_the_same_list_whenever_it_is_started() -> None:
    """With ``founded`` the whole list depends on seed and clock alone."""
    size = FactionSize(founded=NOW - 20 * DAY)
    one, other = (World(seed=7, start=NOW + shift, size=size) for shift in (0, 9 * DAY))
    assert list(one.crimes(NOW)) == list(other.crimes(NOW))
    assert all(one.created_at(index) >= NOW - 20 * DAY for index in one.crimes(NOW))


def test_a_status_never_goes_back() -> None:
    """Recruiting, Planning, an end; or Recruiting, Expired. Every way is taken by some crime."""
    ways = set()
    for life in lives():
        statuses = [crime["status"] for crime in life]
        assert all(ORDER[before] <= ORDER[after] for before, after in pairwise(statuses))
        ends = {status for status in statuses if ORDER[status] == 2}
        assert len(ends) == 1
        ways.add(tuple(dict.fromkeys(statuses)))
        assert life[0]["status"] == "Recruiting"
        assert not any(slot["user"] for slot in life[0]["slots"])
    assert ways >= {
        ("Recruiting", "Planning", "Successful"),
        ("Recruiting", "Planning", "Failure"),
        ("Recruiting", "Expired"),
    }
    assert ("Planning", "Expired") not in {way[-2:] for way in ways}


def test_slots_keep_their_users_and_progress_grows() -> None:
    """Nobody leaves, joins twice, or forgets what was planned; one member plans at a time."""
    fractions = 0
    for life in lives():
        for before, after in pairwise(life):
            for old, new in zip(before["slots"], after["slots"], strict=True):
                if old["user"]:
                    assert new["user"]["id"] == old["user"]["id"]
                    assert new["user"]["joined_at"] == old["user"]["joined_at"]
                    assert new["user"]["progress"] >= old["user"]["progress"]
        for crime in life:
            users = [slot["user"] for slot in crime["slots"] if slot["user"]]
            assert len({user["id"] for user in users}) == len(users)
            assert all(0 <= user["progress"] <= 100 for user in users)
            busy = [user for user in users if 0 < user["progress"] < 100]
            assert len(busy) <= 1
            fractions += any(user["progress"] % 1 for user in busy)
            if crime["status"] == "Planning":
                assert len(users) == len(crime["slots"])
            if crime["status"] in {"Recruiting", "Expired"}:
                assert all(user["progress"] == 0 for user in users)
    assert fractions > 100


def test_nobody_joins_a_crime_that_has_expired() -> None:
    """However long one looks at an expired crime, its slots stay as they were at its end."""
    expired = [life[-1] for life in lives() if life[-1]["status"] == "Expired"]
    of = world(crimes=150)
    late = {crime["id"]: crime for crime in shown(of, NOW + 300 * DAY)}
    assert expired
    for crime in expired:
        assert late[crime["id"]] == crime
        assert None in {slot["user"] and slot["user"]["id"] for slot in crime["slots"]}
        assert all(slot["user"]["joined_at"] < crime["expired_at"] for slot in crime["slots"] if slot["user"])


def test_joining_takes_time() -> None:
    """Some crime is seen with some of its slots filled and some not."""
    partly = [
        crime
        for life in lives()
        for crime in life
        if crime["status"] == "Recruiting"
        and {bool(slot["user"]) for slot in crime["slots"]} == {True, False}
    ]
    assert len(partly) > 20


def test_times_appear_in_their_order() -> None:
    """What has not happened is null; what has happened, happened in order."""
    delayed = 0
    for life in lives():
        for crime in life:
            planned = crime["status"] in {"Planning", "Failure", "Successful"}
            done = crime["status"] in {"Failure", "Successful"}
            assert (crime["planning_at"] is not None) == planned
            assert (crime["ready_at"] is not None) == planned
            assert (crime["executed_at"] is not None) == done
            assert crime["expired_at"] == crime["created_at"] + 7 * DAY
            if planned:
                joined = [slot["user"]["joined_at"] for slot in crime["slots"]]
                assert crime["created_at"] < min(joined)
                assert max(joined) == crime["planning_at"]
                assert crime["ready_at"] == crime["planning_at"] + DAY * len(joined)
            if done:
                assert crime["executed_at"] > crime["ready_at"]
        delayed += bool(life[-1]["executed_at"] and life[-1]["executed_at"] > life[-1]["ready_at"] + DAY)
    assert delayed, "no crime waited for an item"


def test_rewards_come_with_success_alone() -> None:
    """Rewards are null until executed and successful; the payout follows later, or never."""
    kinds, percentages, payouts, late = set(), set(), set(), 0
    for life in lives():
        for before, after in pairwise(life):
            assert (after["rewards"] is not None) == (after["status"] == "Successful")
            if before["rewards"] and after["rewards"]:
                late += before["rewards"]["payout"] is None and after["rewards"]["payout"] is not None
                assert after["rewards"] == {**before["rewards"], "payout": after["rewards"]["payout"]}
                assert before["rewards"]["payout"] in (None, after["rewards"]["payout"])
        rewards = life[-1]["rewards"]
        if rewards:
            kinds.add(len(rewards["items"]))
            assert 0 <= rewards["money"] < 2**31
            payouts.add(rewards["payout"] is None)
            if rewards["payout"]:
                percentages.add(rewards["payout"]["percentage"])
                assert rewards["payout"]["paid_at"] >= life[-1]["executed_at"]
    assert kinds == {0, 1, 2, 3}
    assert payouts == {True, False}
    assert 80.5 in percentages
    assert any(isinstance(percentage, int) for percentage in percentages)
    assert late > 10


def test_outcomes_come_with_the_end() -> None:
    """Users have an outcome once the crime is executed; a duration only if it kept them somewhere."""
    outcomes, lost, owners = set(), set(), set()
    for life in lives():
        last = life[-1]
        for crime in life:
            for slot in crime["slots"]:
                user = slot["user"]
                if not user:
                    continue
                done = crime["status"] in {"Failure", "Successful"}
                assert (user["outcome"] is not None) == done
                assert ("outcome_duration" in user) == (user["outcome"] in {"Jailed", "Hospitalized"})
                if not done or not slot["item_requirement"]:
                    assert user["item_outcome"] is None
        outcomes |= {slot["user"]["outcome"] for slot in last["slots"] if slot["user"]}
        found = [
            slot["user"]["item_outcome"]
            for slot in last["slots"]
            if slot["user"] and slot["user"]["item_outcome"]
        ]
        lost |= {each["outcome"] for each in found}
        owners |= {each["owned_by"] for each in found}
    assert outcomes - {None} == {"Successful", "Failed", "Jailed", "Injured", "Hospitalized"}
    assert lost == {"lost", "used"}
    assert owners == {"user", "faction"}


def test_pass_rates_are_the_owners_on_empty_slots_and_zero_on_expired_crimes() -> None:
    """An empty slot shows a rate too; a joined one another; an expired crime shows zeros."""
    changed = 0
    for life in lives():
        for before, after in pairwise(life):
            for old, new in zip(before["slots"], after["slots"], strict=True):
                if after["status"] == "Expired":
                    assert new["checkpoint_pass_rate"] == 0
                else:
                    assert 0 < new["checkpoint_pass_rate"] <= 100
                    changed += old["user"] is None and new["user"] is not None
                    if bool(old["user"]) == bool(new["user"]):
                        assert old["checkpoint_pass_rate"] == new["checkpoint_pass_rate"]
    assert changed


def test_items_become_available() -> None:
    """An item is missing on an empty slot, sometimes on a joined one, never when the crime is executed."""
    missing = 0
    for life in lives():
        for crime in life:
            for slot in crime["slots"]:
                needs, user = slot["item_requirement"], slot["user"]
                if needs and not user:
                    assert not needs["is_available"]
                if needs and user and crime["status"] == "Planning":
                    missing += not needs["is_available"]
                if needs and crime["status"] in {"Successful", "Failure"}:
                    assert needs["is_available"]
    assert missing > 10


def test_crimes_follow_successes_of_the_past() -> None:
    """Some crimes name a previous one: that one was successful, executed before, and opens this one."""
    crimes = {crime["id"]: crime for crime in shown(world(crimes=1_500), NOW)}
    opened_by = {layout.opens: layout.name for layout in LAYOUTS if layout.opens}
    chained = [crime for crime in crimes.values() if crime["previous_crime_id"] in crimes]
    assert len(chained) > 20
    for crime in chained:
        previous = crimes[crime["previous_crime_id"]]
        assert previous["status"] == "Successful"
        assert previous["executed_at"] < crime["created_at"]
        assert previous["name"] == opened_by[crime["name"]]


def test_every_name_has_one_difficulty_and_one_layout() -> None:
    """Names, difficulties and positions belong together; positions are P1 to P6 in order."""
    seen: dict[str, Any] = {}
    for crime in shown(world(crimes=800), NOW):
        positions = [(slot["position"], tuple(slot["position_info"].values())) for slot in crime["slots"]]
        assert seen.setdefault(crime["name"], (crime["difficulty"], positions)) == (
            crime["difficulty"],
            positions,
        )
        assert [slot["position_info"]["id"] for slot in crime["slots"]] == [
            f"P{n + 1}" for n in range(len(positions))
        ]
    assert {difficulty for difficulty, _ in seen.values()} == set(range(1, 11))
    assert max(len(positions) for _, positions in seen.values()) == 6


def test_all_people_and_items_exist() -> None:
    """Whoever joins is a member then; whatever is needed or won is an item of the city."""
    of = world()
    goods = {item["id"] for item in items(7, NOW)}
    for crime in shown(of, NOW):
        for slot in crime["slots"]:
            assert slot["item_requirement"] is None or slot["item_requirement"]["id"] in goods
            user = slot["user"]
            assert user is None or user["id"] in people(of, user["joined_at"])
        rewards = crime["rewards"] or {"items": [], "payout": None}
        assert {item["id"] for item in rewards["items"]} <= goods
        payout = rewards["payout"]
        assert not payout or payout["paid_by"] in people(of, payout["paid_at"])


def test_more_members_rename_nobody() -> None:
    """Members are stable: a larger faction has all of the smaller one's people, and others."""
    assert people(world(members=40), NOW) < people(world(members=100), NOW)


def test_prices_move_slowly() -> None:
    """A market price moves with the clock, by less than a tenth in a day; within five minutes it stands."""
    today, soon, tomorrow = (
        {item["id"]: item["value"]["market_price"] for item in items(7, NOW + shift)}  # type: ignore[index]
        for shift in (0, 3, DAY)
    )
    assert today == soon
    assert today != tomorrow
    assert all(abs(tomorrow[number] - price) <= 0.2 * price + 1 for number, price in today.items())


def test_items_have_nulls_where_real_ones_do() -> None:
    """Each field that may be null is null for some items and not for others; details only with a category."""
    everything: list[Any] = items(7, NOW)
    assert len(everything) == len(GOODS) > 100
    for name in ("effect", "requirement", "sub_type"):
        assert {item[name] is None for item in everything} == {True, False}, name
    for name in ("vendor", "buy_price", "sell_price"):
        assert {item["value"][name] is None for item in everything} == {True, False}, name
    assert all(item["details"] is None for item in everything)
    assert all(item["details"] for item in items(7, NOW, category="Weapon"))
    assert {item["type"] for item in items(7, NOW, category="Defensive")} == {"Armor"}
    ids = [item["id"] for item in everything]
    assert ids == sorted(set(ids))
    assert ids != list(range(1, len(ids) + 1))


def test_the_newest_shape_has_shops() -> None:
    """With ``prices="shops"`` a list of shops stands in place of vendor, buy_price and sell_price."""
    old: dict[Any, Any] = {item["id"]: item["value"] for item in items(7, NOW)}
    shapes = set()
    for item in items(7, NOW, prices="shops"):
        value: Any = item["value"]
        assert set(value) == {"shops", "market_price"}
        assert value["market_price"] == old[item["id"]]["market_price"]
        shapes.add(len(value["shops"]))
        for shop in value["shops"]:
            assert set(shop) == {"shop", "country", "buy_price", "sell_price"}
            assert old[item["id"]]["vendor"] == {"country": shop["country"], "name": shop["shop"]}
    assert shapes == {0, 1}


def test_what_is_shown_is_json() -> None:
    """Rendered documents survive JSON unchanged: no tuples, no sets, no odd numbers."""
    crimes = shown(world(), NOW)
    assert json.loads(msgspec.json.encode(crimes)) == crimes

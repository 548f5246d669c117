"""Members join, leave, change their names, travel, get hurt, and are where the crimes say they are."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from shared.simulator.timeline import timeline
from shared.simulator.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

    Show = Callable[..., Any]

NOW = 1_777_308_831
HOUR, DAY = 3_600, 86_400
SEEDS = [1, 7, 4_242]
# The second and third run the lines that the first runs.
EACH_SEED = [SEEDS[0], *(pytest.param(seed, marks=pytest.mark.unmeasured) for seed in SEEDS[1:])]


def by_id(show: Show, now: int, **options: Any) -> dict[int, dict[str, Any]]:
    members = show("/faction/members", now, **options)["members"]
    found = {member["id"]: member for member in members}
    assert len(found) == len(members)
    return found


@pytest.mark.parametrize("seed", EACH_SEED)
def test_who_is_in_a_crime_is_a_member_and_says_so(show: Show, seed: int) -> None:
    """At any moment is_in_oc is true for those in slots of crimes that are not over, and for nobody else."""
    for now in range(NOW, NOW + 30 * DAY, 17 * HOUR):
        crimes = show("/faction/crimes", now, seed=seed, cat="available", limit=100)["crimes"]
        busy = {slot["user"]["id"] for crime in crimes for slot in crime["slots"] if slot["user"]}
        members = by_id(show, now, seed=seed)
        assert len(busy) > 10
        assert {number for number, member in members.items() if member["is_in_oc"]} == busy


@pytest.mark.parametrize("seed", EACH_SEED)
def test_nobody_is_in_a_crime_before_joining_or_after_leaving(seed: int) -> None:
    """All who take a slot are members from that moment until the crime's end."""
    world = World(seed=seed, start=NOW)
    crimes = [timeline(world, index) for index in world.crimes(NOW)]
    # Nobody is a member for less than two months: a look every week sees all of them.
    looks = range(crimes[0].created_at, NOW + 60 * DAY, 7 * DAY)
    members = {tenure.id: tenure for at in looks for tenure in world.roster.present(at)}
    for crime in crimes:
        end = crime.executed_at or crime.expired_at
        for seat in crime.seats:
            if seat.joined_at < end:
                assert members[seat.user_id].covers(seat.joined_at, end)


@pytest.mark.parametrize("seed", EACH_SEED)
def test_people_join_and_leave(show: Show, seed: int) -> None:
    """Within 30 days some join and some leave; most stay, and the faction is never over its capacity."""
    before, after = by_id(show, NOW, seed=seed), by_id(show, NOW + 30 * DAY, seed=seed)
    assert before.keys() - after.keys()
    assert after.keys() - before.keys()
    assert len(before.keys() & after.keys()) > 60
    for number in after.keys() - before.keys():
        assert after[number]["days_in_faction"] < 30
    for number in before.keys() & after.keys():
        assert after[number]["days_in_faction"] == before[number]["days_in_faction"] + 30
    assert 80 <= len(after) <= 100


def test_whoever_left_does_not_come_back(show: Show) -> None:
    """An id that is gone stays gone, for half a year."""
    gone: set[int] = set()
    for before, after in pairwise(by_id(show, NOW + days * DAY).keys() for days in range(0, 180, 3)):
        gone |= before - after
        assert not gone & after
    assert len(gone) > 20


@pytest.mark.parametrize("seed", EACH_SEED)
def test_names_change_and_stay_apart(show: Show, seed: int) -> None:
    """Within 30 days somebody has another name, most have not, and no two members share one."""
    before, after = by_id(show, NOW, seed=seed), by_id(show, NOW + 30 * DAY, seed=seed)
    stayed = before.keys() & after.keys()
    renamed = [number for number in stayed if before[number]["name"] != after[number]["name"]]
    assert 0 < len(renamed) < len(stayed) / 2
    for members in (before, after):
        assert len({member["name"] for member in members.values()}) == len(members)


def test_levels_never_fall(show: Show) -> None:
    """Over a quarter some rise, by a few levels; nobody falls."""
    before, after = by_id(show, NOW), by_id(show, NOW + 90 * DAY)
    rises = [after[number]["level"] - before[number]["level"] for number in before.keys() & after.keys()]
    assert min(rises) >= 0
    assert 0 < max(rises) <= 10
    assert all(1 <= member["level"] <= 100 for member in after.values())


def test_a_status_says_where_and_until_when(show: Show) -> None:
    """Every state is seen; only hospital and jail have an end and a reason, only a flight has a plane."""
    seen = set()
    for now in range(NOW, NOW + 3 * DAY, 7 * HOUR):
        for member in by_id(show, now).values():
            status, state = member["status"], member["status"]["state"]
            seen.add(state)
            confined = state in {"Hospital", "Jail"}
            assert (status["until"] is not None) == confined
            assert (status["details"] is not None) == confined
            assert not confined or now < status["until"] <= now + 8 * HOUR
            assert ("plane_image_type" in status) == (state == "Traveling")
            assert member["has_early_discharge"] <= (state == "Hospital")
            assert (status["description"] == "Okay") == (state == "Okay")
    assert seen == {"Okay", "Hospital", "Jail", "Traveling", "Abroad"}


def test_travellers_go_there_stay_and_come_back(show: Show) -> None:
    """Every trip is a flight to a country, a stay in it, and a flight back, unless a crime ends it."""
    steps: dict[int, list[str]] = {}
    for now in range(NOW, NOW + DAY, 240):
        for number, member in by_id(show, now).items():
            status = member["status"]
            there = status["state"] if status["state"] in {"Hospital", "Jail"} else status["description"]
            steps.setdefault(number, [])
            if steps[number][-1:] != [there]:
                steps[number].append(there)
    trips = 0
    for life in steps.values():
        for one, two, three, four in zip(life, life[1:], life[2:], life[3:], strict=False):
            if one.startswith("Traveling to "):
                country = one.removeprefix("Traveling to ")
                assert two in {f"In {country}", "Hospital", "Jail"}
                if two == f"In {country}":
                    assert three in {f"Returning to Torn from {country}", "Hospital", "Jail"}
                if three == f"Returning to Torn from {country}":
                    assert four in {"Okay", "Hospital", "Jail"}
                    trips += four == "Okay"
    assert trips > 20


def test_tags_are_stripped_unless_wanted(show: Show) -> None:
    """``striptags=false`` leaves the links in the details, and changes nothing else."""
    plain, tagged = by_id(show, NOW), by_id(show, NOW, striptags="false")
    assert plain == by_id(show, NOW, striptags="true")
    links = 0
    for number, member in plain.items():
        details, other = member["status"].pop("details"), tagged[number]["status"].pop("details")
        links += "<a " in (other or "")
        assert "<" not in (details or "")
        assert (other or "").endswith(">") == ("<a " in (other or ""))
        assert member == tagged[number]
    assert links


def test_somebody_in_hospital_stays_until_it_is_said(show: Show) -> None:
    """Just before ``until`` the same hospital stay is shown, with the same end; after it another state."""
    stays = 0
    for number, member in by_id(show, NOW).items():
        if member["status"]["state"] == "Hospital":
            end = member["status"]["until"]
            assert by_id(show, end - 1)[number]["status"]["until"] >= end
            assert by_id(show, end)[number]["status"]["until"] != end
            stays += 1
    assert stays


def test_crimes_put_people_where_their_outcomes_say(show: Show) -> None:
    """Whom a crime hospitalised or jailed is there when it has just been executed."""
    found = 0
    for crime in show("/faction/crimes", NOW, cat="completed", limit=100)["crimes"]:
        for slot in crime["slots"]:
            user = slot["user"]
            if user["outcome"] in {"Hospitalized", "Jailed"}:
                status = by_id(show, crime["executed_at"])[user["id"]]["status"]
                assert status["state"] in {"Hospital", "Jail"}
                assert status["until"] >= crime["executed_at"] + user["outcome_duration"]
                found += status["state"] == {"Hospitalized": "Hospital", "Jailed": "Jail"}[user["outcome"]]
    assert found > 10


def test_last_actions_are_past_and_worded_by_their_age(show: Show) -> None:
    """An action never lies ahead and never goes back; its age says its words and the status."""
    words = set()
    for before, after in pairwise((now, by_id(show, now)) for now in range(NOW, NOW + 2 * DAY, 5 * HOUR)):
        for number, member in after[1].items():
            action, age = member["last_action"], after[0] - member["last_action"]["timestamp"]
            assert age >= 0
            if number in before[1]:
                assert action["timestamp"] >= before[1][number]["last_action"]["timestamp"]
            assert action["status"] == ("Online" if age < 300 else "Idle" if age < 1_800 else "Offline")
            count, unit, _ = action["relative"].split()
            words.add(unit.rstrip("s"))
            size = {"minute": 60, "hour": HOUR, "day": DAY}[unit.rstrip("s")]
            assert int(count) * size <= age < (int(count) + 1) * size
            assert unit.endswith("s") == (count != "1")
    assert words == {"minute", "hour", "day"}


def test_joining_a_crime_is_an_action(show: Show) -> None:
    """Nobody's last action is older than when they joined the crime they are in."""
    members = by_id(show, NOW)
    for crime in show("/faction/crimes", NOW, cat="available", limit=100)["crimes"]:
        for slot in crime["slots"]:
            if slot["user"]:
                acted = members[slot["user"]["id"]]["last_action"]["timestamp"]
                assert acted >= slot["user"]["joined_at"]


def test_positions_change_only_from_recruit(show: Show) -> None:
    """There is one leader and one co-leader; whoever joined within two weeks is a recruit."""
    members = by_id(show, NOW).values()
    positions = [member["position"] for member in members]
    assert (positions.count("Leader"), positions.count("Co-leader")) == (1, 1)
    assert {m["id"] for m in members if m["position"] == "Recruit"} == {
        m["id"] for m in members if m["days_in_faction"] < 14
    }

"""One message delivered often, at once, to several processes, or late: the tables are as of one clean run."""

from __future__ import annotations

import http.client
import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

import pytest
from support.processes import killing
from support.world import Clock, World, message

from shared.schedule import floor, slot_name
from shared.simulator import FactionSize, Replay, Simulator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.framework import Function

QUARTER = timedelta(minutes=15)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[World]:
    """Give a place whose faction is small enough for every crime to be in every answer."""
    clock = Clock()
    with Simulator(
        clock=clock, faction=FactionSize(crimes=60), prices="shops", calls_per_minute=10_000
    ) as api:
        yield World(tmp_path, api, clock=clock)


def undisturbed(place: World, endpoint: str, **sent: Any) -> dict[str, list[dict[str, Any]]]:
    """Return the tables that one run leaves in a warehouse of its own, from the same archive."""
    other = place.beside("undisturbed", copy_archive=True)
    other.collect(endpoint, **sent)
    return other.tables(endpoint)


def ten_in_a_row(place: World, endpoint: str, sent: dict[str, Any]) -> list[int]:
    with place.function(endpoint) as function:
        return [function.deliver(**sent) for _ in range(10)]


def four_at_once(place: World, endpoint: str, sent: dict[str, Any]) -> list[int]:
    with place.function(endpoint) as function:
        return at_once([function] * 4, sent)


def four_processes(place: World, endpoint: str, sent: dict[str, Any]) -> list[int]:
    with place.functions(endpoint, 4) as functions:
        return at_once(functions, sent)


def at_once(functions: list[Function], sent: dict[str, Any]) -> list[int]:
    with ThreadPoolExecutor(len(functions)) as pool:
        return list(pool.map(lambda function: function.deliver(**sent), functions))


@pytest.mark.parametrize("scheduled", [False, True], ids=["by-hand", "scheduled"])
@pytest.mark.parametrize(
    ("endpoint", "deliver"),
    [
        ("crimes", ten_in_a_row),
        ("crimes", four_at_once),
        ("crimes", four_processes),
        ("items", ten_in_a_row),
        ("items", four_processes),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_one_message_many_deliveries(
    place: World, endpoint: str, deliver: Callable[..., list[int]], *, scheduled: bool
) -> None:
    """However a message is delivered again, each row is there once, and one attempt alone has written."""
    sent = {"message_id": "once", "scheduled": scheduled, "published": datetime.now(UTC)}
    statuses = deliver(place, endpoint, sent)
    assert set(statuses) == {200}
    outcomes = Counter(place.outcomes())
    assert outcomes == {"ok": 1, "repeated": len(statuses) - 1}
    assert len({run["run_id"] for run in place.runs()}) == 1
    assert place.tables(endpoint) == undisturbed(place, endpoint, **sent)


def test_four_messages_at_four_processes_do_not_mix(world: World) -> None:
    """Runs of one key in the same second, from several machines, get their own pages, not each other's."""
    with world.functions("crimes", 4) as functions:
        with ThreadPoolExecutor(4) as pool:
            pending = [
                pool.submit(function.deliver, message_id=f"m{number}")
                for number, function in enumerate(functions)
            ]
            assert {each.result() for each in pending} == {200}
        assert functions[0].deliver(message_id="last") == 200
    runs = world.runs()
    assert len(runs) == 5
    # One that was read a moment before another and written after it finds the newer state there.
    assert {run["outcome"] for run in runs} <= {"ok", "superseded"}
    assert {run["pages"] for run in runs} == {"2"}
    assert len({run["records"] for run in runs}) == 1
    assert {run["duplicates"] for run in runs} == {"0"}
    assert not any(request.cached for request in world.api.requests)


def test_scheduled_messages_of_one_slot_are_one_run(place: World) -> None:
    """Two messages that the scheduler published in one slot are the same work."""
    begin = floor(datetime.now(UTC), QUARTER)
    with place.function("crimes") as function:
        for number in range(3):
            published = begin + timedelta(minutes=4 * number)
            assert function.deliver(message_id=f"m{number}", scheduled=True, published=published) == 200
    assert [run["run_id"] for run in place.runs()] == [f"crimes/default/{slot_name(begin)}"] * 3
    assert place.outcomes() == ["ok", "repeated", "repeated"]


def test_a_slot_that_would_be_fetched_too_late_is_missed(place: World) -> None:
    """More than one `every` late, the API is not asked: it would show another time's state."""
    late = datetime.now(UTC) - 2 * QUARTER - timedelta(seconds=1)
    with place.function("crimes") as function:
        assert function.deliver(message_id="late", scheduled=True, published=late) == 200
        (run,) = place.runs()
        (line,) = function.lines(run["run_id"])
        assert function.deliver(message_id="by-hand", published=late) == 200
    assert run["outcome"] == "missed"
    assert line["severity"] == "WARNING"
    assert place.outcomes() == ["missed", "ok"]
    assert {row["_run_id"] for row in place.tables("crimes")["crimes"]} == {"crimes/default/by-hand"}


def kill_old_then_run_new(
    place: World, endpoint: str, old: dict[str, Any], new: dict[str, Any], *, later: timedelta
) -> dict[str, list[dict[str, Any]]]:
    """Read for the old message and die, then run the newer one; return the tables it leaves."""
    with place.function(endpoint, **killing(place.folder / "kill", "writing")) as function:
        with pytest.raises((ConnectionError, http.client.HTTPException)):
            function.deliver(**old)
        function.wait()
    place.clock.now += later.total_seconds()
    with place.function(endpoint) as function:
        assert function.deliver(**new) == 200
    return place.tables(endpoint)


@pytest.mark.parametrize("endpoint", ["crimes", "items"])
def test_an_older_slot_that_ends_later_changes_nothing(place: World, endpoint: str) -> None:
    """A slot's run that is finished only after the next slot's leaves the newer state, children and all."""
    now = datetime.now(UTC)
    every = QUARTER if endpoint == "crimes" else timedelta(hours=6)
    old = {"message_id": "old", "scheduled": True, "published": now}
    new = {"message_id": "new", "scheduled": True, "published": now + every}
    newer = kill_old_then_run_new(place, endpoint, old, new, later=timedelta(hours=30))
    with place.function(endpoint) as function:
        assert function.deliver(**old) == 200
        assert function.deliver(**old) == 200
        warned = [line for line in function.lines() if line["severity"] == "WARNING"]
    tables = place.tables(endpoint)
    # What is appended is a history: both runs have their place in it.
    history = {row["_run_id"] for row in tables.pop("item_prices", [])}
    assert len(history) == (2 if endpoint == "items" else 0)
    assert tables == {name: rows for name, rows in newer.items() if name != "item_prices"}
    assert all(newer.values())
    assert place.outcomes() == ["ok", "superseded", "repeated"]
    assert len(warned) == 1


def test_an_older_answer_adds_what_the_newer_did_not_hold(place: World) -> None:
    """Of an older answer those crimes are taken that no newer one showed, with their children; no others."""
    old = {"message_id": "old"}
    new = {"message_id": "new", "data": message(params={"cat": "completed"})}
    newer = kill_old_then_run_new(place, "crimes", old, new, later=timedelta(hours=30))
    with place.function("crimes") as function:
        assert function.deliver(**old) == 200
    alone = undisturbed(place, "crimes", **old)
    taken = {row["id"] for row in newer["crimes"]}
    assert taken
    assert taken < {row["id"] for row in alone["crimes"]}
    for name, rows in place.tables("crimes").items():
        key = "id" if name == "crimes" else "crime_id"
        kept = [row for row in alone[name] if row[key] not in taken]
        assert sorted(rows, key=str) == sorted([*newer[name], *kept], key=str)
    assert place.outcomes() == ["ok", "ok"]


def test_a_slot_that_is_gone_leaves_its_table(tmp_path: Path) -> None:
    """A newer state with fewer slots and reward items takes the others away, and only those."""
    with Simulator(faction=FactionSize(crimes=60)) as live:
        asked = Request(
            f"{live.url}/faction/crimes?limit=100", headers={"Authorization": f"ApiKey {live.key}"}
        )
        with urlopen(asked, timeout=10) as answer:
            page = answer.read()
    document = json.loads(page)
    recorded = tmp_path / "crimes.json"
    recorded.write_bytes(page)
    with Replay([f"crimes={recorded}"], calls_per_minute=10_000) as api:
        place = World(tmp_path, api)
        with place.function("crimes") as function:
            assert function.deliver(message_id="first") == 200
            first = place.tables("crimes")
            gone = document["crimes"][3]["slots"].pop()
            rich = next(crime for crime in document["crimes"] if (crime["rewards"] or {}).get("items"))
            rich["rewards"]["items"] = []
            api.source.bodies["crimes"] = json.dumps(document).encode()
            assert function.deliver(message_id="second") == 200
    second = place.tables("crimes")
    assert gone["position"]
    ids = [str(crime["id"]) for crime in document["crimes"]]
    slots = {(str(c["id"]), str(n)) for c in document["crimes"] for n in range(len(c["slots"]))}
    assert {row["id"] for row in second["crimes"]} == set(ids)
    assert {(row["crime_id"], row["slot_index"]) for row in second["crimes_slots"]} == slots
    assert len(second["crimes_slots"]) == len(first["crimes_slots"]) - 1
    assert str(rich["id"]) in {row["crime_id"] for row in first["crimes_reward_items"]}
    assert str(rich["id"]) not in {row["crime_id"] for row in second["crimes_reward_items"]}
    assert {row["_run_id"] for rows in second.values() for row in rows} == {"crimes/default/second"}

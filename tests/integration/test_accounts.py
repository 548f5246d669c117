"""Several factions side by side: one message becomes a run for each, and their rows stay apart."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
from typing import TYPE_CHECKING

import msgspec
import pytest
from cloudevents.http import CloudEvent
from support.framework import push_body
from support.processes import BIN, killing, until
from support.pubsub import emulator
from support.world import World, accounts, message

from shared.collector import Collector
from shared.endpoint_file import find_endpoints, load_endpoint
from shared.errors import OutOfTime
from shared.settings import Settings
from shared.simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SETTINGS, KEYS = accounts(["red", "blue", "green"])
SEEDS = {key: number for number, key in enumerate(KEYS.values(), start=11)}
OWN = ("_run_id", "_account", "server_timestamp")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[World]:
    """Give a place with three factions, each with a key of its own."""
    with Simulator(factions=SEEDS, calls_per_minute=10_000) as api:
        yield World(tmp_path, api, measured=True)


def ids(place: World, account: str) -> set[str]:
    return {row["id"] for row in place.query("SELECT id FROM members WHERE _account = ?", [account])}


def test_one_message_collects_every_account(place: World) -> None:
    """Each with its own key, under its own name; delivered again it writes nothing."""
    with place.function("members", **SETTINGS) as function:
        assert function.deliver(message_id="all") == 200
        runs = {run["run_id"]: run["outcome"] for run in place.runs()}
        assert runs == {
            "members/*/all": "fanned_out",
            **{f"members/{name}/all": "ok" for name in KEYS},
        }
        before = place.tables("members")
        assert function.deliver(message_id="all") == 200
    assert place.tables("members") == before
    assert sorted(place.outcomes())[-3:] == ["repeated"] * 3
    found = {name: ids(place, name) for name in KEYS}
    assert all(found.values())
    assert not found["red"] & found["blue"], "each key reads its own faction"


def test_a_scheduled_message_is_one_slot_for_every_account(place: World) -> None:
    """The parts are named by the slot, and are scheduled runs themselves."""
    with place.function("members", **SETTINGS) as function:
        assert function.deliver(message_id="one", scheduled=True) == 200
        assert function.deliver(message_id="two", scheduled=True) == 200
    runs = [run for run in place.runs() if run["account"] != "*"]
    assert {run["outcome"] for run in runs[:3]} == {"ok"}
    slots = {run["run_id"].split("/")[2] for run in runs}
    if len(slots) == 1:
        assert [run["outcome"] for run in runs[3:]] == ["repeated"] * 3
    assert all(run["slot"] for run in runs)


def test_one_account_that_fails_holds_up_no_other(place: World) -> None:
    """A dead key is recorded for its account; the message is done."""
    dead = {**SETTINGS, "KEY_BLUE": "NoSuchKey0000000"}
    with place.function("members", **dead) as function:
        assert function.deliver(message_id="all") == 200
    assert {run["account"]: run["outcome"] for run in place.runs()} == {
        "*": "fanned_out", "red": "ok", "blue": "failed", "green": "ok",
    }  # fmt: skip


def test_a_failure_that_may_pass_brings_the_message_back(place: World) -> None:
    """The other accounts are collected; the next delivery collects the one that is left alone."""
    with place.function("members", RUN_TIMEOUT="5", **SETTINGS) as function:
        place.api.faults.add("members", "error-5", times=1)
        assert function.deliver(message_id="all") == 500
        assert {run["account"]: run["outcome"] for run in place.runs()} == {
            "*": "retry", "red": "retry", "blue": "ok", "green": "ok",
        }  # fmt: skip
    with place.function("members", **SETTINGS) as function:
        assert function.deliver(message_id="all") == 200
    assert place.outcomes("members/red/all") == ["retry", "ok"]
    assert place.outcomes("members/blue/all") == ["ok", "repeated"]


@pytest.mark.parametrize("line", ["committed", "fetched", "recording"])
def test_a_fan_out_killed_midway_makes_no_row_twice(place: World, line: str) -> None:
    """Killed within its second part and delivered again, the tables are as of a clean one."""
    deadly = killing(place.folder / "kill", line, time=2)
    with place.function("crimes", **SETTINGS, **deadly) as function:
        with pytest.raises((ConnectionError, http.client.HTTPException)):
            function.deliver(message_id="all")
        assert function.wait() == -signal.SIGKILL
    with place.function("crimes", **SETTINGS) as function:
        assert function.deliver(message_id="all") == 200
    for table, rows in place.tables("crimes").items():
        index = {"crimes_slots": "slot_index", "crimes_reward_items": "item_index"}.get(table)
        keys = [(row["_account"], row.get("crime_id", row.get("id")), row.get(index or "")) for row in rows]
        assert len(keys) == len(set(keys)), table
    undisturbed = place.beside("undisturbed", copy_archive=True)
    with undisturbed.function("crimes", **SETTINGS) as function:
        assert function.deliver(message_id="all") == 200
    assert undisturbed.tables("crimes") == place.tables("crimes")


def test_with_pubsub_each_part_is_a_message(place: World, tmp_path: Path) -> None:
    """Published to the topic that the message came from; published twice, no run is made twice."""
    with emulator(tmp_path / "pubsub") as pubsub:
        setting = {"PUBSUB_EMULATOR_HOST": pubsub.address}
        with place.function("members", **SETTINGS, **setting) as function:
            topic = pubsub.topic("members")
            subscription = pubsub.push_to(topic, function.url)
            try:
                number = pubsub.gcloud_publish(topic, "{}")
                until(lambda: place.outcomes().count("ok") == 3, what="three accounts", timeout=30)
                runs = [run for run in place.runs() if run["account"] != "*"]
                assert {run["run_id"] for run in runs} == {f"members/{name}/{number}" for name in KEYS}
                assert number not in {run["message_id"] for run in runs}
                assert function.deliver(message_id=number) == 200
                until(lambda: place.outcomes().count("repeated") == 3, what="three repeated", timeout=30)
            finally:
                pubsub.remove(subscription)
    assert place.outcomes().count("ok") == 3
    assert place.outcomes(f"members/*/{number}") == ["fanned_out", "fanned_out"]


def test_a_topic_that_is_not_there_is_told(place: World, tmp_path: Path) -> None:
    """What the function may not publish to is a mistake of the configuration, and acknowledged."""
    with emulator(tmp_path / "pubsub") as pubsub:
        setting = {"PUBSUB_EMULATOR_HOST": pubsub.address}
        with place.function("members", **SETTINGS, **setting) as function:
            assert function.deliver(message_id="all") == 200
    (run,) = place.runs()
    assert (run["outcome"], run["error_class"]) == ("failed", "FixConfiguration")
    assert "roles/pubsub.publisher" in run["next_step"]


def test_no_pubsub_brings_the_message_back(place: World) -> None:
    """Where it cannot be reached, nothing is published, and the message is delivered again."""
    setting = {"PUBSUB_EMULATOR_HOST": "127.0.0.1:9"}
    with place.function("members", **SETTINGS, **setting) as function:
        assert function.deliver(message_id="all") == 500
    assert place.outcomes() == ["retry"]


def command(place: World, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [BIN / "tcdatalogger", *words], env=place.environ(**SETTINGS), cwd=place.folder,
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    return done


def test_the_command_collects_every_account_and_what_is_global_once(place: World) -> None:
    """Endpoints of every account have a line for each; those that are read once have one."""
    place.key = KEYS["red"]
    found = json.loads(command(place, "run", "members", "currency", "--json").stdout)
    assert [(run["endpoint"], run["account"], run["outcome"]) for run in found] == [
        ("members", "red", "ok"), ("members", "blue", "ok"), ("members", "green", "ok"),
        ("currency", "global", "ok"),
    ]  # fmt: skip


def test_the_command_collects_one_account_alone(place: World) -> None:
    """Endpoints that are read once are not asked for an account; a name that is none is told."""
    found = json.loads(command(place, "run", "members", "currency", "--account", "blue", "--json").stdout)
    assert [(run["endpoint"], run["account"]) for run in found] == [
        ("members", "blue"), ("currency", "global"),
    ]  # fmt: skip
    said = command(place, "run", "members", "--account", "blu", code=2).stderr
    assert "There is no account 'blu'. There are: red, blue, green." in said


def test_calls_count_against_the_key_that_makes_them(place: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """One account's calls leave the others' budgets alone; its own second call in a minute waits."""
    for name, value in place.environ(**SETTINGS, RUN_TIMEOUT="2").items():
        monkeypatch.setenv(name, value)
    endpoint = msgspec.structs.replace(load_endpoint(find_endpoints()["members"]), calls_per_minute=1)
    collector = Collector(endpoint, Settings.read())
    for account in KEYS:
        event = CloudEvent({"type": "t", "source": "s"}, push_body(message(account=account), message_id="1"))
        assert collector.handle(event).outcome == "ok"
    again = CloudEvent({"type": "t", "source": "s"}, push_body(message(account="red"), message_id="2"))
    with pytest.raises(OutOfTime, match="calls"):
        collector.handle(again)
    assert place.asked() == len(KEYS)

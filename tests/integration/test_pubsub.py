"""Google's Pub/Sub emulator pushes what gcloud publishes to the real functions-framework process."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING

import pytest
from support.processes import until
from support.pubsub import Emulator, emulator

from shared.schedule import duration, floor, slot_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.framework import Function
    from support.world import World


_QUIET = 2.5  # seconds in which a message that was not acknowledged would be back several times
_numbers = count(1)


@pytest.fixture(scope="module")
def pubsub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """Give the running emulator."""
    with emulator(tmp_path_factory.mktemp("pubsub")) as running:
        yield running


@pytest.fixture
def subscribe(pubsub: Emulator) -> Iterator[Callable[..., str]]:
    """Give a way to make a topic that is pushed to a function, until the test ends."""
    made: list[str] = []

    def make(function: Function, *, dead_letters: str | None = None) -> str:
        topic = pubsub.topic(f"{function.name}-{next(_numbers)}")
        made.append(pubsub.push_to(topic, function.url, dead_letters=dead_letters))
        return topic

    yield make
    for subscription in made:
        pubsub.remove(subscription)


def finished(world: World, *outcomes: str) -> None:
    """Wait for these outcomes, and see that after them comes nothing: the message was acknowledged."""
    until(lambda: world.outcomes() == list(outcomes), what=f"outcomes {outcomes}", timeout=30)
    asked, deadline = world.asked(), time.monotonic() + _QUIET
    while time.monotonic() < deadline:
        assert world.outcomes() == list(outcomes)
        time.sleep(0.25)
    assert world.asked() == asked


@pytest.mark.parametrize("name", ["crimes", "items"])
def test_a_message_published_with_gcloud_becomes_rows(
    pubsub: Emulator, subscribe: Callable[..., str], world: World, name: str
) -> None:
    """Published by hand, the run is named by the message, and acknowledged when its rows are there."""
    with world.function(name) as function:
        topic = subscribe(function)
        message = pubsub.gcloud_publish(topic, "{}")
        finished(world, "ok")
    (run,) = world.runs()
    account = "global" if name == "items" else "default"
    assert run["run_id"] == f"{name}/{account}/{message}"
    assert run["message_id"] == message
    assert {row["_run_id"] for row in world.tables(name)[name]} == {run["run_id"]}


def test_a_scheduled_message_is_named_by_its_slot(
    pubsub: Emulator, subscribe: Callable[..., str], world: World
) -> None:
    """As Cloud Scheduler publishes it, the run is named by the slot; published twice, it is one run."""
    every = duration("PT15M")
    with world.function("crimes") as function:
        topic = subscribe(function)
        before = floor(datetime.now(UTC), every)
        message = pubsub.gcloud_publish(topic, "{}", "--attribute=origin=schedule")
        finished(world, "ok")
        (run,) = world.runs()
        slots = {slot_name(before), slot_name(floor(datetime.now(UTC), every))}
        assert run["run_id"].rpartition("/")[2] in slots
        assert run["message_id"] == message
        pubsub.publish(topic, b"{}", origin="schedule")
        if len(slots) == 1 and floor(datetime.now(UTC), every) == before:
            finished(world, "ok", "repeated")


def test_a_failure_is_delivered_again_until_it_is_cured(
    pubsub: Emulator, subscribe: Callable[..., str], world: World
) -> None:
    """While the API fails the message comes back; then its rows are there, once."""
    with world.function("crimes", RUN_TIMEOUT="0.8") as function:
        world.api.faults.add("crimes", "http-503", times=10**6)
        topic = subscribe(function)
        message = pubsub.publish(topic, b"{}")
        until(lambda: world.outcomes()[:2] == ["retry", "retry"], what="two failed deliveries")
        world.api.faults.clear()
        until(lambda: "ok" in world.outcomes(), what="a delivery that succeeds", timeout=60)
        outcomes = world.outcomes()
        finished(world, *outcomes)
    assert outcomes.count("ok") == 1
    assert set(outcomes[:-1]) == {"retry"}
    assert {run["message_id"] for run in world.runs()} == {message}
    ids = [row["id"] for row in world.tables("crimes")["crimes"]]
    assert ids
    assert len(ids) == len(set(ids))


def test_a_refused_message_does_not_come_back(
    pubsub: Emulator, subscribe: Callable[..., str], world: World
) -> None:
    """What may not be asked for is acknowledged and recorded."""
    with world.function("crimes") as function:
        topic = subscribe(function)
        message = pubsub.gcloud_publish(topic, '{"params": {"limit": 1}}')
        finished(world, "refused")
    (run,) = world.runs()
    assert run["message_id"] == message
    assert world.asked() == 0


def test_a_dead_key_does_not_come_back(pubsub: Emulator, subscribe: Callable[..., str], world: World) -> None:
    """What another try cannot cure is acknowledged, recorded as failed, and asked once."""
    with world.function("crimes") as function:
        world.api.faults.add("crimes", "error-13", times=10**6)
        topic = subscribe(function)
        pubsub.publish(topic, b"{}")
        finished(world, "failed")
    assert world.asked() == 1


def test_a_message_that_keeps_failing_becomes_a_dead_letter(
    pubsub: Emulator, subscribe: Callable[..., str], world: World
) -> None:
    """After five deliveries it is set aside whole, with an attempt recorded for each."""
    dead = pubsub.topic(f"dead-{next(_numbers)}")
    letters = pubsub.pull_from(dead, dead.rpartition("/")[2])
    with world.function("crimes", RUN_TIMEOUT="0.4") as function:
        world.api.faults.add("crimes", "http-503", times=10**6)
        topic = subscribe(function, dead_letters=dead)
        message = pubsub.publish(topic, b'{"params": {"cat": "completed"}}', origin="test")
        letter = pubsub.pulled(letters, timeout=60)
        finished(world, *["retry"] * 5)
    assert letter.data == b'{"params": {"cat": "completed"}}'
    assert letter.attributes["origin"] == "test"
    assert {run["message_id"] for run in world.runs()} == {message}
    assert {run["run_id"] for run in world.runs()} == {f"crimes/default/{message}"}

"""A message that asks for what is not allowed is acknowledged, recorded as refused, and never retried."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from support.framework import Function, push_body
from support.world import World

from shared.simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Iterator

Place = tuple[World, Function]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Give one process for all of these messages: a refused one costs the API nothing."""
    with Simulator(calls_per_minute=10_000) as api:
        world = World(tmp_path_factory.mktemp("messages"), api)
        with world.function("crimes") as function:
            yield world, function


REFUSED = {
    "not-json": (b"collect, please", "not what is allowed"),
    "not-utf8": (b"\xff\xfe{}", "not what is allowed"),
    "a-list": (b"[]", "not what is allowed"),
    "a-number": (b"7", "not what is allowed"),
    "half": (b'{"params": {', "not what is allowed"),
    "unknown-field": (b'{"accuont": "default"}', "accuont"),
    "forbidden-override": (b'{"params": {"limit": 5}}', "limit"),
    "override-of-the-key": (b'{"params": {"key": "abcdefgh"}}', "key"),
    "override-of-the-timestamp": (b'{"params": {"timestamp": 1}}', "timestamp"),
    "override-that-is-a-list": (b'{"params": {"cat": ["all"]}}', "params"),
    "override-with-a-query": (b'{"params": {"cat": "all&key=1"}}', "characters"),
    "override-with-a-line-end": (b'{"params": {"cat": "all\\n"}}', "characters"),
    "unknown-account": (b'{"account": "other"}', "other"),
    "half-a-window": (b'{"from": "2026-11-01"}', "both"),
    "window-backwards": (b'{"from": "2026-11-02", "to": "2026-11-01"}', "before it begins"),
    "window-of-words": (b'{"from": "yesterday", "to": "today"}', "yesterday"),
    "deep": (b'{"params": ' * 2000 + b"1" + b"}" * 2000, "not what is allowed"),
    "10-megabytes": (b'{"params": {"cat": "' + b"x" * (10 << 20) + b'"}}', "65536"),
    # More than Pub/Sub takes at all; the framework has no limit of its own and passes it on.
    "13-megabytes": (b'{"params": {"cat": "' + b"x" * (13 << 20) + b'"}}', "65536"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_message_is_acknowledged_and_recorded(place: Place, name: str) -> None:
    """The answer is 200, the ledger says why and what to send instead, the API is not asked."""
    world, function = place
    data, why = REFUSED[name]
    asked = world.asked()
    assert function.deliver(data, message_id=name) == 200
    assert world.asked() == asked
    (run,) = [run for run in world.runs() if run["message_id"] == name]
    assert run["outcome"] == "refused"
    assert run["error_class"] == "MessageRefused"
    assert why in run["error_message"]
    assert len(run["error_message"]) < 2_001
    assert run["next_step"]
    (line,) = [line for line in function.lines() if line["run"].get("message_id") == name]
    assert line["severity"] == "ERROR"
    assert len(json.dumps(line)) < 16_384, "a log line is no place for a message of ten megabytes"


def test_a_message_refused_twice_is_recorded_twice(place: Place) -> None:
    """Each delivery is an attempt of its own in the ledger."""
    world, function = place
    assert function.deliver(b"no", message_id="twice") == 200
    assert function.deliver(b"no", message_id="twice") == 200
    attempts = [run["attempt"] for run in world.runs() if run["message_id"] == "twice"]
    assert len(set(attempts)) == 2


@pytest.mark.parametrize("data", [b"{}", b" ", b"\n", b'{"account": "default"}', b'{"params": {}}'])
def test_a_message_that_asks_for_nothing_special_is_collected(place: Place, data: bytes) -> None:
    """An empty object and white space alone ask for what endpoint.yaml says."""
    world, function = place
    name = f"plain-{data.hex()}"
    assert function.deliver(data, message_id=name) == 200
    (run,) = [run for run in world.runs() if run["message_id"] == name]
    assert run["outcome"] == "ok"


def test_an_allowed_override_reaches_the_api(place: Place) -> None:
    """What a message may set is sent, and recorded."""
    world, function = place
    assert function.deliver(b'{"params": {"cat": "completed"}}', message_id="override") == 200
    assert "cat=completed" in world.api.requests[-1].query
    (run,) = [run for run in world.runs() if run["message_id"] == "override"]
    assert json.loads(run["params"]) == {"cat": "completed"}


def test_a_backfill_is_named_by_its_window(place: Place) -> None:
    """Two messages for one window are one run."""
    world, function = place
    for name in ("backfill-1", "backfill-2"):
        assert (
            function.deliver(b'{"from": "2026-11-01", "to": "2026-11-03T12:00:00Z"}', message_id=name) == 200
        )
    runs = [run for run in world.runs() if (run["message_id"] or "").startswith("backfill")]
    assert {run["run_id"] for run in runs} == {"crimes/default/20261101T0000Z-20261103T1200Z"}
    assert [run["outcome"] for run in runs] == ["ok", "repeated"]


def without_data(message_id: str) -> bytes:
    body = push_body(message_id=message_id)
    del body["message"]["data"]
    return json.dumps(body).encode()


def empty_data(message_id: str) -> bytes:
    body = push_body(message_id=message_id)
    body["message"]["data"] = ""
    return json.dumps(body).encode()


def bad_base64(message_id: str) -> bytes:
    body = push_body(message_id=message_id)
    body["message"]["data"] = "e3!0="
    return json.dumps(body).encode()


def test_empty_data_asks_for_nothing_special(place: Place) -> None:
    """An empty `data` reaches the function, and is as good as an empty object."""
    world, function = place
    assert function.post(empty_data("empty"))[0] == 200
    (run,) = [run for run in world.runs() if run["message_id"] == "empty"]
    assert run["outcome"] == "ok"


def test_data_that_is_not_base64_is_refused(place: Place) -> None:
    """The framework passes it on; it is acknowledged and recorded as any refused message."""
    world, function = place
    assert function.post(bad_base64("base64"))[0] == 200
    (run,) = [run for run in world.runs() if run["message_id"] == "base64"]
    assert run["outcome"] == "refused"
    assert "base64" in run["error_message"]


@pytest.mark.parametrize(
    "body",
    [without_data("none"), b"", b"no JSON", b"{}", b"x" * (13 << 20)],
    ids=["no-data", "no-body", "no-json", "no-message", "13-megabytes"],
)
def test_what_the_framework_itself_refuses(place: Place, body: bytes) -> None:
    """Such a body is no Pub/Sub message: it never reaches the function, which goes on serving."""
    world, function = place
    before = len(world.runs())
    assert function.post(body)[0] == 400
    assert len(world.runs()) == before
    assert function.deliver(b"no", message_id="after") == 200

"""A process may be killed at any step; the message's next delivery makes the tables as if it had run once."""

from __future__ import annotations

import http.client
import signal
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import pytest
from support.processes import killing
from support.world import Clock, World

from shared.simulator import FactionSize, Simulator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Rows = dict[str, list[dict[str, object]]]

BASE = 1_790_115_200
FIRST = datetime.fromtimestamp(BASE, UTC)
SECOND = FIRST + timedelta(hours=7)
SIZE = FactionSize(crimes=110)
RAN_ONCE = ("server_timestamp",)


class Step(NamedTuple):
    """A line that is logged at a step's end, and what is there already when it is."""

    endpoint: str
    line: str
    manifest: bool
    committed: bool = False


STEPS = [
    Step("crimes", "page 1 of crimes", manifest=False),
    Step("crimes", "page 2 of crimes", manifest=False),
    Step("crimes", "fetched", manifest=False),
    Step("crimes", "manifest written", manifest=True),
    Step("crimes", "writing", manifest=True),
    Step("crimes", "wrote crimes:", manifest=True),
    Step("crimes", "wrote crimes_slots:", manifest=True),
    Step("crimes", "recording", manifest=True),
    Step("crimes", "committed", manifest=True, committed=True),
    Step("items", "page 1 of items", manifest=False),
    Step("items", "fetched", manifest=False),
    Step("items", "manifest written", manifest=True),
    Step("items", "writing", manifest=True),
    Step("items", "wrote items:", manifest=True),
    Step("items", "recording", manifest=True),
    Step("items", "committed", manifest=True, committed=True),
]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[World]:
    """Give a place whose faction shows the same in every test of this file."""
    clock = Clock(BASE)
    with Simulator(clock=clock, faction=SIZE, prices="shops", calls_per_minute=10_000) as api:
        yield World(tmp_path, api, clock=clock)


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Rows]]:
    """Give the tables as two runs leave them that nothing disturbs."""
    clock = Clock(BASE)
    found = {}
    with Simulator(clock=clock, faction=SIZE, prices="shops", calls_per_minute=10_000) as api:
        for endpoint in ("crimes", "items"):
            clock.now = BASE
            there = World(tmp_path_factory.mktemp(endpoint), api)
            with there.function(endpoint) as function:
                assert function.deliver(message_id="first", published=FIRST) == 200
                clock.now = SECOND.timestamp()
                assert function.deliver(message_id="second", published=SECOND) == 200
            found[endpoint] = there.tables(endpoint, without=RAN_ONCE)
            assert there.outcomes() == ["ok", "ok"]
        yield found


@pytest.mark.parametrize("step", STEPS, ids=[f"{step.endpoint}-{step.line.strip(':')}" for step in STEPS])
def test_killed_after_a_step_and_delivered_again(place: World, clean: dict[str, Rows], step: Step) -> None:
    """Over an older state, a run is killed and delivered again: rows and ledger are as of a clean run."""
    run_id = f"{step.endpoint}/{'global' if step.endpoint == 'items' else 'default'}/second"
    deadly = killing(place.folder / "kill", step.line, time=2)
    with place.function(step.endpoint, **deadly) as function:
        assert function.deliver(message_id="first", published=FIRST) == 200
        before = place.tables(step.endpoint)
        place.clock.now = SECOND.timestamp()
        with pytest.raises((ConnectionError, http.client.HTTPException)):
            function.deliver(message_id="second", published=SECOND)
        assert function.wait() == -signal.SIGKILL
    assert (run_id in place.manifests()) == step.manifest
    assert place.outcomes(run_id) == (["ok"] if step.committed else [])
    if not step.committed:
        assert place.tables(step.endpoint) == before
    asked = place.asked()

    with place.function(step.endpoint) as function:
        assert function.deliver(message_id="second", published=SECOND) == 200
        if step.manifest:
            assert place.asked() == asked, "what was read once is not asked for again"
    assert place.outcomes(run_id) == (["ok", "repeated"] if step.committed else ["ok"])
    assert place.tables(step.endpoint, without=RAN_ONCE) == clean[step.endpoint]

    # A warehouse of its own, filled from the same archive without any disturbance: equal to the last column.
    undisturbed = place.beside("undisturbed", copy_archive=True)
    undisturbed.collect(step.endpoint, message_id="first", published=FIRST)
    undisturbed.collect(step.endpoint, message_id="second", published=SECOND)
    assert place.tables(step.endpoint) == undisturbed.tables(step.endpoint)

"""Several endpoints at once, each in its own process: what one does holds up no other."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import threading
import time
from typing import TYPE_CHECKING

import pytest
from support.processes import BIN, alive, until
from support.world import World

from shared.cli.local import Local
from shared.cli.processes import collect_all
from shared.cli.progress import Progress
from shared.cli.work import Work
from shared.settings import Settings
from shared.simulator import FOREVER, Fault, Simulator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def place(tmp_path: Path) -> Iterator[World]:
    """Give a place whose API counts no calls."""
    with Simulator(calls_per_minute=10_000) as api:
        yield World(tmp_path, api, measured=True)


def run(place: World, *words: str, code: int = 0, **changes: str | None) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [BIN / "tcdatalogger", "run", *words], env=place.environ(**changes), cwd=place.folder,
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def test_all_are_collected_with_a_line_each(place: World) -> None:
    """One progress line per endpoint, one summary in the order of the endpoints, all rows there."""
    done = run(place, "--all")
    lines = [line for line in done.stderr.splitlines() if ": ok, " in line]
    names = ["basic", "crimes", "currency", "faction_currency", "items", "members"]
    assert sorted(line.split(":")[0] for line in lines) == names
    told = [line.split("\t")[2] for line in done.stdout.splitlines()[1:] if "\t" in line]
    assert list(dict.fromkeys(told)) == names
    assert place.outcomes() == ["ok"] * 6


class Deadly(Progress):
    """Kills the process of an endpoint when it has read a page, as a machine short of memory would."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint

    def page(self, label: str, number: int, size: int) -> None:  # noqa: ARG002 - what is told of
        for process in multiprocessing.active_children():
            if process.name == label == self._endpoint:
                process.kill()


def test_one_that_is_killed_is_told_and_the_others_are_collected(
    place: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that dies is told with how it ended; what it was about is not written."""
    monkeypatch.setenv("TORN_API_KEY", place.key)
    place.api.faults.add("raids", Fault.named("slow", amount=2.0), times=1)
    here = Local(Settings.read(place.environ()), simulated=False)
    queue = [Work(endpoint="basic"), Work(endpoint="items"), Work(endpoint="members")]
    ended = {one.work.endpoint: one for one in collect_all(queue, here, Deadly("basic"))}
    assert {name: one.outcome for name, one in ended.items()} == {
        "basic": "died", "items": "ok", "members": "ok",
    }  # fmt: skip
    assert "the process was ended by SIGKILL" in ended["basic"].error
    assert sorted(run_["endpoint"] for run_ in place.runs()) == ["items", "members"]


def test_one_that_hangs_is_stopped_and_holds_up_no_other(
    place: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others end while it hangs; it is ended at its deadline."""
    place.api.faults.add("crimes", "timeout", times=FOREVER)
    monkeypatch.setenv("TORN_API_KEY", place.key)
    # Longer than the run allows itself: what is tested is that even a process without a bound is ended.
    settings = Settings.read(place.environ(RUN_TIMEOUT="100"))
    monkeypatch.setattr("shared.cli.processes.limit", lambda _here: 15.0)
    ended = {}
    began = time.monotonic()
    queue = [Work(endpoint="crimes"), Work(endpoint="items"), Work(endpoint="members")]
    for one in collect_all(queue, Local(settings, simulated=False), Progress()):
        ended[one.work.endpoint] = (one.outcome, time.monotonic() - began)
    assert {name: outcome for name, (outcome, _) in ended.items()} == {
        "crimes": "hung", "items": "ok", "members": "ok",
    }  # fmt: skip
    assert list(ended)[-1] == "crimes"
    assert place.outcomes() == ["ok", "ok"]


def test_no_more_at_once_than_asked_for(place: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work waits for a place; all of it is done."""
    monkeypatch.setenv("TORN_API_KEY", place.key)
    here = Local(Settings.read(place.environ()), simulated=False)
    begun: list[str] = []
    finished: list[str] = []

    class Told(Progress):
        def begin(self, label: str) -> None:
            begun.append(label)
            assert len(begun) - len(finished) <= 2

        def end(self, ended) -> None:
            finished.append(ended.work.label)

    queue = [Work(endpoint=name) for name in ("items", "members", "currency", "faction_currency", "crimes")]
    outcomes = [one.outcome for one in collect_all(queue, here, Told(), at_once=2)]
    assert outcomes == ["ok"] * 5
    assert sorted(begun) == sorted(finished)


def test_ctrl_c_ends_all_of_them(place: World) -> None:
    """Pressed while all are at work: one line, exit code 130, and no process is left."""
    for name in ("crimes", "items", "members"):
        place.api.faults.add(name, "timeout", times=FOREVER)
    process = subprocess.Popen(
        [BIN / "tcdatalogger", "run", "crimes", "items", "members"], env=place.environ(), cwd=place.folder,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    said: list[str] = []
    reader = threading.Thread(target=lambda: said.extend(process.communicate(timeout=60)))
    reader.start()
    try:
        until(lambda: place.asked() >= 3, what="three processes at work", timeout=30)
        os.killpg(process.pid, signal.SIGINT)
        reader.join(30)
        assert process.returncode == 130
        until(lambda: not alive(process.pid), what="every process gone", timeout=10)
    finally:
        if alive(process.pid):
            os.killpg(process.pid, signal.SIGKILL)
        reader.join()
    assert said[1].strip().splitlines()[-1] == "stopped; what was not finished was not written"
    assert "Traceback" not in said[1]

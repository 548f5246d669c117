"""`tcdatalogger up`: runs at their slots, never twice at a time, until it is told to stop."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Self

import duckdb
import pytest
from support.processes import BIN, alive, until
from support.world import World, accounts

from shared.cli.local import Local
from shared.cli.scheduler import Beat, Scheduler
from shared.cli.work import Ended, Work
from shared.schedule import duration, floor
from shared.settings import Settings
from shared.simulator import Fault, Simulator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

QUARTER = duration("PT15M")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[World]:
    """Give a place whose API counts no calls."""
    with Simulator(calls_per_minute=10_000) as api:
        yield World(tmp_path, api, measured=True)


class Up:
    """The command in a process group of its own, and what it says."""

    def __init__(self, place: World, *words: str, **changes: str | None) -> None:
        self.process = subprocess.Popen(
            [BIN / "tcdatalogger", "up", *words], env=place.environ(**changes), cwd=place.folder,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )  # fmt: skip
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)
        self._reader.join(10)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def says(self, *words: str) -> None:
        """Wait for a line that holds all the words."""
        until(
            lambda: any(all(word in line for word in words) for line in self.lines),
            what=f"{words} in {self.lines}", timeout=40,
        )  # fmt: skip

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Press Ctrl-C: the terminal tells the whole group."""
        os.killpg(self.process.pid, number)
        return self.process.wait(40)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_collects_the_slot_of_now_and_ends_cleanly(place: World, number: signal.Signals) -> None:
    """The slot that is not recorded yet runs at once; Ctrl-C ends it with 0, and nothing is left."""
    with Up(place, "members", "currency") as up:
        up.says("members", "ok, ", "members in")
        up.says("currency", "ok, 1 currency")
        assert up.stop(number) == 0
        assert "Traceback" not in "\n".join(up.lines)
        until(lambda: not alive(up.process.pid), what="every process gone", timeout=10)
    runs = {run["endpoint"]: run for run in place.runs()}
    assert runs["members"]["slot"] is not None
    assert runs["members"]["run_id"].startswith("members/default/")
    assert runs["currency"]["run_id"].startswith("currency/global/")


def test_a_restart_goes_on_where_the_ledger_says(place: World) -> None:
    """A slot that is recorded is not collected again, and the API is not asked."""
    slot = floor(datetime.now(UTC), QUARTER)
    with Up(place, "members") as up:
        up.says("members", "ok, ")
        assert up.stop() == 0
    asked = place.asked()
    with Up(place, "members") as up:
        up.says("members: ")
        if floor(datetime.now(UTC), QUARTER) == slot:
            assert "is recorded; then" in up.lines[0]
            time.sleep(1)
            assert place.asked() == asked
        assert up.stop() == 0


def test_slots_that_were_left_out_are_told(place: World) -> None:
    """After a pause it says how many, and whether what they would have shown can still be had."""
    long_ago = floor(datetime.now(UTC), QUARTER) - 5 * QUARTER
    for endpoint in ("crimes", "members"):
        with place.function(endpoint) as function:
            assert function.deliver(message_id="1", scheduled=True) == 200
        with duckdb.connect(str(place.database)) as connection:
            connection.execute(
                "UPDATE runs SET slot = ?, run_id = 'long-ago' WHERE endpoint = ?", [long_ago, endpoint]
            )
    with Up(place, "crimes", "members") as up:
        up.says("crimes", "ok, ")
        up.says("members", "ok, ")
        assert up.stop() == 0
    told = [line for line in up.lines if "were not collected" in line]
    assert ["this run reads what they would have" in line for line in told] == [True, False]
    assert "the API shows only now" in told[1]


def test_every_account_has_its_own_beat(place: World) -> None:
    """Each faction is collected under its own name, and what is global once."""
    settings, _ = accounts(["red", "blue"])
    with Up(place, "members", "currency", **settings) as up:
        for words in (("members/red", "ok, "), ("members/blue", "ok, "), ("currency", "ok, ")):
            up.says(*words)
        assert up.stop() == 0
    assert {run["run_id"].rpartition("/")[0] for run in place.runs()} == {
        "members/red", "members/blue", "currency/global",
    }  # fmt: skip


class Beats:
    """A scheduler in this process with beats of seconds."""

    def __init__(self, place: World, monkeypatch: pytest.MonkeyPatch, **options: float) -> None:
        monkeypatch.setenv("TORN_API_KEY", place.key)
        self.ended: list[tuple[Ended, datetime, float | None]] = []
        self.stop = threading.Event()
        here = Local(Settings.read(place.environ(RUN_TIMEOUT="5")), simulated=False)
        self.scheduler = Scheduler(here, self.stop, lambda *how: self.ended.append(how), **options)

    def add(self, endpoint: str, seconds: int, *, at_once: bool = False) -> None:
        every = timedelta(seconds=seconds)
        work = Work(endpoint=endpoint)
        self.scheduler.add(Beat(work=work, every=every, run=endpoint), at_once=at_once)


def test_beats_are_aligned_to_their_slots(place: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each run begins with its slot, at whole multiples of its interval since midnight."""
    beats = Beats(place, monkeypatch)
    with beats.scheduler:
        beats.add("members", 2)
        until(lambda: len(beats.ended) >= 3, what="three beats", timeout=30)
    slots = [slot for _, slot, _ in beats.ended]
    assert all(slot.second % 2 == 0 and slot.microsecond == 0 for slot in slots)
    assert len(set(slots)) == len(slots)
    assert {ended.outcome for ended, _, _ in beats.ended} <= {"ok", "repeated"}


def test_an_endpoint_does_not_overlap_itself(place: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a run lasts longer than its interval, the slots that begin meanwhile are left out."""
    place.api.faults.add("items", Fault.named("slow", amount=3.0), times=1)
    beats = Beats(place, monkeypatch)
    with beats.scheduler:
        beats.add("items", 1)
        beats.add("members", 1)
        until(lambda: any(e.work.endpoint == "items" for e, _, _ in beats.ended), what="items", timeout=30)
        early = [ended.work.endpoint for ended, _, _ in beats.ended]
    assert early.count("items") == 1
    assert early.count("members") >= 2, "another endpoint is not held up"


def test_what_may_pass_is_tried_again_in_its_slot(place: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Pub/Sub would: ever later, under the same name, until it is well."""
    place.api.faults.add("members", "error-5", times=2)
    beats = Beats(place, monkeypatch, pause=0.3)
    with beats.scheduler:
        beats.add("members", 900, at_once=True)
        until(lambda: any(e.outcome == "ok" for e, _, _ in beats.ended), what="ok", timeout=30)
    assert [(e.outcome, again) for e, _, again in beats.ended] == [
        ("retry", 0.3), ("retry", 0.6), ("ok", None),
    ]  # fmt: skip
    assert len({run["run_id"] for run in place.runs()}) == 1


def test_what_cannot_be_cured_waits_for_its_next_slot(place: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dead key is not asked with again."""
    place.api.faults.add("members", "error-13", times=10)
    beats = Beats(place, monkeypatch, pause=0.1)
    with beats.scheduler:
        beats.add("members", 900, at_once=True)
        until(lambda: bool(beats.ended), what="an end", timeout=30)
        time.sleep(0.5)
    assert [(e.outcome, again) for e, _, again in beats.ended] == [("failed", None)]
    assert place.asked() == 1

"""The call budget: never more than so many calls in any rolling minute."""

from __future__ import annotations

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.budget import Budget
from shared.errors import OutOfTime, RetrySoon

FOREVER = float("inf")


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self, now=1000.0):
        self.now = now

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        assert seconds > 0
        self.now += seconds


@given(
    calls=st.integers(1, 7),
    pauses=st.lists(st.floats(0, 90, allow_nan=False), min_size=1, max_size=60),
)
def test_no_rolling_minute_ever_holds_more_calls(calls, pauses):
    """However the calls are spread, no window of a minute that begins with a call holds too many."""
    clock = Clock()
    budget = Budget(calls, clock=clock, sleep=clock.sleep)
    made = []
    for pause in pauses:
        clock.now += pause
        before = clock.now
        waited = budget.take(deadline=FOREVER)
        assert clock.now == pytest.approx(before + waited)
        made.append(clock.now)
    for begin in made:
        inside = [at for at in made if begin <= at < begin + 60 - 1e-6]
        assert len(inside) <= calls


@given(st.lists(st.floats(0, 200, allow_nan=False), min_size=1, max_size=40))
def test_a_call_that_is_free_is_never_held_up(pauses):
    """A call waits only when the minute before it is full."""
    clock = Clock()
    budget = Budget(3, clock=clock, sleep=clock.sleep)
    made = []
    for pause in pauses:
        clock.now += pause
        before = clock.now
        full = sum(before - 60 < at for at in made) >= 3
        assert (budget.take(deadline=FOREVER) > 0) == full
        made.append(clock.now)


def test_the_deadline_comes_first():
    """A token that comes only after the deadline is refused, not waited for, and not used up."""
    clock = Clock()
    budget = Budget(1, clock=clock, sleep=clock.sleep)
    budget.take(deadline=FOREVER)
    with pytest.raises(OutOfTime, match="calls_per_minute") as refused:
        budget.take(deadline=clock.now + 59.9)
    assert isinstance(refused.value, RetrySoon)
    assert clock.now == 1000.0
    assert budget.take(deadline=clock.now + 60) == 60


def test_threads_wait_in_turn():
    """Threads that share a key share its budget: two calls at once, two a minute later, and so on."""
    budget = Budget(2, clock=lambda: 5.0, sleep=lambda _seconds: None)
    waits, lock = [], threading.Lock()

    def call():
        waited = budget.take(deadline=FOREVER)
        with lock:
            waits.append(waited)

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(waits) == [0, 0, 60, 60, 120, 120, 180, 180]


def test_real_time_is_really_waited_for():
    """Without injected seams the wait takes as long as it says."""
    budget = Budget(1, period=0.05)
    began = time.monotonic()
    for _ in range(3):
        budget.take(deadline=FOREVER)
    assert time.monotonic() - began >= 0.1


def test_waiting_does_not_keep_others_from_asking():
    """A caller that waits for its token holds no lock: another is told at once that it is too late."""
    asleep, wake = threading.Event(), threading.Event()

    def sleep(_seconds):
        asleep.set()
        wake.wait(5)

    budget = Budget(1, clock=lambda: 5.0, sleep=sleep)
    budget.take(deadline=FOREVER)
    waiting = threading.Thread(target=budget.take, kwargs={"deadline": FOREVER})
    waiting.start()
    try:
        assert asleep.wait(5)
        with pytest.raises(OutOfTime):
            budget.take(deadline=70)
    finally:
        wake.set()
        waiting.join()

"""Beats: a run at every slot, aligned as Cloud Scheduler's are. APScheduler does the timing.

One endpoint never overlaps itself: a run that is not done when its next slot begins is left to end,
and that slot is left out, as the ledger will show. A run that failed in a way that may pass is
tried again, ever later, until the next slot.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Self

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from shared.cli.processes import Child
from shared.schedule import floor

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from shared.cli.local import Local
    from shared.cli.work import Ended, Work

__all__ = ["Beat", "Scheduler"]

#: Seconds until a failed run is tried again: as Pub/Sub's retry policy, 10 to 600.
_AGAIN, _LATEST = 10.0, 600.0
#: Seconds that a run has to end in when all is to stop.
_PATIENCE = 10.0
_LOOK = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """One endpoint for one account, its interval, and what its runs' names begin with."""

    work: Work
    every: timedelta
    run: str


class Scheduler:
    """Runs beats until it is left.

    Args:
        here: Where to collect.
        stop: Set when all is to stop.
        say: Called with how a run ended, its slot, and the seconds until it is tried again, if it is.
        pause: Seconds until a failed run is first tried again; then twice as many, and so on.
    """

    def __init__(
        self,
        here: Local,
        stop: threading.Event,
        say: Callable[[Ended, datetime, float | None], None],
        *,
        pause: float = _AGAIN,
    ) -> None:
        self._pause = pause
        self._here = here
        self._stop = stop
        self._say = say
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(64)},
            # A laptop that slept through slots runs once when it wakes, for the slot that it wakes in.
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    def __enter__(self) -> Self:
        self._scheduler.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._scheduler.shutdown(wait=True)

    def add(self, beat: Beat, *, at_once: bool) -> None:
        """Add a beat; ``at_once`` runs the slot of this moment too."""
        now = datetime.now(UTC)
        first = floor(now, beat.every)
        self._scheduler.add_job(
            self._run,
            IntervalTrigger(seconds=int(beat.every.total_seconds()), start_date=first, timezone=UTC),
            args=[beat],
            id=beat.run,
            next_run_time=now if at_once else first + beat.every,
        )

    def _run(self, beat: Beat) -> None:
        slot = floor(datetime.now(UTC), beat.every)
        pause = self._pause
        while not self._stop.is_set():
            ended = self._once(beat, slot)
            if ended is None:
                return
            left = (slot + beat.every - datetime.now(UTC)).total_seconds()
            again = pause if ended.outcome in {"retry", "died"} and pause < left else None
            self._say(ended, slot, again)
            if again is None or self._stop.wait(again):
                return
            pause = min(2 * pause, _LATEST)

    def _once(self, beat: Beat, slot: datetime) -> Ended | None:
        """Run one slot in a process; None when it was stopped before it ended."""
        child = Child.start(beat.work.at(slot), self._here)
        patience = child.deadline
        while True:
            if self._stop.is_set():
                patience = min(patience, time.monotonic() + _PATIENCE)
            if child.pipe.poll(_LOOK):
                if child.receive(lambda *_: None):
                    return child.result(hung=False)
            elif time.monotonic() > patience:
                child.kill()
                return None if self._stop.is_set() else child.result(hung=True)

"""Each endpoint in a process of its own, so that one that hangs or dies holds up no other.

The processes are forked from a server that has imported everything once and started nothing, so
that one more costs a few milliseconds.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections import deque
from dataclasses import dataclass
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any

from shared.cli.work import Ended, Work, collect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

    from shared.archive import Page
    from shared.cli.local import Local
    from shared.cli.progress import Progress

__all__ = ["Child", "collect_all", "limit"]

#: At once; each takes some 100 MB, and they share the API's budget and the database.
_AT_ONCE = 8
#: Seconds that a process has beyond what its settings allow it.
_GRACE = 30.0


def limit(here: Local) -> float:
    """Return the seconds after which a process hangs: its run's, its wait for the database's, and a grace."""
    return here.settings.run_timeout + here.settings.warehouse_wait + _GRACE


@dataclass(slots=True)
class Child:
    """A process that does one piece of work."""

    work: Work
    process: BaseProcess
    pipe: Connection
    deadline: float
    ended: Ended | None = None

    @classmethod
    def start(cls, work: Work, here: Local) -> Child:
        """Start the process."""
        context = _context()
        pipe, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_work, args=(work, here, theirs), name=work.label, daemon=True)
        process.start()
        theirs.close()
        return cls(work, process, pipe, time.monotonic() + limit(here))

    def receive(self, told: Callable[[str, int, int], None]) -> bool:
        """Take what the process says; return whether it has ended."""
        try:
            said = self.pipe.recv()
        except (EOFError, OSError):
            self.process.join()
            return True
        if isinstance(said, Ended):
            self.ended = said
        else:
            told(self.work.label, *said)
        return False

    def kill(self) -> None:
        """End a process that does not end by itself."""
        self.process.terminate()
        self.process.join(5)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()

    def result(self, *, hung: bool) -> Ended:
        """Return how it ended, also when the process did not live to say so."""
        self.pipe.close()
        if self.ended is not None:
            return self.ended
        code = self.process.exitcode
        how = f"by {signal.Signals(-code).name}" if code is not None and code < 0 else f"with {code}"
        return Ended(
            work=self.work,
            outcome="hung" if hung else "died",
            error="the process did not end in its time and was stopped"
            if hung
            else f"the process was ended {how}",
            next_step="nothing was written by halves; run it again (LOG_LEVEL=DEBUG shows its steps)",
        )


def collect_all(
    queue: Iterable[Work], here: Local, progress: Progress, *, at_once: int = _AT_ONCE
) -> Iterator[Ended]:
    """Do all the work, some pieces at a time, each in its own process; yield each as it ends."""
    todo = deque(queue)
    running: list[Child] = []
    try:
        while todo or running:
            while todo and len(running) < at_once:
                progress.begin(todo[0].label)
                running.append(Child.start(todo.popleft(), here))
            first = min(child.deadline for child in running)
            ready = wait([child.pipe for child in running], max(0.0, first - time.monotonic()))
            for child in list(running):
                hung = time.monotonic() > child.deadline
                if child.pipe in ready:
                    if not child.receive(progress.page):
                        continue
                elif not hung:
                    continue
                else:
                    child.kill()
                running.remove(child)
                ended = child.result(hung=hung)
                progress.end(ended)
                yield ended
    finally:
        for child in running:
            child.kill()


def _context() -> Any:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["shared.cli.preload"])
    return context


def _work(work: Work, here: Local, pipe: Connection) -> None:
    # A terminal's Ctrl-C reaches every process of the group; whoever started this one ends it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(143))
    here.configure()

    def on_page(page: Page, number: int) -> None:
        pipe.send((number, page.bytes))

    pipe.send(collect(work, here, on_page))
    pipe.close()

"""Jobs that take turns: each round runs every job once, so that all meet the same neighbours."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field, replace
from statistics import median
from typing import TYPE_CHECKING

from .processes import run

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from .processes import Outcome

__all__ = ["Job", "Rounds", "flattening", "take_turns"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A command to measure. With ``tells``, its last line is JSON whose cpu and peak_mb count instead."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    tells: bool = False

    def measure(self) -> Outcome:
        """Run it once."""
        outcome = run(self.command, env=self.env)
        if not self.tells:
            return outcome
        found = json.loads(outcome.printed.splitlines()[-1])
        cpu = found.get("cpu", outcome.cpu)
        return replace(outcome, cpu=cpu, peak_mb=found.get("peak_mb", outcome.peak_mb), found=found)


def flattening(name: str, python: str, way: str, *files: Path) -> Job:
    """Return the job of flattening files of pages in one way."""
    command = (python, "-m", "tests.performance.worker", way, *map(str, files))
    return Job(name=name, command=command, tells=True)


class Rounds:
    """The outcomes of jobs that took turns, the n-th of each from one round."""

    def __init__(self, outcomes: Mapping[str, Sequence[Outcome]]) -> None:
        self.outcomes = outcomes

    def cpu(self, name: str) -> float:
        """Return a job's median CPU seconds."""
        return median(outcome.cpu for outcome in self.outcomes[name])

    def peak(self, name: str) -> float:
        """Return a job's median peak memory in MB."""
        return median(outcome.peak_mb for outcome in self.outcomes[name])

    def ratios(self, name: str, base: str) -> list[float]:
        """Return a job's CPU over another's, round by round, in order of size."""
        pairs = zip(self.outcomes[name], self.outcomes[base], strict=True)
        return sorted(one.cpu / other.cpu for one, other in pairs)

    def ratio(self, name: str, base: str) -> float:
        """Return the median of the rounds' ratios."""
        return median(self.ratios(name, base))

    def wall_ratio(self, name: str, base: str) -> float:
        """Return the median of the rounds' ratios of the seconds that passed."""
        pairs = zip(self.outcomes[name], self.outcomes[base], strict=True)
        return median(one.wall / other.wall for one, other in pairs)

    def raw(self) -> dict[str, dict[str, list[float]]]:
        """Return every measurement, to keep."""
        return {
            name: {key: [getattr(one, key) for one in outcomes] for key in ("cpu", "peak_mb", "wall")}
            for name, outcomes in self.outcomes.items()
        }


def take_turns(
    jobs: Sequence[Job], count: int, *, check: Callable[[str, Outcome], None] | None = None
) -> Rounds:
    """Run every job in each of ``count`` rounds, each round beginning with another one.

    Args:
        jobs: What to measure.
        count: Rounds.
        check: Is given each outcome, to refuse one that has not done the work.
    """
    outcomes: dict[str, list[Outcome]] = {job.name: [] for job in jobs}
    for number in range(count):
        first = number % len(jobs)
        for job in [*jobs[first:], *jobs[:first]]:
            _say(f"  round {number + 1} of {count}: {job.name}")
            outcome = job.measure()
            if check is not None:
                check(job.name, outcome)
            outcomes[job.name].append(outcome)
    _say("")
    return Rounds(outcomes)


def _say(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)

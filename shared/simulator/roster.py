"""Know who was in the faction when: chairs, and the people who sit in them one after another.

A pure function of the seed and the clock. The first chairs are the council's, who founded the faction and
never leave; every other chair is empty for some days between two occupants.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from shared.simulator.chance import between, draw
from shared.simulator.people import Person

__all__ = ["COUNCIL", "Roster", "Tenure"]

COUNCIL = 8  # chairs: leader, co-leader and six more, enough for the largest crime at any moment
_DAY = 86_400
_SHORTEST, _RATIO = 90 * _DAY, 13  # a chair's tenures last 90 days to 13 times that, as its owner's habit is
_UNEVEN = 0.3  # of a tenure, by which its end moves


@dataclass(frozen=True, slots=True)
class Tenure:
    """Say that a person is a member from ``joined_at`` until just before ``left_at``, if ever."""

    person: Person
    id: int
    joined_at: int
    left_at: int | None

    def covers(self, start: float, end: float) -> bool:
        """Tell whether the person is a member at both moments and between."""
        return self.joined_at <= start and (self.left_at is None or end < self.left_at)


@dataclass(frozen=True)
class Roster:
    """Seat people in ``chairs``, from the faction's founding on."""

    seed: int
    chairs: int
    founded_at: int
    _known: dict[tuple[int, int], Tenure] = field(default_factory=dict, compare=False, repr=False)
    _rhythms: dict[int, tuple[float, float]] = field(default_factory=dict, compare=False, repr=False)

    def tenure(self, chair: int, at: float) -> Tenure | None:
        """Find who sits in a chair at a moment."""
        if chair < COUNCIL:
            return self.founder(chair)
        tenure = self._turn(chair, self._turn_at(chair, at))
        return tenure if tenure.covers(at, at) else None

    def member(self, chair: int, start: float, end: float, *, but: set[int]) -> Tenure:
        """Find a member for all of a time who is none of some, in this chair or the next that fits."""
        for step in range(self.chairs):
            found = self.tenure((chair + step) % self.chairs, start)
            # The council was there even before there was a faction: a clock may be set to any time.
            lasts = found is not None and (found.left_at is None or found.covers(start, end))
            if found and lasts and found.id not in but:
                return found
        message = f"a faction of {self.chairs} has nobody for a crime's last slot"
        raise ValueError(message)

    def present(self, at: float) -> list[Tenure]:
        """List the members at a moment, by id."""
        found = (self.tenure(chair, at) for chair in range(self.chairs))
        return sorted((tenure for tenure in found if tenure), key=lambda tenure: tenure.id)

    def departed(self, after: float, until: float) -> list[Tenure]:
        """List those who left after one moment, at most two months ago, and not after another, by id."""
        found = []
        for chair in range(COUNCIL, self.chairs):
            turn = self._turn_at(chair, until)
            for tenure in (self._turn(chair, turn - 1), self._turn(chair, turn)):
                left = tenure.left_at
                if left is not None and after < left <= until and tenure.joined_at < left:
                    found.append(tenure)
        return sorted(found, key=lambda tenure: tenure.id)

    def founder(self, chair: int) -> Tenure:
        """Find the member of the council in a chair."""
        found = self._known.get((chair, 0))
        if found is None:
            person = Person(self.seed, chair, 0)
            found = self._known[chair, 0] = Tenure(person, person.id, self.founded_at, None)
        return found

    def _turn(self, chair: int, turn: int) -> Tenure:
        found = self._known.get((chair, turn))
        if found is None:
            person = Person(self.seed, chair, turn)
            vacant = int(between(3_600, 12 * _DAY, person, "vacant"))
            joined = max(int(self._boundary(chair, turn)) + vacant, self.founded_at)
            found = Tenure(person, person.id, joined, int(self._boundary(chair, turn + 1)))
            self._known[chair, turn] = found
        return found

    def _turn_at(self, chair: int, at: float) -> int:
        period, phase = self._rhythm(chair)
        turn = int((at - phase) // period)
        before = self._turn(chair, turn - 1).left_at
        return turn if before is None or at >= before else turn - 1

    def _boundary(self, chair: int, turn: int) -> float:
        period, phase = self._rhythm(chair)
        return phase + (turn + _UNEVEN * draw(self.seed, "boundary", chair, turn)) * period

    def _rhythm(self, chair: int) -> tuple[float, float]:
        found = self._rhythms.get(chair)
        if found is None:
            period = _SHORTEST * _RATIO ** draw(self.seed, "period", chair)
            found = self._rhythms[chair] = (period, period * draw(self.seed, "phase", chair))
        return found

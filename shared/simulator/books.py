"""Keep the faction's books: what crimes paid into it, what members took out, what everybody has.

Crimes that pay to balances divide the payout's percentage of their money equally among those who took part;
the rest is the faction's. Now and then a member moves their balance back to what they always keep there; the
faction spends its surplus once a week. So no sum needs to look further back than some weeks. Whoever leaves
leaves the balance behind, and takes it out some days or weeks later.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from shared.simulator.chance import between, draw, whole
from shared.simulator.timeline import LONGEST, foretell

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shared.simulator.roster import Tenure
    from shared.simulator.world import World

__all__ = ["Account", "Books", "books", "last_movement"]

_DAY = 86_400
_WEEK = 7 * _DAY
_LONGEST_PAUSE = 12 * _DAY
_LONGEST_DELAY = 4 * _DAY
_LONGEST_DEBT = 45 * _DAY
_SCOPE_TURN = 5 * _DAY


@dataclass(frozen=True, slots=True)
class Account:
    """Hold what a person has with the faction at a moment."""

    tenure: Tenure
    money: int
    points: int


@dataclass(frozen=True, slots=True)
class Books:
    """Hold everything at a moment; ``money`` and ``points`` include what is the members'."""

    money: int
    points: int
    scope: int
    members: tuple[Account, ...]
    departed: tuple[Account, ...]


@dataclass(frozen=True, slots=True)
class _Income:
    """Hold what a crime paid, and when: ``each`` to each of ``users``, ``rest`` to the faction."""

    at: int
    each: int
    users: tuple[int, ...]
    rest: int


@lru_cache(maxsize=64)
def books(world: World, now: int) -> Books:
    """Add up what everybody has at a moment."""
    incomes = _incomes(world, now)
    credits_of: dict[int, list[_Income]] = {}
    for income in incomes:
        for user in income.users:
            credits_of.setdefault(user, []).append(income)
    members = tuple(_account(tenure, now, credits_of) for tenure in world.roster.present(now))
    left = world.roster.departed(now - _LONGEST_DEBT, now)
    departed = tuple(_account(tenure, now, credits_of) for tenure in left if now < _settled(tenure))
    everybody = (*members, *departed)
    week, into = divmod(now, _WEEK)
    surplus = sum(income.rest for income in incomes if income.at > week * _WEEK)
    reserve = int(between(1, 9, world.seed, "reserve") * between(0.9, 1.1, world.seed, week) * 1_000_000_000)
    return Books(
        money=reserve + surplus + sum(account.money for account in everybody),
        points=500 + into // 3_600 + sum(account.points for account in everybody),
        # Scope comes back by itself and is spent on crimes that are begun.
        scope=whole(0, 60, world.seed, "scope", now // _SCOPE_TURN) + now % _SCOPE_TURN * 40 // _SCOPE_TURN,
        members=members,
        departed=tuple(account for account in departed if account.money or account.points),
    )


def last_movement(tenure: Tenure, at: float) -> int:
    """Find when a member last moved money by themselves, or joined."""
    person = tenure.person
    pause = between(3 * _DAY, _LONGEST_PAUSE / 2, person, "pause")
    turn = int(at / pause)
    for candidate in (turn, turn - 1):
        moved = int((candidate + draw(person, "moves", candidate)) * pause)
        if moved <= at:
            return max(moved, tenure.joined_at)
    return tenure.joined_at


@lru_cache(maxsize=20_000)
def _income(world: World, index: int) -> _Income | None:
    crime = foretell(world, index)
    if crime.rewards is None or crime.executed_at is None:
        return None
    payout, money = crime.rewards.payout, crime.rewards.money
    if payout is None:
        return _Income(crime.executed_at, 0, (), money)
    each = int(money * payout["percentage"] / 100) // len(crime.seats)
    users = tuple(seat.user_id for seat in crime.seats) if payout["type"] == "balance" else ()
    return _Income(crime.rewards.paid_at, each if users else 0, users, money - each * len(crime.seats))


def _incomes(world: World, now: int) -> list[_Income]:
    """Find what was paid as far back as it matters, whether or not the API still shows the crime."""
    oldest = now - _LONGEST_DEBT - _LONGEST_PAUSE - _LONGEST_DELAY - LONGEST
    crimes = range(world.earliest_crime, world.last_crime(now) + 1)
    first = bisect_right(crimes, oldest, key=world.created_at)
    found = (_income(world, index) for index in crimes[first:])
    return [income for income in found if income and income.at <= now]


def _account(tenure: Tenure, now: int, credits_of: Mapping[int, Sequence[_Income]]) -> Account:
    person = tenure.person
    since = last_movement(tenure, now if tenure.left_at is None else min(now, tenure.left_at - 1))
    kept = _keeps(tenure) if since > tenure.joined_at else 0
    money = kept + sum(income.each for income in credits_of.get(tenure.id, ()) if income.at > since)
    points = whole(1, 4_000, person, "points", since) if draw(person, "has points", since) < 0.3 else 0  # noqa: PLR2004
    return Account(tenure, money, points if since > tenure.joined_at else 0)


def _keeps(tenure: Tenure) -> int:
    """Tell what a member always leaves with the faction: the leader billions, many nothing."""
    person = tenure.person
    if person.chair == 0:
        return whole(6_000_000_000, 30_000_000_000, person, "keeps")
    if draw(person, "keeps nothing") < 0.4:  # noqa: PLR2004
        return 0
    return int(10 ** between(4, 9.5, person, "keeps"))


def _settled(tenure: Tenure) -> int:
    """Tell when somebody who left has taken everything out; not before the last crime has paid."""
    left = tenure.left_at or 0
    return left + int(between(_LONGEST_DELAY, _LONGEST_DEBT, tenure.person, "settles"))

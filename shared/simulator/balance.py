"""Show the faction's money as ``/faction/balance`` does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.simulator.books import books

if TYPE_CHECKING:
    from shared.simulator.paging import Ask
    from shared.simulator.world import World

__all__ = ["show_balance"]

_INCORRECT_CATEGORY = 21


def show_balance(world: World, ask: Ask, now: int) -> dict[str, object]:
    """Answer ``/faction/balance``: the members, with ``cat=all`` also who left and has something here yet."""
    category = ask.choice("cat", ("all", "current"), "current", refusal=_INCORRECT_CATEGORY)
    found = books(world, now)
    accounts = found.members if category == "current" else (*found.members, *found.departed)
    members = [
        {
            "id": account.tenure.id,
            "username": account.tenure.person.name(now),
            "money": account.money,
            "points": account.points,
        }
        for account in sorted(accounts, key=lambda account: account.tenure.id)
    ]
    faction = {"money": found.money, "points": found.points, "scope": found.scope}
    return {"balance": {"faction": faction, "members": members}}

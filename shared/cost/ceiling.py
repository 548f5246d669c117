"""One ceiling: so much for each account, so much in all, and therefore so many accounts."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shared.cost.setup import Setup

__all__ = ["Ceiling", "Limit", "ceiling_of", "ceiling_of_all", "terms"]

#: What a quotient of floats may miss a whole number by.
_HAIR = 1e-9


@dataclass(frozen=True, slots=True)
class Limit:
    """What may not be exceeded: its name, how much, of what, and what moves the ceiling."""

    name: str
    most: float
    unit: str
    moved_by: str


@dataclass(frozen=True, slots=True)
class Ceiling:
    """Where one limit is met."""

    limit: str
    #: The endpoint that meets it, or None when all of them do together.
    endpoint: str | None
    #: The most accounts that keep within it; None when no number of them exceeds it.
    accounts: int | None
    arithmetic: str
    moved_by: str

    def __str__(self) -> str:
        """Return it as a sentence."""
        whose = f" of {self.endpoint}" if self.endpoint else ""
        return f"{self.limit}{whose}: {self.arithmetic}. Moved by: {self.moved_by}"


def ceiling_of(limit: Limit, setup: Setup, each: float, counted: str) -> Ceiling:
    """Return one endpoint's ceiling; ``counted`` says how ``each``, an account's share, comes about."""
    if setup.endpoint.scope == "account":
        accounts: int | None = floor(limit.most / each + _HAIR)
        text = f"{counted} x N accounts ≤ {limit.most:,.0f} {limit.unit} → N ≤ {accounts:,}"
    else:
        accounts = None if each <= limit.most else 0
        sign = "≤" if accounts is None else ">"
        text = f"{counted}, once for all accounts, {sign} {limit.most:,.0f} {limit.unit}"
    return Ceiling(limit.name, setup.name, accounts, text, limit.moved_by)


def ceiling_of_all(limit: Limit, setups: Sequence[Setup], each: Mapping[str, float]) -> Ceiling:
    """Return all endpoints' common ceiling: ``each`` is what an endpoint takes, for an account or for all."""
    grows = {setup.name: each[setup.name] for setup in setups if setup.endpoint.scope == "account"}
    fixed = {setup.name: each[setup.name] for setup in setups if setup.endpoint.scope == "global"}
    growing, rest = sum(grows.values()), sum(fixed.values())
    parts = [f"({terms(grows)}) x N accounts"] if grows else []
    parts += [terms(fixed)] if fixed else []
    text = f"{' + '.join(parts)} ≤ {limit.most:,.0f} {limit.unit}"
    if not growing:
        accounts = None if rest <= limit.most else 0
        return Ceiling(limit.name, None, accounts, text, limit.moved_by)
    accounts = max(0, floor((limit.most - rest) / growing + _HAIR))
    left = f"({limit.most:,.0f} - {_number(rest)})" if rest else f"{limit.most:,.0f}"
    text = f"{text} → N ≤ {left} / {_number(growing)} = {accounts:,}"
    return Ceiling(limit.name, None, accounts, text, limit.moved_by)


def terms(counts: Mapping[str, float]) -> str:
    """Return what each endpoint takes as a sum."""
    return " + ".join(f"{name} {_number(count)}" for name, count in counts.items())


def _number(count: float) -> str:
    return f"{count:,.0f}" if count == int(count) else f"{count:.4g}"

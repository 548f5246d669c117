"""Which settings move the ceilings, how far, and what that costs: each on top of the one before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.cost.ceilings import ceilings
from shared.cost.setup import appending, streaming, with_instances

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from shared.cost.ceiling import Ceiling
    from shared.cost.figures import RunFigures
    from shared.cost.setup import Setup

__all__ = ["Change", "changes"]

_INSTANCES = 100


@dataclass(frozen=True, slots=True)
class Change:
    """What is set, and the ceiling that is met first then; None when there is none."""

    setting: str
    setups: tuple[Setup, ...]
    first: Ceiling | None


def changes(setups: Sequence[Setup], figures: Mapping[str, RunFigures]) -> Iterator[Change]:
    """Yield what is declared, and then one setting after the other that moves the first ceiling."""
    steps: list[tuple[str, Callable[[Setup], Setup]]] = [
        ("as declared", lambda setup: setup),
        ("+ writer: stream", streaming),
        (f"+ {_INSTANCES} instances of each function", lambda setup: with_instances(setup, _INSTANCES)),
        ("+ append instead of merge", appending),
    ]
    now = tuple(setups)
    for setting, step in steps:
        now = tuple(step(setup) for setup in now)
        met = [one for one in ceilings(now, figures) if one.accounts is not None]
        yield Change(setting, now, met[0] if met else None)

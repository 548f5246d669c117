"""Which tables a run brings rows for, and by what way."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.cost.figures import RunFigures
    from shared.cost.setup import Setup

__all__ = ["loaded", "streamed"]


def loaded(setup: Setup, figures: RunFigures) -> list[str]:
    """Return the tables that take a load job in a run: their own, or that of a table of the run's."""
    return [name for name, rows in figures.rows.items() if rows and not setup.streams(name)]


def streamed(setup: Setup, figures: RunFigures) -> list[str]:
    """Return the tables that take a write stream in a run."""
    return [name for name, rows in figures.rows.items() if rows and setup.streams(name)]

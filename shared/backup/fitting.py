"""Whether rows of a backup fit into the table as it is now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.errors import FixConfiguration

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Shape", "insertable"]


@dataclass(frozen=True, slots=True)
class Shape:
    """A column's type, as the warehouse names it, and whether it may be NULL."""

    type: str
    required: bool


def insertable(table: str, now: Mapping[str, Shape], then: Mapping[str, Shape]) -> list[str]:
    """Return the columns to insert; columns that were declared since stay NULL.

    Raises:
        FixConfiguration: a column is gone, has another type, or must not be NULL and would be.
    """
    problems = [f"the column {name} is not there any more" for name in then if name not in now]
    problems += [
        f"the column {name} was {shape.type} and is {now[name].type}"
        for name, shape in then.items()
        if name in now and now[name].type != shape.type
    ]
    problems += [
        f"the column {name} must not be NULL and was not there yet"
        for name, shape in now.items()
        if shape.required and name not in then
    ]
    if problems:
        raise FixConfiguration(
            f"{table} is not what it was: {'; '.join(problems)}; nothing was changed",
            next_step="restore it beside, with --to NAME, and take over from there what you need",
        )
    return list(then)

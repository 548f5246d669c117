"""What a column may be: its source, its unit and its check must fit its type."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from shared.endpoint import CONSTANTS, DERIVED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from shared.endpoint import Check, Column
    from shared.yaml_tree import Problem

__all__ = ["column_problems", "names", "path_problem"]

_ELEMENT = {"$index": "INTEGER", "$key": "STRING"}
_FIXED = {**CONSTANTS, **_ELEMENT}
_CHECKED: dict[str, Any] = {"STRING": str, "INTEGER": int, "FLOAT": (int, float), "BOOLEAN": bool}
# Keys that the decoder cannot be told of.
_UNREADABLE = re.compile(r"[\"\\\x00-\x1f]")


def column_problems(column: Column, *, inside: bool) -> Iterator[Problem]:
    """Yield what is wrong with a column; ``inside`` says that its rows are elements of a list or map."""
    if column.from_ is None:
        if column.required:
            yield ("mode",), "is REQUIRED, but the column has no `from`"
        if column.check is not None:
            yield ("check",), "has nothing to check; the column has no `from`"
    else:
        yield from _source(column, column.from_, inside=inside)
    if column.unit != "s" and column.type != "TIMESTAMP":
        yield ("unit",), f"is for TIMESTAMP; this column is {column.type}"
    if column.check is not None:
        yield from ((("check", *where), what) for where, what in _check(column.check, column.type))


def _source(column: Column, source: str, *, inside: bool) -> Iterator[Problem]:
    if source == DERIVED:
        if column.required:
            yield ("mode",), f"is REQUIRED; what comes from {DERIVED} may be NULL"
        if column.check is not None and column.check.severity == "reject":
            yield ("check", "severity"), f"reject refuses a record; what comes from {DERIVED} is in none"
    elif source.startswith("$"):
        if source != "$value" and source not in _FIXED:
            yield ("from",), f"found {source!r}; there are {names([*_FIXED, '$value', DERIVED])}"
        elif source in _FIXED and column.type != _FIXED[source]:
            yield ("type",), f"found {column.type}; {source} is {_FIXED[source]}"
        if source in {"$index", "$value"} and not inside:
            yield ("from",), f"{source} is for a table with `each`"
    else:
        problem = path_problem(source)
        if problem is not None:
            yield ("from",), problem


def path_problem(path: str) -> str | None:
    """Return what is wrong with a path of keys, if anything is."""
    if "" in path.split("."):
        return f"found {path!r}; keys with single dots between them are allowed"
    if path.startswith("$"):
        return f"found {path!r}; a path begins with a key, not with $"
    if _UNREADABLE.search(path):
        return f"found {path!r}; a key here cannot hold quotes, backslashes or line breaks"
    return None


def names(of: Iterable[str]) -> str:
    """Return names as they stand in a message."""
    return ", ".join(of) or "none"


def _check(check: Check, type_: str) -> Iterator[Problem]:
    if type_ not in _CHECKED:
        yield (), f"is for {names(_CHECKED)}; this column is {type_}"
        return
    numeric = type_ in {"INTEGER", "FLOAT"}
    for bound in ("min", "max"):
        value = getattr(check, bound)
        if value is not None and not numeric:
            yield (bound,), f"is for INTEGER and FLOAT; this column is {type_}"
        if value is not None and not math.isfinite(value):
            yield (bound,), f"found {value}; a plain number is allowed"
    if check.min is not None and check.max is not None and check.min > check.max:
        yield (), f"min {check.min:g} is above max {check.max:g}"
    if check.min is None and check.max is None and check.enum is None:
        yield (), "says nothing; give min, max or enum"
    for value in check.enum or ():
        if not isinstance(value, _CHECKED[type_]) or (isinstance(value, bool) and numeric):
            shown = (
                {True: "true", False: "false"}.get(value, repr(value))
                if isinstance(value, bool)
                else repr(value)
            )
            hint = "; quote it" if type_ == "STRING" else ""
            yield ("enum",), f"found {shown}, which is no {type_}{hint}"

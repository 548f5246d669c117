"""What a request may be: its place, its window, and the parameters that stand in its path."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from shared.column_rules import path_problem
from shared.schedule import duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.endpoint import Endpoint, Request
    from shared.yaml_tree import Problem

__all__ = ["request_problems", "segment_problem"]

# Parameters that the run sets.
_OWN = frozenset({"key", "timestamp"})
# What may stand in the place of a {name} in a path.
_SEGMENT = re.compile(r"[\w,-]{1,100}", re.ASCII)


def request_problems(endpoint: Endpoint, fed: set[str | None]) -> Iterator[Problem]:
    """Yield what is wrong with the requests; ``fed`` are those that feed a table."""
    for name, request in endpoint.requests.items():
        at = ("requests", name)
        problem = None if request.records == "$" else path_problem(request.records)
        if problem is not None:
            yield (*at, "records"), problem
        if request.lookback is not None:
            try:
                duration(request.lookback)
            except ValueError as error:
                yield (*at, "lookback"), f"found {error}"
            if request.window is None:
                yield (*at, "lookback"), "needs `window`, which names the parameters to set"
        if name not in fed and fed.issubset(endpoint.requests):
            yield at, "feeds no table; a table names it with `request`"
        yield from (((*at, *where), what) for where, what in _placeholders(endpoint, request))
        for parameter in _OWN.intersection(request.params):
            yield (*at, "params", parameter), "is the run's own parameter; a file must not set it"
    for parameter in _OWN.intersection(endpoint.overridable):
        yield ("overridable",), f"{parameter!r} is the run's own parameter; a message must not set it"


def _placeholders(endpoint: Endpoint, request: Request) -> Iterator[Problem]:
    """Yield what is wrong with the parameters that stand in a path."""
    if any(brace in part for part in re.split(r"\{\w+\}", request.path) for brace in "{}"):
        yield ("path",), f"found {request.path!r}; a parameter's value stands there as {{name}}"
    for name in request.placeholders:
        if name in request.params:
            problem = segment_problem(request.params[name])
            if problem is not None:
                yield ("params", name), problem
        elif name not in endpoint.overridable:
            what = f"{{{name}}} has no value; give one under `params`, or list {name!r} under `overridable`"
            yield ("path",), f"{what}, so that a message gives it"


def segment_problem(value: object) -> str | None:
    """Return why a value cannot stand in a path, if so: ``..`` or ``/`` would lead elsewhere."""
    if _SEGMENT.fullmatch(str(value)):
        return None
    return f"found {str(value)[:80]!r}; in a path there may be letters, digits, commas, - and _"

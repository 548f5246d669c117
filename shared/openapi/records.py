"""Where in an answer its records stand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce
from typing import TYPE_CHECKING

from shared.column_rules import path_problem
from shared.openapi.node import Node, unite

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Records", "find_records", "is_row"]


@dataclass(frozen=True, slots=True)
class Records:
    """Where the records stand in the body, what one is, and whether it is one or several."""

    place: str
    node: Node
    many: bool = False
    mapped: bool = False


def find_records(body: Node, envelope: Iterable[str]) -> Records | None:
    """Return where an answer's records stand; None where no table can take them.

    What stands beside records that are named would count as new in every run, so they are named
    only where they stand alone; else the body is the one record.
    """
    if body.kind == "list" and body.element is not None and is_row(body.element):
        return Records("$", body.element, many=True)
    if body.kind != "object":
        return None
    own = {name: node for name, node in body.properties.items() if name not in envelope}
    if len(own) == 1:
        ((name, node),) = own.items()
        if not node.optional and "." not in name and path_problem(name) is None:
            found = _named(name, node)
            if found is not None:
                return found
    return Records("$", replace(body, properties=own))


def _named(name: str, node: Node) -> Records | None:
    if node.kind == "object":
        return Records(name, node)
    if node.kind in {"list", "map"} and node.element is not None and is_row(node.element):
        return Records(name, node.element, many=True, mapped=node.kind == "map")
    # One object in one variant and a list of them in another: records may stand as both.
    rows = [v.element if v.kind == "list" else v for v in node.variants]
    if node.kind == "json" and rows and all(r is not None and is_row(r) for r in rows):
        united = reduce(unite, (r for r in rows if r is not None))
        return Records(name, united, many=True) if united.kind == "object" else None
    return None


def is_row(element: Node) -> bool:
    """Say whether an element of a list or map is a row: an object that is never null."""
    return element.kind == "object" and not element.nullable

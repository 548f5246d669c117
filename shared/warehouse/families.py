"""Tables that are written as one: a root and the children of its rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.endpoint_rules import root_table

if TYPE_CHECKING:
    from shared.endpoint import Endpoint

__all__ = ["Family", "families", "root_key"]


@dataclass(frozen=True, slots=True)
class Family:
    """A root table and all below it, parents first; they share one mode."""

    root: str
    tables: tuple[str, ...]


def families(endpoint: Endpoint) -> list[Family]:
    """Return an endpoint's families in the order of their roots."""
    above = {name: root_table(endpoint, name) for name in endpoint.tables}

    def depth(name: str) -> int:
        parent = above[name]
        return 0 if parent is None else 1 + depth(parent)

    def top(name: str) -> str:
        parent = above[name]
        return name if parent is None else top(parent)

    found: dict[str, list[str]] = {}
    for name in sorted(endpoint.tables, key=depth):
        found.setdefault(top(name), []).append(name)
    return [Family(root, tuple(tables)) for root, tables in found.items()]


def root_key(endpoint: Endpoint, family: Family, name: str) -> list[str]:
    """Return the columns of a table that hold its root's key, in the key's order.

    Empty when a table on the way does not repeat it.
    """
    key = list(endpoint.tables[family.root].key)
    chain = [name]
    while chain[-1] != family.root:
        above = root_table(endpoint, chain[-1])
        assert above is not None
        chain.append(above)
    for table in reversed(chain[:-1]):
        own = {theirs: mine for mine, theirs in endpoint.tables[table].parent.items()}
        if any(column not in own for column in key):
            return []
        key = [own[column] for column in key]
    return key

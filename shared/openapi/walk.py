"""Ways through the tree of an answer: down a path, and past what is taken."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from shared.openapi.node import Node

    Path = tuple[str, ...]

__all__ = ["Found", "find", "leaves", "untaken"]


@dataclass(frozen=True, slots=True)
class Found:
    """What stands at the end of a path."""

    node: Node | None
    #: The document does not say what is there.
    unknown: bool = False
    #: The first place on the way that may be missing or null, and which of both.
    gap: str = ""


def _fields(node: Node) -> Mapping[str, Node]:
    """Return an object's fields; of several variants those of each, optional where not all have them."""
    found = dict(node.properties)
    for variant in node.variants:
        for name, child in variant.properties.items():
            everywhere = all(name in other.properties for other in node.variants)
            found.setdefault(name, replace(child, optional=child.optional or not everywhere))
    return found


def find(node: Node, path: Sequence[str]) -> Found:
    """Return what stands at a path of keys below a node."""
    gap = "null" if node.nullable else ""
    for depth, key in enumerate(path, 1):
        if node.kind == "json" and not node.variants:
            return Found(None, unknown=True, gap=gap)
        child = _fields(node).get(key)
        if child is None:
            return Found(None)
        if not gap and (child.optional or child.nullable):
            gap = f"{'.'.join(path[:depth])} {'may be missing' if child.optional else 'may be null'}"
        node = child
    return Found(node, gap=gap)


def untaken(node: Node, taken: Collection[Path], above: Path = ()) -> Iterator[tuple[Path, Node]]:
    """Yield the fields of an object that no path takes, an object as a whole where none of its fields is."""
    for name, child in _fields(node).items():
        here = (*above, name)
        if here in taken:
            continue
        if any(path[: len(here)] == here for path in taken):
            yield from untaken(child, taken, here)
        else:
            yield here, child


def leaves(fields: Sequence[tuple[Path, Node]]) -> Iterator[tuple[Path, Node]]:
    """Yield fields, of objects those inside them."""
    for path, node in fields:
        if node.kind == "object":
            yield from leaves([((*path, name), child) for name, child in node.properties.items()])
        else:
            yield path, node

"""What may stand at one place of an answer, and how two such descriptions become one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Kind", "Node", "join", "unite"]

Kind = Literal["object", "list", "map", "scalar", "json", "null"]

_WORDS = {"object": "an object", "list": "a list", "map": "a map", "scalar": "a plain value"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """What may stand at one place of an answer; the package's docstring has the kinds."""

    kind: Kind
    types: tuple[str, ...] = ()
    nullable: bool = False
    optional: bool = False
    enum: tuple[Any, ...] = ()
    format: str = ""
    description: str = ""
    properties: Mapping[str, Node] = field(default_factory=dict)
    element: Node | None = None
    why: str = ""
    variants: tuple[Node, ...] = ()


def unite(one: Node, other: Node) -> Node:
    """Return the node that allows what either allows: two variants of one place."""
    united = _united(one, other)
    return replace(
        united,
        nullable=one.nullable or other.nullable or "null" in {one.kind, other.kind},
        optional=one.optional or other.optional,
        description=one.description or other.description,
    )


def _united(one: Node, other: Node) -> Node:
    if one.kind == "null":
        return other
    if other.kind == "null":
        return one
    if one.kind != other.kind or one.kind == "json":
        return _either(one, other)
    if one.kind == "scalar":
        return _united_scalars(one, other)
    if one.kind == "object":
        names = [*one.properties, *(name for name in other.properties if name not in one.properties)]
        return Node(kind="object", properties={name: _of_either(one, other, name) for name in names})
    assert one.element is not None
    assert other.element is not None
    return Node(kind=one.kind, element=unite(one.element, other.element))


def _of_either(one: Node, other: Node, name: str) -> Node:
    mine, theirs = one.properties.get(name), other.properties.get(name)
    if mine is not None and theirs is not None:
        return unite(mine, theirs)
    return replace(mine or theirs or one, optional=True)


def _united_scalars(one: Node, other: Node) -> Node:
    types = tuple(dict.fromkeys((*one.types, *other.types)))
    if len(types) > 1 and set(types) != {"integer", "number"}:
        return _either(one, other)
    enum: tuple[Any, ...] = ()
    if one.enum and other.enum and one.types == other.types:
        enum = tuple(dict.fromkeys((*one.enum, *other.enum)))
    return Node(kind="scalar", types=types, enum=enum, format=_format(one, other))


def _format(one: Node, other: Node) -> str:
    if one.format == other.format:
        return one.format
    if one.types == other.types == ("integer",):
        # Unsaid, an integer may be of any size.
        return "int64"
    if one.types != other.types:
        # The integer's: what a double must hold.
        return one.format if "integer" in one.types else other.format
    return ""


def _either(one: Node, other: Node) -> Node:
    variants = tuple(
        dict.fromkeys(_words(variant) for node in (one, other) for variant in node.variants or (node,))
    )
    known = tuple(v for node in (one, other) for v in (node.variants or (node,)) if v.kind != "json")
    why = one.why or other.why
    if len(variants) > 1:
        why = f"it is {' or '.join(variants)}"
    return Node(kind="json", why=why, variants=known)


def _words(node: Node) -> str:
    if node.kind == "scalar":
        return " or ".join(f"{'an' if t == 'integer' else 'a'} {t}" for t in node.types)
    return _WORDS.get(node.kind, "anything")


def join(one: Node, other: Node) -> Node:
    """Return the node that both describe: two parts of one place."""
    joined = _joined(one, other)
    return replace(
        joined,
        nullable=one.nullable and other.nullable,
        optional=one.optional and other.optional,
        description=one.description or other.description,
    )


def _joined(one: Node, other: Node) -> Node:
    # What one part leaves open is for the other to say.
    if "json" in {one.kind, other.kind}:
        return other if one.kind == "json" else one
    if one.kind != other.kind:
        return _either(one, other)
    if one.kind == "object":
        names = [*one.properties, *(name for name in other.properties if name not in one.properties)]
        return Node(kind="object", properties={name: _of_both(one, other, name) for name in names})
    if one.kind == "scalar":
        return _joined_scalars(one, other)
    if one.element is not None and other.element is not None:
        return Node(kind=one.kind, element=join(one.element, other.element))
    return one


def _of_both(one: Node, other: Node, name: str) -> Node:
    mine, theirs = one.properties.get(name), other.properties.get(name)
    if mine is not None and theirs is not None:
        return join(mine, theirs)
    found = mine or theirs
    assert found is not None
    return found


def _joined_scalars(one: Node, other: Node) -> Node:
    types = tuple(t for t in one.types if t in other.types or (t == "integer" and "number" in other.types))
    types = types or tuple(t for t in other.types if t == "integer" and "number" in one.types)
    if not types:
        return _either(one, other)
    enum = tuple(v for v in one.enum if not other.enum or v in other.enum) or other.enum
    return Node(kind="scalar", types=types, enum=enum, format=one.format or other.format)

"""The shape of a response, as an endpoint's columns declare it, and the structs that decode it.

A ``Shape`` is a tree: objects with named children, lists and maps with an element, values with a
type, and fields that are known but not taken. From it come msgspec structs that refuse every
other type and every unknown field, so that a decode that succeeds has proved the whole page.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime
from math import ceil, floor
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import Meta, Raw

from shared.endpoint import Check
from shared.errors import FixConfiguration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.endpoint import Column

__all__ = [
    "Shape",
    "TablePlan",
    "attribute",
    "build_body",
    "decode_type",
    "is_readable",
    "proof_type",
    "struct_type",
]

_INT64 = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
# What BigQuery's TIMESTAMP holds, years 1 to 9999: an epoch in another unit falls outside.
_SECONDS = Annotated[int, Meta(ge=-62_135_596_800, le=253_402_300_799)]
_MILLISECONDS = Annotated[int, Meta(ge=-62_135_596_800_000, le=253_402_300_799_999)]

_LONGEST_KEY = 1_000
_UNREADABLE = re.compile(r"[\"\\\x00-\x1f\ud800-\udfff]")

# "records" is where the records stand: a list of them, a single one, or null for none.
Kind = Literal["object", "records", "list", "map", "value", "ignored"]


@dataclass(slots=True, kw_only=True)
class Shape:
    """One node: what stands at a place of the response."""

    kind: Kind = "object"
    children: dict[str, Shape] = field(default_factory=dict)
    element: Shape | None = None
    type: Any = None
    #: As ``type``, with the column's check in it: what decodes as this has passed the check too.
    proof: Any = None
    required: bool = False
    #: The table that takes one row per element here (list, map), or per object (the root).
    table: str | None = None
    #: An object of this shape without values, made when first needed.
    blank: Any = None

    def at(self, path: Sequence[str], *, required: bool = False) -> Shape:
        """Return the node below this object, made on the way if need be."""
        node = self
        for key in path:
            node = node.children.setdefault(key, Shape())
            node.required |= required
        return node

    def find(self, path: Sequence[str]) -> Shape | None:
        """Return the node below this object, if there is one."""
        node: Shape | None = self
        for key in path:
            node = node.children.get(key) if node is not None else None
        return node


@dataclass(slots=True, kw_only=True)
class TablePlan:
    """One table of a request: where its rows come from, and its parent."""

    name: str
    root: str | None
    #: The table of which it takes the records too.
    same: str | None = None
    each: tuple[str, ...] = ()
    #: The columns whose checks are in their places' ``proof``.
    proven: set[str] = field(default_factory=set)

    @property
    def rows(self) -> str:
        """Return the table under which this one's rows are found."""
        return self.same or self.name


def attribute(shape: Shape, path: Sequence[str]) -> str:
    """Return the struct attribute that holds what stands at a path: ``f3.f0``."""
    parts = []
    for key in path:
        parts.append(f"f{list(shape.children).index(key)}")
        shape = shape.children[key]
    return ".".join(parts)


def build_body(record: Shape, place: Sequence[str], beside: Sequence[str], *, mapped: bool) -> Shape:
    """Return the shape of a whole body whose records stand at ``place``.

    Args:
        record: The shape of one record.
        place: The path to the records; empty when the body is the record.
        beside: Keys that the source has in every answer.
        mapped: The records stand in a map.
    """
    holder = Shape(kind="map" if mapped else "records", element=record, required=True)
    body = holder
    if place:
        body = Shape()
        body.at(place[:-1], required=True).children[place[-1]] = holder
    aside = body if place else record
    for key in beside:
        if key in aside.children:
            raise FixConfiguration(f"{key!r} is the source's own key; no column can take it")
        aside.children[key] = Shape(kind="ignored")
    return body


def _element(shape: Shape) -> Shape:
    assert shape.element is not None
    return shape.element


def decode_type(column: Column) -> Any:
    """Return the type that a column's value must have in the response, nothing else accepted."""
    if column.type == "TIMESTAMP":
        return {"s": _SECONDS, "ms": _MILLISECONDS, "iso": datetime}[column.unit]
    return {
        "STRING": str,
        "INTEGER": _INT64,
        # An integer stays one: Arrow then refuses those that a double cannot hold.
        "FLOAT": int | float,
        "BOOLEAN": bool,
        "DATE": date,
        "JSON": Raw,
    }[column.type]


def proof_type(column: Column) -> Any:
    """Return the type that decodes only what the column's check likes too; None where none can say it.

    A FLOAT is bounded by what a double counts in ones, so that no integer becomes another.
    """
    check = column.check or Check()
    if column.type == "STRING" and check.enum is not None:
        return Literal[tuple(check.enum)]
    if column.type not in {"INTEGER", "FLOAT", "TIMESTAMP"} or check.enum is not None:
        return None if column.check else decode_type(column)
    if column.type == "TIMESTAMP":
        return decode_type(column)
    widest = 2**63 if column.type == "INTEGER" else 2**53
    low = -widest if check.min is None else max(check.min, -widest)
    high = widest - 1 if check.max is None else min(check.max, widest - 1)
    if column.type == "FLOAT":
        return Annotated[float, Meta(ge=low, le=high)]
    return Annotated[int, Meta(ge=ceil(low), le=floor(high))]


def struct_type(shape: Shape, *, strict: bool = True, proof: bool = False, name: str = "Record") -> Any:
    """Return the msgspec type that decodes a shape.

    Args:
        shape: An object becomes a Struct whose attributes are named f0, f1, … in order.
        strict: Refuse fields that the shape does not have.
        proof: Refuse values that a check dislikes.
        name: For the struct's repr.
    """
    if shape.kind == "value":
        return shape.type if not proof or shape.proof is None else shape.proof
    if shape.kind == "ignored":
        return Raw
    if shape.kind == "records":
        one: Any = struct_type(_element(shape), strict=strict, proof=proof, name=name)
        return list[one] | one | None
    if shape.kind in {"list", "map"}:
        element: Any = struct_type(_element(shape), strict=strict, proof=proof, name=f"{name}_")
        optional = _element(shape).kind in {"value", "list", "map"} and not _element(shape).required
        # Raw takes null as it is; of `Raw | None` the decoder would take nothing else.
        if optional and element is not Raw:
            element = element | None
        return list[element] if shape.kind == "list" else dict[str, element]
    fields: list[tuple[str, Any, Any]] = []
    spec: Any
    for number, (key, child) in enumerate(shape.children.items()):
        inner = struct_type(child, strict=strict, proof=proof, name=f"{name}_{number}")
        # The encoded name, not the attribute's, is what an error's path shows.
        if child.kind == "ignored":
            spec = msgspec.field(name=key, default=Raw())
        elif child.required:
            spec = msgspec.field(name=key)
        elif child.type is Raw:
            spec = msgspec.field(name=key, default=Raw(b"null"))
        else:
            inner, spec = inner | None, msgspec.field(name=key, default=None)
        fields.append((f"f{number}", inner, spec))
    # Required fields may stand after optional ones only when all are keywords.
    return msgspec.defstruct(name, fields, forbid_unknown_fields=strict, gc=False, kw_only=True)


def is_readable(key: str) -> bool:
    """Say whether a struct's field can have this name; quotes, backslashes and surrogates cannot be in it."""
    return len(key) <= _LONGEST_KEY and not _UNREADABLE.search(key)

"""JSON Schema, as OpenAPI 3 has it, read into nodes: references, variants and parts resolved."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from shared.errors import FixConfiguration
from shared.openapi.node import Node, join, unite

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Schemas"]

_SCALARS = {"integer", "number", "string", "boolean"}
#: Keywords that say what a value is; others only describe it, or bound it in a way nothing here reads.
_SHAPING = {
    *("type", "enum", "const"),
    *("properties", "required", "additionalProperties", "patternProperties"),
    *("items", "prefixItems"),
}
_PYTHON: dict[str, Any] = {
    "integer": int,
    "number": (int, float),
    "string": str,
    "array": list,
    "object": dict,
    "null": type(None),
}
_ANYTHING = Node(kind="json", why="the document allows anything here", nullable=True)
#: How often references may be read again, because they were cut, before it is called endless.
_MOST_AGAIN = 2_000
_UNDESCRIBED = Node(kind="json", why="the document requires it, and does not describe it", nullable=True)


class Schemas:
    """Reads the schemas of one document.

    Args:
        root: The document, which references point into.
        file: Its name, for errors.
    """

    def __init__(self, root: Mapping[str, Any], file: str) -> None:
        self._root = root
        self._file = file
        self._known: dict[str, Node] = {}
        self._cuts = 0
        self._seen: set[str] = set()
        self._again = 0

    def resolve(self, found: Any, where: str) -> Any:
        """Return what stands at the end of references, if it is one.

        Raises:
            FixConfiguration: it leads nowhere, to another file, or in a circle.
        """
        seen: list[str] = []
        while isinstance(found, dict) and isinstance(found.get("$ref"), str):
            reference: str = found["$ref"]
            if reference in seen:
                raise self._wrong(where, f"the reference {reference!r} leads back to itself")
            seen.append(reference)
            found = self._target(reference, where)
        return found

    def read(self, schema: Any, where: str, above: tuple[str, ...] = ()) -> Node:
        """Return what a schema allows.

        Args:
            schema: The schema.
            where: Its place in the document, for errors.
            above: The references that lead here, which must not be followed again.

        Raises:
            FixConfiguration: it is no schema, or a reference in it leads nowhere.
        """
        if schema is True:
            return _ANYTHING
        if not isinstance(schema, dict):
            raise self._wrong(where, f"a schema stands here, found {str(schema)[:40]!r}")
        parts: list[Node] = []
        if "$ref" in schema:
            parts.append(self._reference(schema["$ref"], where, above))
        if not _SHAPING.isdisjoint(schema):
            parts.append(self._own(schema, where, above))
        parts += [
            self.read(part, f"{where}.allOf[{n}]", above) for n, part in self._each(schema, "allOf", where)
        ]
        for keyword in ("oneOf", "anyOf"):
            variants = [
                self.read(variant, f"{where}.{keyword}[{n}]", above)
                for n, variant in self._each(schema, keyword, where)
            ]
            if variants:
                parts.append(reduce(unite, variants))
        node = reduce(join, parts) if parts else _ANYTHING
        said = schema.get("description")
        description = said if isinstance(said, str) else node.description
        if schema.get("deprecated") is True:
            description = f"{description.rstrip(' .')}. Deprecated.".lstrip(". ")
        return replace(
            node, nullable=node.nullable or schema.get("nullable") is True, description=description
        )

    def _each(self, schema: Mapping[str, Any], keyword: str, where: str) -> list[tuple[int, Any]]:
        found = schema.get(keyword, [])
        if not isinstance(found, list):
            raise self._wrong(f"{where}.{keyword}", f"a list stands here, found {str(found)[:40]!r}")
        return list(enumerate(found))

    def _reference(self, reference: Any, where: str, above: tuple[str, ...]) -> Node:
        if not isinstance(reference, str):
            raise self._wrong(where, f"found {str(reference)[:40]!r} for a reference")
        if reference in above:
            self._cuts += 1
            return Node(kind="json", why=f"{reference.rpartition('/')[2]} contains itself")
        if reference not in self._known:
            self._again = self._again + (reference in self._seen) if above else 0
            self._seen.add(reference)
            if self._again > _MOST_AGAIN:
                raise self._wrong(reference, "its schemas contain each other too often to be unfolded")
            cuts = self._cuts
            node = self.read(self._target(reference, where), reference, (*above, reference))
            if self._cuts != cuts:
                # Where it was cut depends on where it began.
                return node
            self._known[reference] = node
        return self._known[reference]

    def _target(self, reference: str, where: str) -> Any:
        if not reference.startswith("#"):
            raise self._wrong(
                where, f"the reference {reference!r} leads to another document; bundle them into one"
            )
        found: Any = self._root
        for part in unquote(reference[1:]).split("/")[1:]:
            key = part.replace("~1", "/").replace("~0", "~")
            if not isinstance(found, dict) or key not in found:
                raise self._wrong(where, f"the reference {reference!r} leads nowhere")
            found = found[key]
        return found

    def _own(self, schema: Mapping[str, Any], where: str, above: tuple[str, ...]) -> Node:
        """Return what a schema's own keywords say."""
        values = [schema["const"]] if "const" in schema else schema.get("enum")
        types = schema.get("type")
        if types is None:
            types = _implied(schema, values)
        types = [types] if isinstance(types, str) else types
        if not isinstance(types, list) or not all(isinstance(t, str) for t in types):
            raise self._wrong(
                f"{where}.type", f"found {str(types)[:40]!r}; the name of a type, or several, is allowed"
            )
        nodes = [self._of_type(type_, schema, values, where, above) for type_ in types]
        node = reduce(unite, nodes) if nodes else _ANYTHING
        return replace(node, nullable=node.nullable or (isinstance(values, list) and None in values))

    def _of_type(
        self, type_: str, schema: Mapping[str, Any], values: Any, where: str, above: tuple[str, ...]
    ) -> Node:
        if type_ == "null":
            return Node(kind="null", nullable=True)
        if type_ in _SCALARS:
            fitting = [v for v in values or () if _json_type(v, type_)] if isinstance(values, list) else []
            return Node(
                kind="scalar",
                types=(type_,),
                enum=tuple(dict.fromkeys(fitting)),
                format=str(schema.get("format") or ""),
            )
        if type_ == "array":
            return self._list(schema, where, above)
        if type_ == "object":
            return self._object(schema, where, above)
        raise self._wrong(f"{where}.type", f"found {type_!r}, which is no type of JSON")

    def _list(self, schema: Mapping[str, Any], where: str, above: tuple[str, ...]) -> Node:
        items = schema.get("items", True)
        if "prefixItems" in schema or isinstance(items, list):
            return Node(kind="json", why="it is a list whose places differ")
        return Node(kind="list", element=self.read(items, f"{where}.items", above))

    def _object(self, schema: Mapping[str, Any], where: str, above: tuple[str, ...]) -> Node:
        properties = schema.get("properties") or {}
        if not isinstance(properties, dict):
            raise self._wrong(f"{where}.properties", "names with their schemas stand here")
        needed = schema.get("required")
        required = [str(name) for name in needed] if isinstance(needed, list) else []
        rest = [s for s in (schema.get("patternProperties") or {}).values() if isinstance(s, dict)]
        if isinstance(schema.get("additionalProperties"), dict) and schema["additionalProperties"]:
            rest.append(schema["additionalProperties"])
        if (properties or required) and rest:
            return Node(kind="json", why="it has fields of its own and others of any name")
        if rest:
            values = [self.read(s, f"{where}.additionalProperties", above) for s in rest]
            return Node(kind="map", element=reduce(unite, values))
        if not properties and not required:
            return Node(kind="json", why="the document names no fields of this object")
        read = {str(n): self.read(s, f"{where}.properties.{n}", above) for n, s in properties.items()}
        # What is required may be described by another part of the object, or by none.
        read |= {name: _UNDESCRIBED for name in required if name not in read}
        return Node(
            kind="object",
            properties={name: replace(node, optional=name not in required) for name, node in read.items()},
        )

    def _wrong(self, where: str, what: str) -> FixConfiguration:
        return FixConfiguration(
            f"{self._file}: {where}: {what}",
            next_step="correct the document, or download the official one again",
        )


def _implied(schema: Mapping[str, Any], values: Any) -> list[str]:
    """Return the types that a schema without ``type`` means."""
    if isinstance(values, list):
        names = ("boolean", "integer", "number", "string", "array", "object", "null")
        return list(dict.fromkeys(next(n for n in names if _json_type(value, n)) for value in values))
    return ["array"] if "items" in schema or "prefixItems" in schema else ["object"]


def _json_type(value: Any, type_: str) -> bool:
    if isinstance(value, bool) or type_ == "boolean":
        return type_ == "boolean" and isinstance(value, bool)
    return isinstance(value, _PYTHON[type_])

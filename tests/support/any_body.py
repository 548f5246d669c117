"""Bodies that an OpenAPI document allows, made from its schemas as they stand, and a server of them.

Nothing here uses ``shared.openapi``: what is generated from a document is held against bodies that
another reader of it makes.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from support.http import Answer, Server

if TYPE_CHECKING:
    from support.http import Handler

__all__ = ["STYLES", "AnyApi", "Bodies", "Style", "resolved"]

_INTEGERS = {"int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1)}
_DOUBLES = [1.7976931348623157e308, -1.7976931348623157e308, 5e-324, -0.0, 0.1, 2**53, -(2**53), 1e22]
_TEXTS = [
    *("", " ", "null", "NaN", "a\x00b", '\n\t\r"\\/', "<b>&amp;</b>", "'; DROP TABLE x; --", "x" * 5_000),
    *(
        "\U0001f600\U0001f468\u200d\U0001f469\u200d\U0001f467",
        "\u0645\u0631\u062d\u0628\u0627 \u05e9\u05dc\u05d5\u05dd",
    ),
    *("\u2028\u2029\ufeff\ufffe", "\U0010ffff", "é vs e\u0301"),
]
_DATES = ["0001-01-01", "9999-12-31", "1969-12-31", "2024-02-29"]
_WORDS = ["Chedburn", "Muscle", "Blast From The Past", "Heavy artillery", "Cayman Islands"]
_EXTRAS: list[Any] = [7, "new", None, True, 1.5, {"inner": [1]}, [{"inner": None}], []]
_OPEN = {"any": [1, {"thing": None}], "text": "\U0001f600", "number": 0.1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """What a body is like."""

    length: int = 2
    #: Whether optional fields are there.
    optional: bool = True
    #: Whether null stands where it may.
    nulls: bool = False
    #: Whether every object has fields that nobody described.
    extras: bool = False
    #: Whether values are at the limits of their formats.
    extreme: bool = False


STYLES = {
    "typical": Style(),
    "bare": Style(length=0, optional=False),
    "bare, with rows": Style(optional=False),
    "nulls": Style(nulls=True),
    "extreme": Style(length=4, extreme=True),
    "extras": Style(extras=True),
}


@dataclass(slots=True)
class _Site:
    """A place with variants: how often one was chosen, and which such places are below each."""

    below: list[set[int]]
    chosen: int = 0

    @property
    def is_open(self) -> bool:
        return self.chosen < len(self.below)

    def next(self, sites: dict[int, _Site]) -> int:
        """Return each variant once, then those below which something was not chosen yet."""
        self.chosen += 1
        if self.chosen <= len(self.below):
            return self.chosen - 1
        waiting = (n for n, below in enumerate(self.below) if any(sites[one].is_open for one in below))
        return next(waiting, self.chosen % len(self.below))


def resolved(spec: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Follow a schema's reference."""
    while "$ref" in schema:
        found: Any = spec
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        schema = found
    return schema


class Bodies:
    """Makes bodies of one document; the same seed makes the same ones."""

    def __init__(self, spec: dict[str, Any], seed: int = 7) -> None:
        self._spec = spec
        self._random = random.Random(seed)
        self._count = 0
        #: The places that have variants, by their schema's identity.
        self._sites: dict[int, _Site] = {}
        self._inside: list[set[int]] = []

    def schema(self, path: str) -> dict[str, Any]:
        """Return the schema of a path's answer."""
        content = self._spec["paths"][path]["get"]["responses"]["200"]["content"]
        schema: dict[str, Any] = content["application/json"]["schema"]
        return schema

    def body(self, path: str, style: Style) -> dict[str, Any]:
        """Return one body of a path."""
        made: dict[str, Any] = self._make(self.schema(path), style, "")
        return made

    def variants(self, path: str, style: Style) -> list[dict[str, Any]]:
        """Return bodies in which every variant of every place stands at least once."""
        self._sites = {}
        bodies = [self.body(path, style)]
        while any(site.is_open for site in self._sites.values()):
            bodies.append(self.body(path, style))
            assert len(bodies) < 500, "a variant is never reached"
        return bodies

    def _make(self, schema: dict[str, Any], style: Style, name: str) -> Any:
        schema = resolved(self._spec, schema)
        if "allOf" in schema:
            parts = [self._make(part, style, name) for part in schema["allOf"]]
            return {key: value for part in parts for key, value in part.items()}
        for keyword in ("oneOf", "anyOf"):
            if keyword in schema:
                return self._variant(schema, schema[keyword], style, name)
        types = schema.get("type", "object")
        if isinstance(types, list):
            return self._variant(schema, [{**schema, "type": one} for one in types], style, name)
        if types in {"object", "array"}:
            return (self._object if types == "object" else self._array)(schema, style, name)
        return self._scalar(schema, types, style, name)

    def _variant(self, site: dict[str, Any], options: list[dict[str, Any]], style: Style, name: str) -> Any:
        full = [o for o in options if o.get("type") != "null"]
        if not full or (style.nulls and len(full) < len(options)):
            return None
        here = self._sites.setdefault(id(site), _Site([set() for _ in full]))
        for inside in self._inside:
            inside.add(id(site))
        number = here.next(self._sites)
        self._inside.append(here.below[number])
        made = self._make(full[number], style, name)
        self._inside.pop()
        return made

    def _object(self, schema: dict[str, Any], style: Style, name: str) -> Any:
        properties = schema.get("properties", {})
        rest = schema.get("additionalProperties")
        if isinstance(rest, dict) and not properties:
            return {f"key {n}": self._make(rest, style, name) for n in range(style.length)}
        if not properties:
            return _OPEN
        required = schema.get("required", [])
        made = {
            key: self._make(inner, style, key)
            for key, inner in properties.items()
            if style.optional or key in required
        }
        # Some schemas require what they, or another part of the same object, do not describe.
        made |= {key: _OPEN for key in required if key not in properties}
        if style.extras:
            made["never_described"] = _EXTRAS[self._count % len(_EXTRAS)]
            made["nie beschrieben ü"] = _EXTRAS[(self._count + 3) % len(_EXTRAS)]
            self._count += 1
        return made

    def _array(self, schema: dict[str, Any], style: Style, name: str) -> Any:
        return [self._make(schema["items"], style, name) for _ in range(style.length)]

    def _scalar(self, schema: dict[str, Any], type_: str, style: Style, name: str) -> Any:
        self._count += 1
        if "enum" in schema:
            return schema["enum"][self._count % len(schema["enum"])]
        form = schema.get("format", "")
        # What may be proposed as a key must not repeat.
        own = name in {"id", "uid"}
        low, high = _INTEGERS.get(form, _INTEGERS["int64"])
        if style.extreme:
            values: dict[str, Any] = {
                "integer": high - self._count if own else self._random.choice([low, high, -1, 0]),
                "number": self._random.choice(_DOUBLES),
                "string": _DATES[self._count % 4] if form == "date" else _TEXTS[self._count % len(_TEXTS)],
            }
        else:
            values = {
                "integer": self._count if own else self._random.randrange(10_000),
                "number": round(self._random.uniform(-10, 100), 2),
                "string": "2026-11-20" if form == "date" else self._random.choice(_WORDS),
            }
        values |= {"boolean": self._random.random() < 0.5, "null": None}
        return f"{values[type_]} {self._count}" if own and type_ == "string" else values[type_]


class AnyApi(Server):
    """Serves bodies as the pages of one list, linked to each other where the first has links."""

    def __init__(self, bodies: list[dict[str, Any]]) -> None:
        super().__init__()
        self._bodies = bodies

    def hear(self, handler: Handler) -> Answer:
        super().hear(handler)
        asked = urlsplit(handler.path)
        number = int(parse_qs(asked.query).get("page", ["0"])[0])
        body = dict(self._bodies[number])
        if len(self._bodies) > 1:
            here = f"{self.url}{asked.path.removeprefix('/v2')}?page="
            following = f"{here}{number + 1}" if number + 1 < len(self._bodies) else None
            body["_metadata"] = {**body["_metadata"], "links": {"next": following, "prev": None}}
        return Answer(json.dumps(body).encode())

"""Google's own description of BigQuery's API, which says what a request may hold."""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any

from support.bigquery import FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["problems"]

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "object": (dict,),
    "array": (list,),
    "any": (object,),
}


@functools.cache
def _document() -> dict[str, Any]:
    (file,) = FOLDER.glob("lib/python*/site-packages/local_bigquery/discovery.json")
    found: dict[str, Any] = json.loads(file.read_bytes())
    return found["schemas"]


def problems(schema: str, value: Any) -> list[str]:
    """Return what of a value its schema does not know, or knows otherwise."""
    return list(_problems(_document()[schema], value, ""))


def _problems(schema: dict[str, Any], value: Any, path: str) -> Iterator[str]:
    if "$ref" in schema:
        schema = _document()[schema["$ref"]]
    kind = schema.get("type", "any")
    if value is None:
        return
    # Numbers of 64 bits are strings in JSON; Google takes numbers for them, too.
    wide = kind == "string" and schema.get("format") in {"int64", "uint64"}
    if not isinstance(value, (str, int) if wide else _TYPES[kind]):
        yield f"{path} is a {type(value).__name__} and should be {kind}"
    elif kind == "array":
        for number, one in enumerate(value):
            yield from _problems(schema["items"], one, f"{path}[{number}]")
    elif kind == "object":
        known, others = schema.get("properties", {}), schema.get("additionalProperties")
        for name, one in value.items():
            here = f"{path}.{name}".removeprefix(".")
            if name in known or others:
                yield from _problems(known.get(name) or others, one, here)
            else:
                yield f"{here} is not known"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{path} is {value!r} and should be one of {schema['enum']}"

"""A page that is not as declared: what is new in it, and which records are wrong.

Only pages that failed the quick way come here, so clarity counts more than speed.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from shared.jsontext import dump_ascii, parse_forgiving
from shared.split import split_records

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from shared.shapes import Shape
    from shared.split import Pieces

__all__ = ["Drift", "Rejected", "drift_in", "locate", "split_records"]

_RAW_LIMIT = 64 * 1024
_TEXT_LIMIT = 500
_JSON_TYPES = {
    dict: "object",
    list: "array",
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    type(None): "null",
}


class Drift(msgspec.Struct, frozen=True):
    """A field that nobody declared: its path, lists marked ``[]``, and its JSON type."""

    path: str
    type: str


class Rejected(msgspec.Struct, frozen=True, kw_only=True):
    """A record that was set aside: where it stood, why, and its JSON."""

    request: str
    path: str
    reason: str
    raw: str

    @classmethod
    def of(
        cls, request: str, place: Sequence[str], pieces: Pieces, number: int, *, fault: tuple[str, str]
    ) -> Rejected:
        """Describe the record ``number`` of an answer's pieces: where inside it, and why."""
        key, raw = pieces.items[number]
        inside, reason = fault
        where = "" if pieces.kind == "single" else f"[{number if key is None else repr(key)}]"
        path = f"{'.'.join(place) or '$'}{where}"
        return cls(
            request=request,
            path=_printable(path + inside if inside[:1] in {"", "["} else f"{path}.{inside}"),
            reason=_printable(reason),
            raw=raw.decode("utf-8", "backslashreplace")[:_RAW_LIMIT],
        )


def drift_in(body: bytes, shape: Shape) -> list[tuple[Drift, str, Shape]]:
    """Return every field of a body that its shape lacks, with its key and the object it is in.

    A field of several types is there once for each; null counts only where it has no other. A body
    that does not parse at all has none.
    """
    try:
        data = parse_forgiving(body)
    except ValueError:
        return []
    found: dict[tuple[int, str], tuple[str, Shape, set[str]]] = {}
    for path, key, inside, kind in _unknown(data, shape, ""):
        found.setdefault((id(inside), key), (path, inside, set()))[2].add(kind)
    return [
        (Drift(_printable(path), kind), key, inside)
        for (_, key), (path, inside, kinds) in found.items()
        for kind in sorted(kinds - {"null"} or kinds)
    ]


def _unknown(value: Any, shape: Shape, path: str) -> Iterator[tuple[str, str, Shape, str]]:
    if isinstance(value, list) and shape.kind in {"list", "records"} and shape.element:
        for item in value:
            yield from _unknown(item, shape.element, f"{path}[]")
    elif isinstance(value, dict) and shape.kind == "map" and shape.element:
        for item in value.values():
            yield from _unknown(item, shape.element, f"{path}[]")
    elif isinstance(value, dict) and shape.kind == "records" and shape.element:
        yield from _unknown(value, shape.element, path)
    elif isinstance(value, dict) and shape.kind == "object":
        for key, inner in value.items():
            below = f"{path}.{key}" if path else key
            child = shape.children.get(key)
            if child is None:
                yield below, key, shape, _JSON_TYPES[type(inner)]
            elif child.kind not in {"value", "ignored"}:
                yield from _unknown(inner, child, below)


def locate(raw: bytes, shape: Shape, error: Exception) -> tuple[str, str]:
    """Return where in a record of this shape the decoder stopped, and why.

    Its own word is taken where that is exact; it names no place in a map and none for what is no
    JSON, and then the record is walked.
    """
    text, _, inside = str(error).partition(" - at ")
    exact = isinstance(error, msgspec.ValidationError) and "[...]" not in inside and "key" not in inside[:6]
    if not exact:
        try:
            fault = next(_faults(parse_forgiving(raw), shape, "", needed=True), None)
        except (ValueError, RecursionError):
            fault = None
        if fault is not None:
            return fault
    if isinstance(error, RecursionError):
        return "", "nested too deeply"
    return inside.strip("`").removeprefix("$").removeprefix("."), text


def _faults(value: Any, shape: Shape, path: str, *, needed: bool) -> Iterator[tuple[str, str]]:
    if value is None and not needed and shape.kind != "ignored":
        return
    if shape.kind in {"value", "ignored"}:
        reason = _reason(value, Any if shape.kind == "ignored" else shape.type)
        if reason is not None:
            yield path, reason
        return
    wanted = list if shape.kind == "list" else dict
    if not isinstance(value, wanted):
        yield path, f"Expected `{_JSON_TYPES[wanted]}`, got `{_JSON_TYPES[type(value)]}`"
    elif shape.element is None:
        yield from _faults_in_object(value, shape, path)
    else:
        # An object must be one; a null among values, lists and maps is a value that is missing.
        strict = shape.element.kind == "object" or shape.element.required
        labelled: Any = value.items() if isinstance(value, dict) else enumerate(value)
        for label, item in labelled:
            yield from _faults(item, shape.element, f"{path}[{label!r}]", needed=strict)


def _faults_in_object(value: Any, shape: Shape, path: str) -> Iterator[tuple[str, str]]:
    for key, child in shape.children.items():
        if key in value:
            yield from _faults(value[key], child, f"{path}.{key}" if path else key, needed=child.required)
        elif child.required:
            yield path, f"Object missing required field `{key}`"
    for key, item in value.items():
        reason = None if key in shape.children else _reason(key, str) or _reason(item, Any)
        if reason is not None:
            yield f"{path}.{key}" if path else key, reason


def _reason(value: Any, type_: Any) -> str | None:
    """Return why a value is not of a type, if it is not."""
    if isinstance(value, float) and not math.isfinite(value):
        return "is no number that can be kept"
    text = dump_ascii(value).encode()
    try:
        _decoder(Any if type_ is msgspec.Raw else type_).decode(text)
    except (msgspec.DecodeError, UnicodeError) as error:
        if isinstance(error, msgspec.ValidationError):
            return str(error)
        return "holds a lone surrogate, bytes that are not UTF-8 or a number that cannot be kept"
    return None


@lru_cache(maxsize=64)
def _decoder(type_: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(type_)


def _printable(text: str) -> str:
    """Return a text that any store takes: no lone surrogates, and not without end."""
    return text.encode("utf-8", "backslashreplace").decode()[:_TEXT_LIMIT]

"""A page that is not as declared: what is new in it, and which records are wrong.

Only pages that failed the quick way come here, so clarity counts more than speed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from shared.errors import BrokenContract
from shared.jsontext import dump_ascii, parse_forgiving

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.shapes import Shape

__all__ = ["Drift", "Rejected", "drift_in", "split_records"]

_RAW_LIMIT = 64 * 1024
_JSON_TYPES = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number"}


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
        cls, request: str, place: Sequence[str], number: int, key: str | None, raw: bytes, error: Exception
    ) -> Rejected:
        """Describe a record that ``error`` was raised for."""
        inside = getattr(error, "path", None)
        reason = getattr(error, "reason", None) if inside else None
        text = str(error)
        if inside is None:
            text, _, inside = text.partition(" - at ")
            inside = inside.strip("`").removeprefix("$").removeprefix(".")
        record = f"{'.'.join(place) or '$'}[{number if key is None else key!r}]"
        return cls(
            request=request,
            path=f"{record}.{inside}" if inside else record,
            reason=str(reason or text or type(error).__name__),
            raw=raw.decode("utf-8", "backslashreplace")[:_RAW_LIMIT],
        )


Found = dict[tuple[int, str], tuple[Drift, str, "Shape"]]


def drift_in(body: bytes, shape: Shape) -> list[tuple[Drift, str, Shape]]:
    """Return every field of a body that its shape lacks, with its key and the object it is in.

    A body that does not parse at all has none.
    """
    try:
        data = parse_forgiving(body)
    except ValueError:
        return []
    found: Found = {}
    _walk(data, shape, "", found)
    return list(found.values())


def _walk(value: Any, shape: Shape, path: str, found: Found) -> None:
    if isinstance(value, list) and shape.kind in {"list", "records"} and shape.element:
        for item in value:
            _walk(item, shape.element, f"{path}[]", found)
    elif isinstance(value, dict) and shape.kind == "map" and shape.element:
        for item in value.values():
            _walk(item, shape.element, f"{path}[]", found)
    elif isinstance(value, dict) and shape.kind == "records" and shape.element:
        _walk(value, shape.element, path, found)
    elif isinstance(value, dict) and shape.kind == "object":
        for key, inner in value.items():
            below = f"{path}.{key}" if path else key
            child = shape.children.get(key)
            if child is not None:
                _walk(inner, child, below, found)
            elif (id(shape), key) not in found:
                kind = _JSON_TYPES.get(type(inner), "null")
                found[id(shape), key] = (Drift(below, kind), key, shape)


def split_records(
    body: bytes, place: Sequence[str], *, mapped: bool = False
) -> list[tuple[str | None, bytes]]:
    """Return each record's key (None outside maps) and its JSON.

    Raises:
        BrokenContract: the body holds no records where they are declared.
    """
    try:
        holder = msgspec.Raw(body)
        for key in place:
            holder = msgspec.json.decode(holder, type=dict[str, msgspec.Raw])[key]
        found: Any = msgspec.json.decode(holder, type=_split_type(holder, mapped=mapped))
    except (msgspec.DecodeError, UnicodeError, KeyError):
        found = _split_forgiving(body, place, mapped=mapped)
    if found is None:
        return []
    if isinstance(found, dict):
        return [(key, bytes(raw)) for key, raw in found.items()]
    if isinstance(found, list):
        return [(None, bytes(raw)) for raw in found]
    return [(None, bytes(found))]


def _split_type(holder: msgspec.Raw, *, mapped: bool) -> Any:
    if bytes(holder).lstrip()[:1] == b"[":
        return list[msgspec.Raw]
    return dict[str, msgspec.Raw] if mapped else msgspec.Raw


def _split_forgiving(body: bytes, place: Sequence[str], *, mapped: bool) -> Any:
    try:
        found = parse_forgiving(body)
        for key in place:
            found = found[key]
    except (ValueError, KeyError, TypeError, IndexError) as error:
        where = ".".join(place) or "the body"
        raise BrokenContract(
            f"the answer holds no records at {where!r} ({type(error).__name__})",
            next_step="compare the archived answer with `records` in endpoint.yaml",
        ) from error
    if isinstance(found, list):
        return [dump_ascii(item).encode() for item in found]
    if isinstance(found, dict) and mapped:
        return {key: dump_ascii(item).encode() for key, item in found.items()}
    return None if found is None else dump_ascii(found).encode()

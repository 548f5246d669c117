"""One answer cut into its records' bytes, whatever is inside them.

The strict decoder cuts well-formed JSON. Where a record is not well-formed (a lone surrogate, bytes
that are not UTF-8, NaN, nesting without end) a scanner that knows only strings and brackets cuts,
so that one such record does not take the others with it.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from shared.errors import BrokenContract
from shared.jsontext import parse_forgiving

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Pieces", "split_records"]

_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|["\[\]{},:]', re.DOTALL)
_CLOSING = {b"[": b"]", b"{": b"}"}

Member = tuple[str | None, bytes]


@dataclass(frozen=True, slots=True)
class Pieces:
    """The records of an answer: in a list, in a map by their keys, or a single one."""

    kind: Literal["list", "map", "single"]
    items: list[Member]


class _NotThereError(ValueError):
    """Raise when the records are not where they are declared."""


def split_records(body: bytes, place: Sequence[str], *, mapped: bool = False) -> Pieces:
    """Return each record's key (None outside maps) and its JSON.

    Args:
        body: The answer.
        place: The path to the records; empty when the body is the record.
        mapped: The records stand in a map.

    Raises:
        BrokenContract: the body holds no records where they are declared.

    """
    body = body.removeprefix(codecs.BOM_UTF8)
    try:
        try:
            return _cut(body, place, _members, mapped=mapped)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return _cut(body, place, _scanned, mapped=mapped)
    except _NotThereError as error:
        raise BrokenContract(
            f"the answer holds no records at {'.'.join(place) or 'its top'!r}: {error}",
            next_step="compare the archived answer with `records` in endpoint.yaml",
        ) from error


def _cut(body: bytes, place: Sequence[str], members: Any, *, mapped: bool) -> Pieces:
    holder = body.strip()
    for key in place:
        if holder[:1] != b"{":
            raise _NotThereError(f"{key!r} is looked for in what is no object")
        inside = dict(members(holder))
        if key not in inside:
            raise _NotThereError(f"{key!r} is missing")
        if members is _scanned:
            _check_json(value for name, value in inside.items() if name != key)
        holder = inside[key]
    if holder == b"null":
        return Pieces("list", [])
    if holder[:1] == b"[" and not mapped:
        return Pieces("list", members(holder))
    if holder[:1] == b"{" and mapped:
        return Pieces("map", list(dict(members(holder)).items()))
    if holder[:1] == b"{":
        members(holder)
        return Pieces("single", [(None, holder)])
    raise _NotThereError(
        "a map was declared, another thing found" if mapped else "neither list, object nor null"
    )


def _members(holder: bytes) -> list[Member]:
    """Return the members of well-formed JSON."""
    if holder[:1] == b"[":
        return [(None, bytes(raw)) for raw in msgspec.json.decode(holder, type=list[msgspec.Raw])]
    found = msgspec.json.decode(holder, type=dict[str, msgspec.Raw])
    return [(key, bytes(raw)) for key, raw in found.items()]


def _scanned(holder: bytes) -> list[Member]:
    """Return the members of what has strings and matching brackets, but may be no JSON inside."""
    found: list[Member] = []
    closing: list[bytes] = []
    key: str | None = None
    start = 1
    for token in _TOKEN.finditer(holder):
        mark = token.group()[:1]
        if token.group() == b'"':
            raise _NotThereError("it breaks off inside a text")
        if mark in _CLOSING:
            closing.append(_CLOSING[mark])
        elif mark in b"]}":
            if closing.pop() != mark:
                raise _NotThereError("its brackets do not match")
            if not closing:
                _add(found, key, holder[start : token.start()])
                if holder[token.end() :].strip():
                    raise _NotThereError("something stands behind its end")
                return found
        elif len(closing) == 1 and mark == b",":
            _add(found, key, holder[start : token.start()])
            key, start = None, token.end()
        elif mark == b":" and len(closing) == 1 and key is None and holder[:1] == b"{":
            key, start = _key(holder[start : token.start()]), token.end()
    raise _NotThereError("it breaks off before its end")


def _check_json(values: Iterable[bytes]) -> None:
    """Refuse an answer that is no JSON beside its records, where nothing would be set aside for it."""
    for value in values:
        try:
            parse_forgiving(value)
        except ValueError as error:
            raise _NotThereError(f"it is no JSON: {error}") from error


def _add(found: list[Member], key: str | None, value: bytes) -> None:
    value = value.strip()
    if value or found or key is not None:
        found.append((key, value))


def _key(text: bytes) -> str:
    try:
        return str(parse_forgiving(text))
    except ValueError:
        raise _NotThereError("a key is no text") from None

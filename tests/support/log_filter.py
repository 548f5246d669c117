"""Cloud Logging's query language, as much of it as comparisons, AND, OR, NOT and parentheses are.

As Google documents it: OR binds tighter than AND, a comparison with a field that is not there is
false, text is compared without regard to case, but not by regular expressions.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FilterError", "accepts", "parse"]

_TOKEN = re.compile(
    r'\s*(?:(?P<text>"(?:[^"\\]|\\.)*")|(?P<sign>=~|!~|!=|>=|<=|[=<>:()-])|(?P<word>[\w.*%/]+))'
)
_SEVERITIES = ["DEFAULT", "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY"]
_FIELDS = (
    "timestamp", "severity", "logName", "textPayload", "jsonPayload", "labels.", "resource.type",
    "resource.labels.", "jsonPayload.",
)  # fmt: skip


class FilterError(ValueError):
    """Raise for what is no filter."""


class Comparison(NamedTuple):
    """A field, an operator and a value."""

    field: str
    sign: str
    value: str


class Group(NamedTuple):
    """``AND``, ``OR`` or ``NOT`` of others."""

    sign: str
    parts: list[Any]


def parse(text: str) -> Comparison | Group:
    """Read a filter.

    Raises:
        FilterError: it is none.
    """
    tokens, place = [], 0
    while text[place:].strip():
        match = _TOKEN.match(text, place)
        if match is None:
            raise FilterError(f"at {text[place : place + 20]!r}")
        tokens.append((str(match.lastgroup), match[str(match.lastgroup)]))
        place = match.end()
    found = _all(tokens)
    if tokens:
        raise FilterError(f"unexpected {tokens[0][1]!r}")
    return found


def _all(tokens: list[tuple[str, str]]) -> Comparison | Group:
    parts = [_any(tokens)]
    while tokens and tokens[0] != ("sign", ")"):
        if tokens[0] == ("word", "AND"):
            tokens.pop(0)
        parts.append(_any(tokens))
    return Group("AND", parts)


def _any(tokens: list[tuple[str, str]]) -> Comparison | Group:
    parts = [_one(tokens)]
    while tokens and tokens[0] == ("word", "OR"):
        tokens.pop(0)
        parts.append(_one(tokens))
    return Group("OR", parts)


def _one(tokens: list[tuple[str, str]]) -> Comparison | Group:
    if not tokens:
        raise FilterError("it ends too early")
    kind, text = tokens.pop(0)
    if (kind, text) in {("word", "NOT"), ("sign", "-")}:
        return Group("NOT", [_one(tokens)])
    if (kind, text) == ("sign", "("):
        found = _all(tokens)
        if not tokens or tokens.pop(0) != ("sign", ")"):
            raise FilterError("a parenthesis is not closed")
        return found
    if kind != "word" or not text.startswith(_FIELDS):
        raise FilterError(f"{text!r} is no field")
    if len(tokens) < 2 or tokens[0][0] != "sign" or tokens[1][0] == "sign":
        raise FilterError(f"{text!r} is compared with nothing")
    sign, value = tokens.pop(0)[1], tokens.pop(0)
    return Comparison(text, sign, json.loads(value[1]) if value[0] == "text" else value[1])


def accepts(wanted: Comparison | Group, entry: Mapping[str, Any]) -> bool:
    """Say whether an entry's JSON is what a filter wants."""
    if isinstance(wanted, Group):
        results = [accepts(part, entry) for part in wanted.parts]
        return {"AND": all, "OR": any, "NOT": lambda found: not found[0]}[wanted.sign](results)
    found: Any = entry
    for name in wanted.field.split("."):
        if not isinstance(found, dict) or name not in found:
            return False
        found = found[name]
    if wanted.sign == ":" and wanted.value == "*":
        return True
    if wanted.sign in {"=~", "!~"}:
        return (re.search(wanted.value, str(found)) is not None) == (wanted.sign == "=~")
    if isinstance(found, int | float) and wanted.sign != ":":
        mine, theirs = float(found), float(wanted.value)
    else:
        mine, theirs = _comparable(wanted.field, found), _comparable(wanted.field, wanted.value)
    return bool(
        {
            "=": mine == theirs, "!=": mine != theirs, ">=": mine >= theirs, "<=": mine <= theirs,
            ">": mine > theirs, "<": mine < theirs, ":": str(theirs) in str(mine),
        }[wanted.sign]
    )  # fmt: skip


def _comparable(field: str, value: Any) -> Any:
    if field == "timestamp":
        return datetime.fromisoformat(str(value))
    if field == "severity":
        return _SEVERITIES.index(str(value).upper())
    return str(value).casefold()

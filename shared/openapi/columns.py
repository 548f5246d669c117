"""A column for a value of the answer: its type, its check, and what a person should look at.

An integer is proposed as a TIMESTAMP by its name or description, and only if it is an int32: each
of those is a moment between 1901 and 2038, so a wrong guess can be mended later and rejects
nothing until then. An int64 may be out of a TIMESTAMP's range and stays INTEGER, with a remark.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shared.openapi.node import Node

__all__ = ["ColumnDraft", "column_of", "one_line"]

#: A check of more values than this is longer than the table.
_LONGEST_ENUM = 60
_DESCRIPTION = 300
_BREAK = re.compile(r"<\s*/?\s*(?:br|p|li|ul|ol|div|h\d)\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_TIME_NAME = re.compile(
    r"(?:^|_)(?:at|timestamp|until|expires|expiry|since|started|ended)$"
    r"|^(?:start|end|signed_up)$|(?:^|_)(?:created|updated|modified|joined|expire)_time$|^time_(?:started|ended)$"
)
_TIME_WORDS = re.compile(r"\b(?:timestamp|unix time|epoch|seconds since 1970)\b", re.IGNORECASE)
_LENGTH_WORDS = re.compile(
    r"\b(?:duration|time left|time played|amount of|number of|how (?:long|many)"
    r"|in (?:seconds|minutes|hours|days))\b",
    re.IGNORECASE,
)
_LENGTH_NAME = re.compile(
    r"(?:^|_)(?:duration|delay|left|remaining|count|total|days|hours|minutes|seconds)(?:_|$)"
)


@dataclass(slots=True, kw_only=True)
class ColumnDraft:
    """A column as it will stand in endpoint.yaml; ``note`` is the comment behind it."""

    name: str
    keys: dict[str, Any] = field(default_factory=dict)
    note: str = ""
    #: What kind of decision it leaves to a person: time, json, enum or nothing.
    about: str = ""


def one_line(text: str, length: int = _DESCRIPTION) -> str:
    """Return a text without markup and line breaks, cut at a word."""
    plain = " ".join(html.unescape(_TAG.sub("", _BREAK.sub(" ", text))).split())
    plain = "".join(c for c in plain if c.isprintable())
    if len(plain) <= length:
        return plain
    return plain[: length - 1].rpartition(" ")[0].rstrip(" ,;:.") + "…"


def column_of(name: str, source: str, node: Node) -> ColumnDraft:
    """Return the column that takes what stands at a place.

    Args:
        name: The column's name.
        source: The path from the row's object, or $value.
        node: A scalar or what can only be kept as JSON.
    """
    draft = ColumnDraft(name=name)
    type_ = _type(source, node, draft)
    draft.keys = {"type": type_, "from": source}
    if type_ == "TIMESTAMP":
        draft.keys["unit"] = "iso" if node.types == ("string",) else "s"
    if node.enum and type_ in {"STRING", "INTEGER", "FLOAT"}:
        if len(node.enum) <= _LONGEST_ENUM:
            draft.keys["check"] = {"enum": list(node.enum)}
        else:
            draft.note = f"{len(node.enum)} values are described; too many to check"
            draft.about = "enum"
    description = one_line(node.description)
    if any(c.isalpha() for c in description):
        draft.keys["description"] = description
    return draft


def _type(source: str, node: Node, draft: ColumnDraft) -> str:
    if node.kind != "scalar":
        draft.note, draft.about = f"as JSON: {node.why}", "json"
        return "JSON"
    if node.types == ("integer",):
        return _integer(source, node, draft)
    if "number" in node.types:
        if "integer" in node.types and node.format != "int32":
            draft.note = "an integer that no FLOAT holds exactly would set its record aside"
        return "FLOAT"
    if node.types == ("boolean",):
        return "BOOLEAN"
    return {"date": "DATE", "date-time": "TIMESTAMP"}.get(node.format, "STRING")


def _integer(source: str, node: Node, draft: ColumnDraft) -> str:
    if node.enum or not _is_time(source.rpartition(".")[2], node.description):
        return "INTEGER"
    draft.about = "time"
    if node.format == "int32":
        draft.note = "proposed: unix seconds, by its name"
        return "TIMESTAMP"
    draft.note, draft.about = "perhaps unix seconds: then TIMESTAMP, unit s", "perhaps"
    return "INTEGER"


def _is_time(name: str, description: str) -> bool:
    if _LENGTH_NAME.search(name) or _LENGTH_WORDS.search(description):
        # "The duration until when …" of a field named until is a moment for all that.
        return bool(re.search(r"(?:_at|timestamp)$|^until$", name))
    return bool(_TIME_NAME.search(name) or _TIME_WORDS.search(description))

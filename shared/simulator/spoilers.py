"""Spoil one page of JSON in the ways a changing API does: in one record, so that the others must survive.

The record spoiled is the page's second (the only one, where there is one alone), or the first that has the
field in question. The functions change the document in place and work for any page: the records are its first
list.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "add_fields",
    "dump",
    "fractional_id",
    "huge_integer",
    "lone_surrogate",
    "lose_id",
    "nested_text",
    "null_lists",
    "records",
    "text_number",
    "victim",
]

Record = dict[str, Any]
_INT64_END = 2**63


def dump(document: object) -> bytes:
    """Write JSON compactly; unlike stricter writers, also lone surrogates and integers of any size."""
    return json.dumps(document, separators=(",", ":")).encode("ascii")


def records(document: Record) -> list[Record]:
    """Find a page's records: its first list, or none."""
    return next((value for value in document.values() if isinstance(value, list)), [])


def victim(document: Record, has: Callable[[Record], object] = lambda _record: True) -> Record:
    """Choose the record to spoil; an empty one, which goes nowhere, if the page has none."""
    fitting = [record for record in records(document) if isinstance(record, dict) and has(record)]
    return (fitting[1:] or fitting or [{}])[0]


def text_number(document: Record) -> None:
    """Make a number a text: ``"difficulty": "7"`` (of an item: circulation)."""
    record = victim(document)
    name = _first_of(record, "difficulty", "circulation", "level")
    record[name] = str(record.get(name))


def fractional_id(document: Record) -> None:
    """Give an id a fraction: ``"id": 7.5``."""
    record = victim(document)
    record["id"] = record.get("id", 7) + 0.5


def nested_text(document: Record) -> None:
    """Make a number deep inside a text: ``"percentage": "80"`` (of an item: value.market_price)."""
    record = victim(document, lambda record: (record.get("rewards") or {}).get("payout"))
    if record:
        payout = record["rewards"]["payout"]
        payout["percentage"] = str(payout["percentage"])
    elif value := victim(document, lambda record: record.get("value")).get("value"):
        value["market_price"] = str(value["market_price"])


def lone_surrogate(document: Record) -> None:
    r"""Put half of a character into a name: ``"name": "... \ud800"``."""
    record = victim(document)
    record["name"] = f"{record.get('name')} \ud800"


def huge_integer(document: Record) -> None:
    """Let an integer exceed 64 bits: previous_crime_id (of an item: circulation) becomes 2**63."""
    record = victim(document)
    record[_first_of(record, "previous_crime_id", "circulation", "id")] = _INT64_END


def lose_id(document: Record) -> None:
    """Take the id away."""
    victim(document).pop("id", None)


def add_fields(document: Record) -> None:
    """Add fields nobody has heard of: at the top, in a record, and in that record's slots' users."""
    document["api_notice"] = "A new field"
    record = victim(document)
    record["heat"] = {"level": 3, "note": "A new field"}
    for slot in record.get("slots") or []:
        if slot["user"]:
            slot["user"]["reputation"] = 12


def null_lists(document: Record) -> None:
    """Make ``slots`` null in one record; take ``rewards.items`` away in another that has it."""
    record = victim(document)
    if "slots" in record:
        record["slots"] = None
    for other in records(document):
        if other is not record and "items" in (other.get("rewards") or {}):
            del other["rewards"]["items"]
            return


def _first_of(record: Record, *names: str) -> str:
    return next((name for name in names if name in record), names[-1])

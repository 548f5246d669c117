"""Spoil one page of JSON in the ways a changing API does: in one record, so that the others must survive.

The record spoiled is the page's second (the only one, where there is one alone), or the first that has the
field in question. The functions change the document in place and work for any body: the records are its first
list, or the first list of an object in it, or the entries of a map in it, or the objects themselves. Where a
body has nothing that could be spoiled in that way, it stays as it is.
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
    "renumber",
    "text_number",
    "victim",
]

Record = dict[str, Any]
_INT64_END = 2**63
_IDS = ("id", "faction_id")
_NAMES = ("name", "username", "faction_name")
_NUMBERS = ("difficulty", "circulation", "level", "quantity", "money", "respect", "start", "until")


def dump(document: object) -> bytes:
    """Write JSON compactly; unlike stricter writers, also lone surrogates and integers of any size."""
    return json.dumps(document, separators=(",", ":")).encode("ascii")


def records(document: Record) -> list[Record]:
    """Find a body's records: its first list, else the first in an object, else a map's, else its objects."""
    objects = [value for name, value in document.items() if isinstance(value, dict) and name != "_metadata"]
    for holder in (document, *objects):
        for value in holder.values():
            if isinstance(value, list):
                return value
    for holder in objects:
        if len(holder) > 1 and all(isinstance(value, dict) for value in holder.values()):
            return list(holder.values())
    return objects


def victim(document: Record, has: Callable[[Record], object] = lambda _record: True) -> Record:
    """Choose the record to spoil; an empty one, which goes nowhere, if the page has none."""
    fitting = [record for record in records(document) if isinstance(record, dict) and has(record)]
    return (fitting[1:] or fitting or [{}])[0]


def text_number(document: Record) -> None:
    """Make a number a text: ``"difficulty": "7"`` (of an item: circulation)."""
    record = victim(document)
    if name := _first_of(record, *_NUMBERS):
        record[name] = str(record[name])


def fractional_id(document: Record) -> None:
    """Give an id a fraction: ``"id": 7.5``."""
    record = victim(document)
    if isinstance(record.get(name := _first_of(record, *_IDS)), int):
        record[name] += 0.5


def nested_text(document: Record) -> None:
    """Make a number deep inside a text: ``"percentage": "80"`` (of an item: value.market_price).

    Of any other record, a number of the first object in it that has one.
    """
    record = victim(document, lambda record: "percentage" in _inside(record, "rewards", "payout"))
    if record:
        payout = _inside(record, "rewards", "payout")
        payout["percentage"] = str(payout["percentage"])
        return
    if found := _deep_number(victim(document, _deep_number)):
        holder, name = found
        holder[name] = str(holder[name])


def lone_surrogate(document: Record) -> None:
    r"""Put half of a character into a name: ``"name": "... \ud800"``."""
    record = victim(document)
    for holder in (record, *(value for value in record.values() if isinstance(value, dict))):
        if isinstance(holder.get(name := _first_of(holder, *_NAMES)), str):
            holder[name] += " \ud800"
            return


def huge_integer(document: Record) -> None:
    """Let an integer exceed 64 bits: previous_crime_id (of an item: circulation) becomes 2**63."""
    record = victim(document)
    if name := _first_of(record, "previous_crime_id", "circulation", *_IDS):
        record[name] = _INT64_END


def lose_id(document: Record) -> None:
    """Take the id away."""
    record = victim(document)
    record.pop(_first_of(record, *_IDS), None)


def add_fields(document: Record) -> None:
    """Add fields nobody has heard of: at the top, in a record, and in that record's slots' users."""
    document["api_notice"] = "A new field"
    record = victim(document)
    record["heat"] = {"level": 3, "note": "A new field"}
    slots = record.get("slots")
    # A territory has slots too: a number of them.
    for slot in slots if isinstance(slots, list) else ():
        if user := _inside(slot, "user"):
            user["reputation"] = 12


def null_lists(document: Record) -> None:
    """Make ``slots`` null in one record; take ``rewards.items`` away in another that has it."""
    record = victim(document)
    if isinstance(record.get("slots"), list):
        record["slots"] = None
    for other in records(document):
        if other is not record and "items" in (rewards := _inside(other, "rewards")):
            del rewards["items"]
            return


def renumber(document: Record, page: int) -> None:
    """Give the records of the first page ids of another: numbers that follow, or texts that name the page."""
    found = [record for record in records(document) if isinstance(record, dict)]
    ids = [record["id"] for record in found if isinstance(record.get("id"), int)]
    span = max(ids, default=0) - min(ids, default=0) + 1
    for record in found:
        if isinstance(record.get("id"), int):
            record["id"] += span * page
        elif isinstance(record.get("id"), str) and page:
            record["id"] += f"-{page}"


def _inside(holder: object, *names: str) -> Record:
    """Give the object at a path; an empty one where there is none."""
    for name in names:
        holder = holder.get(name) if isinstance(holder, dict) else None
    return holder if isinstance(holder, dict) else {}


def _first_of(record: Record, *names: str) -> str:
    return next((name for name in names if name in record), "")


def _deep_number(record: Record) -> tuple[Record, str] | None:
    """Find a number in an object of a record: the price of an item, else the first."""
    for holder in (value for value in record.values() if isinstance(value, dict)):
        numbers = [name for name, value in holder.items() if type(value) in {int, float}]
        if numbers:
            return holder, "market_price" if "market_price" in numbers else numbers[0]
    return None

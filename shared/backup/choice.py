"""Which backup a person means."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time
from difflib import get_close_matches
from typing import TYPE_CHECKING

from shared.errors import FixConfiguration

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from shared.backup import Snapshot

__all__ = ["at_or_before", "known_table", "moment", "named"]

_LIST = "`tcdatalogger backup --list` shows every backup"


def moment(text: str) -> datetime:
    """Return the time that a person wrote: a date means its end, a time without a zone is universal.

    Raises:
        ValueError: it is no time.
    """
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        return datetime.combine(datetime.fromisoformat(text), time.max, UTC)
    found = datetime.fromisoformat(text)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def known_table(table: str, tables: Sequence[str]) -> None:
    """Refuse a table that there is not.

    Raises:
        FixConfiguration: it is not there, and which one may be meant.
    """
    if table not in tables:
        raise FixConfiguration(
            f"there is no table {table!r}, and no backup of one",
            next_step=f"{_meant(table, tables)}there are: {', '.join(sorted(tables)) or 'none'}",
        )


def at_or_before(table: str, snapshots: Iterable[Snapshot], at: datetime) -> Snapshot:
    """Return a table's last backup at or before a time.

    What a restore keeps of the state before it is never meant by a time: it may be the very state
    that somebody wanted to get away from.

    Raises:
        FixConfiguration: there is none.
    """
    mine = [one for one in snapshots if one.table == table and one.kind != "undo"]
    found = [one for one in mine if one.taken_at <= at]
    if found:
        return max(found, key=lambda one: one.taken_at)
    if not mine:
        raise FixConfiguration(
            f"{table} has no backup", next_step="`tcdatalogger backup` makes one, for the next time"
        )
    first = min(mine, key=lambda one: one.taken_at)
    raise FixConfiguration(
        f"{table} has no backup at or before {at:%Y-%m-%d %H:%M:%S} UTC; "
        f"its first is {first.name}, of {first.taken_at:%Y-%m-%d %H:%M:%S} UTC",
        next_step=_LIST,
    )


def named(table: str, snapshots: Iterable[Snapshot], name: str) -> Snapshot:
    """Return a table's backup of this name; what stands before ``__`` in a name may be left out.

    Raises:
        FixConfiguration: there is none.
    """
    mine = {one.name.removeprefix(f"{table}__"): one for one in snapshots if one.table == table}
    short = name.removeprefix(f"{table}__")
    if short not in mine:
        raise FixConfiguration(
            f"{table} has no backup named {name!r}", next_step=f"{_meant(short, list(mine))}{_LIST}"
        )
    return mine[short]


def _meant(word: str, there: Sequence[str]) -> str:
    near = get_close_matches(word, there, n=2)
    return f"did you mean {' or '.join(near)}? " if near else ""

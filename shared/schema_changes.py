"""What an endpoint.yaml would change in released tables: what is refused, and what raises ``version``.

Rows that were written stay as they are, so there is one way to carry them: the old column is kept,
NULLABLE and without a ``from``, and a new one is declared beside it, last.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.released import schema_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from shared.endpoint import Endpoint
    from shared.released import ReleasedColumn, ReleasedTable, Schema

__all__ = ["Change", "schema_changes"]

_KEEP = "keep it as it was, NULLABLE and without `from`, and say so in its description"
_BESIDE = "keep the column as it was, NULLABLE and without `from`; declare a new one beside it, last"
_NEW_TABLE = "keep the table as it was; declare a new one beside it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference between what is released and what is declared."""

    #: None: the endpoint as a whole.
    table: str | None = None
    #: None: the table as a whole.
    column: str | None = None
    what: str
    was: str
    is_: str
    #: The tables cannot follow; else a raised ``version`` makes it right.
    refused: bool = True
    next_step: str = ""

    @property
    def place(self) -> str:
        """Name the table and column, as far as there are any."""
        return ".".join(part for part in (self.table, self.column) if part)


def schema_changes(released: Schema | None, endpoint: Endpoint) -> list[Change]:
    """Return every change since the release, the version's own last; none when nothing is to be done.

    Changes that are not refused are there until they are released with a raised version.

    Args:
        released: What was released last; None when nothing was.
        endpoint: What is declared now.
    """
    declared = schema_of(endpoint)
    if released is None:
        return [] if declared.version == 1 else [_unreleased(declared.version)]
    changes = [
        change
        for name, before in released.tables.items()
        for change in _table(name, before, declared.tables.get(name), endpoint)
    ]
    changes += [
        Change(table=name, what="new table", was="", is_=f"{len(table.columns)} columns", refused=False)
        for name, table in declared.tables.items()
        if name not in released.tables
    ]
    return [*changes, *_version(released.version, declared.version, changes)]


def _unreleased(version: int) -> Change:
    return Change(
        what="a first release is version 1", was="", is_=str(version),
        next_step="set `version: 1`; if it was released before, restore released.json from version control",
    )  # fmt: skip


def _version(before: int, after: int, changes: Sequence[Change]) -> Iterator[Change]:
    """Yield what is to be done about the version itself; what is refused is not for it to mend."""
    refused = any(change.refused for change in changes)
    added = not all(change.refused for change in changes)
    if after == before and added:
        step = f"raise `version` to {before + 1} and run `tcdatalogger schema release`"
    elif after not in {before, before + 1}:
        step = f"set `version: {before + added}`; versions go up by one, when tables change"
    elif after == before or refused:
        return
    else:
        step = ""
    yield Change(
        what="version", was=str(before), is_=str(after), refused=bool(step),
        next_step=step or "run `tcdatalogger schema release`",
    )  # fmt: skip


def _table(
    name: str, before: ReleasedTable, after: ReleasedTable | None, endpoint: Endpoint
) -> Iterator[Change]:
    if after is None:
        yield Change(
            table=name, what="the table is gone", was=f"{len(before.columns)} columns", is_="",
            next_step="declare it again; a table that is fed no more keeps its columns without `from`, "
            "and one under a new name is a new table beside it",
        )  # fmt: skip
        return
    if before.mode != after.mode:
        yield Change(table=name, what="mode", was=before.mode, is_=after.mode, next_step=_NEW_TABLE)
    if before.partition != after.partition:
        days = (before.partition or "none", after.partition or "none")
        yield Change(table=name, what="partition", was=days[0], is_=days[1], next_step=_NEW_TABLE)
    for what, was, now in (("key", before.key, after.key), ("cluster", before.cluster, after.cluster)):
        if was != now:
            # Rows of a merge were told apart by the old key. Elsewhere a key only finds duplicates,
            # and clustering is how new rows are sorted.
            refused = what == "key" and before.mode == "merge"
            step = _NEW_TABLE if refused else ""
            yield Change(
                table=name, what=what, was=_list(was), is_=_list(now), refused=refused, next_step=step
            )
    old = {column.name: column for column in before.columns}
    new = {column.name: column for column in after.columns}
    for column in before.columns:
        yield from _column(name, column, new.get(column.name))
    yield from _order(name, list(old), list(new))
    yield from _added(name, old, after.columns, set(endpoint.tables[name].parent))


def _column(table: str, before: ReleasedColumn, after: ReleasedColumn | None) -> Iterator[Change]:
    at, was = before.name, _said(before)
    if after is None:
        yield Change(table=table, column=at, what="the column is gone", was=was, is_="", next_step=_KEEP)
    elif before.type != after.type:
        yield Change(table=table, column=at, what="type", was=was, is_=_said(after), next_step=_BESIDE)
    elif before.mode == "NULLABLE" and after.mode == "REQUIRED":
        yield Change(
            table=table, column=at, what="mode", was=was, is_=_said(after),
            next_step="leave it NULLABLE: rows without a value may be there",
        )  # fmt: skip
    elif before.mode != after.mode:
        yield Change(table=table, column=at, what="mode", was=was, is_=_said(after), refused=False)


def _order(table: str, old: Sequence[str], new: Sequence[str]) -> Iterator[Change]:
    was = [name for name in old if name in new]
    now = [name for name in new if name in old]
    moved = [n for n, (a, b) in enumerate(zip(was, now, strict=True)) if a != b]
    if moved:
        part = slice(moved[0], moved[-1] + 1)
        yield Change(
            table=table, what="the columns' order", was=_list(was[part]), is_=_list(now[part]),
            next_step="declare them in the order that they had",
        )  # fmt: skip


def _added(
    table: str, old: dict[str, ReleasedColumn], after: Sequence[ReleasedColumn], parents: set[str]
) -> Iterator[Change]:
    last = max((n for n, column in enumerate(after) if column.name in old), default=-1)
    for n, column in enumerate(after):
        if column.name in old:
            continue
        step = ""
        if column.mode == "REQUIRED":
            step = "make it NULLABLE: the rows that are there have no value"
        elif n < last and column.name in parents:
            step = (
                "leave it out: a parent's columns stand before a table's own, so none can be added later; "
                "join the parent's table by its key"
            )
        elif n < last:
            step = f"move it to the end, below {after[last].name!r}"
        what = "new column" if n > last else "new column, not the last"
        yield Change(
            table=table, column=column.name, what=what, was="", is_=_said(column),
            refused=bool(step), next_step=step,
        )  # fmt: skip


def _said(column: ReleasedColumn) -> str:
    return column.type if column.mode == "NULLABLE" else f"{column.type} {column.mode}"


def _list(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"

"""Each key once in a run: the record that was read last counts, and the others are only counted."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

from shared.endpoint import CONSTANTS
from shared.shapes import attribute

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shared.endpoint import Endpoint
    from shared.shapes import Shape, TablePlan

__all__ = ["UniqueKeys"]


class UniqueKeys:
    """Keeps a record whose key came before from making its rows again.

    Pages are flattened newest first, so the record that counts is the one read last. Only the
    root's keys are remembered; a child's key that holds its parent's needs a look within the
    page alone, and one of parent's key and place in the list cannot repeat at all.
    """

    def __init__(self, endpoint: Endpoint, plans: Mapping[str, TablePlan], record: Shape) -> None:
        self._record = record
        self._seen: set[Any] = set()
        self._getter: Any = None
        table = endpoint.tables.get(record.table or "")
        sources = [str(table.columns[k].from_) for k in table.key if k in table.columns] if table else []
        # The time of reading is another for every page: a key that holds it repeats within a page only.
        self._forgetful = "$fetched_at" in sources
        self._paths = [tuple(s.split(".")) for s in sources if not s.startswith("$")]
        self._named = "$key" in sources
        self._usable = bool(self._paths or self._named) and all(
            s in CONSTANTS or s == "$key" or not s.startswith("$") for s in sources
        )
        self._children = {
            name: endpoint.tables[name].key
            for name, plan in plans.items()
            if name != record.table and endpoint.tables[name].key and not _is_safe(endpoint, name, plan.root)
        }

    def compile(self) -> None:
        """Find the key in the structs, whose attributes move when new fields are learned."""
        if self._usable and self._paths:
            self._getter = attrgetter(*(attribute(self._record, path) for path in self._paths))

    def keys(self, names: Sequence[str] | None, records: Sequence[Any]) -> list[Any] | None:
        """Return the records' keys; None when the table has none of its own."""
        if not self._usable:
            return None
        found = list(map(self._getter, records)) if self._paths else []
        if not self._named:
            return found
        return list(zip(names or (), found, strict=True)) if self._paths else list(names or ())

    def first(
        self, names: list[str] | None, records: list[Any]
    ) -> tuple[list[str] | None, list[Any], set[Any]]:
        """Return the records whose key has not been seen, and their keys."""
        keys = self.keys(names, records)
        if keys is None:
            return names, records, set()
        distinct = set(keys)
        if len(distinct) == len(keys) and self._seen.isdisjoint(distinct):
            return names, records, distinct
        fresh = distinct - self._seen
        kept: list[int] = []
        waiting = set(fresh)
        for number, key in enumerate(keys):
            if key in waiting:
                waiting.remove(key)
                kept.append(number)
        picked = None if names is None else [names[n] for n in kept]
        return picked, [records[n] for n in kept], fresh

    def keep(self, fresh: set[Any]) -> None:
        """Remember the keys of records whose rows are made."""
        if not self._forgetful:
            # Of a set the set makes room for what is needed; of single keys for four times as much.
            self._seen |= fresh

    def within(self, name: str, values: Mapping[str, Any], count: int) -> int:
        """Return how many rows of a child table repeat a key within this page."""
        key = self._children.get(name)
        if key is None or not count:
            return 0
        lists = [v if isinstance(v, list | tuple) else [v.value] * count for v in (values[k] for k in key)]
        return count - len(set(zip(*lists, strict=True)))


def _is_safe(endpoint: Endpoint, name: str, root: str | None) -> bool:
    """Say whether a child's key is its parent's key and its place, which cannot repeat."""
    if root is None:
        return False
    table = endpoint.tables[name]
    key = set(table.key)
    above = {theirs for own, theirs in table.parent.items() if own in key}
    places = {n for n, c in table.columns.items() if c.from_ in {"$index", "$key"}}
    return (
        bool(endpoint.tables[root].key) and above.issuperset(endpoint.tables[root].key) and bool(places & key)
    )

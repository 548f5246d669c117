"""From a page's bytes to typed Arrow batches, one per table.

The quick way decodes the page into structs that accept exactly what is declared, so that success
is proof. A page that fails it is looked at again: fields that nobody declared are noted as drift
and the structs learn them, so that the next page is quick again; a record that is wrong is set
aside with its reason, and the others are kept (``shared.isolate``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa

from shared.columns import arrow_schema, read_columns, table_values, to_arrow
from shared.endpoint_rules import table_columns
from shared.errors import BrokenContract
from shared.isolate import Drift, Rejected, drift_in, split_records
from shared.quality import Quality, Refused, check_columns
from shared.shapes import Shape, attribute, build_body, build_shape, struct_type

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shared.endpoint import Endpoint

__all__ = ["Flat", "Flattener"]

#: What decoding and converting raise for a value that is not what was declared.
NOT_AS_DECLARED = (
    msgspec.DecodeError,
    UnicodeError,
    pa.ArrowInvalid,
    pa.ArrowTypeError,
    OverflowError,
    Refused,
)
#: How often the structs learn new fields in one run before they stop looking.
_LESSONS = 20


@dataclass(slots=True)
class Flat:
    """One page's rows per table, and the records that were set aside."""

    batches: dict[str, pa.RecordBatch] = field(default_factory=dict)
    rejected: list[Rejected] = field(default_factory=list)


class Flattener:
    """Flattens the pages of one request within one run; counts into ``quality``.

    Args:
        endpoint: What is declared.
        request: The request whose pages these are.
        quality: Where to count; the requests of a run share one.
        envelope: Keys beside the records that the source has in every answer.

    Raises:
        FixConfiguration: two columns want one place of the response as different things.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        request: str,
        *,
        envelope: Sequence[str] = (),
        quality: Quality | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.request = request
        self.quality = Quality() if quality is None else quality
        self.drift: dict[tuple[str, str], Drift] = {}
        self._record, self._plans = build_shape(endpoint, request)
        self._columns = {name: table_columns(endpoint, name) for name in self._plans}
        self._schemas = {name: arrow_schema(columns) for name, columns in self._columns.items()}
        self._place = _path(endpoint.requests[request].records)
        root = endpoint.tables.get(self._record.table or "")
        self._mapped = root is not None and any(c.from_ == "$key" for c in root.columns.values())
        self._body = build_body(self._record, self._place, envelope, mapped=self._mapped)
        self._unique = _UniqueKeys(endpoint, self._plans, self._record)
        self._lessons = 0
        self._compile()

    def page(self, body: bytes, constants: Mapping[str, Any]) -> Flat:
        """Flatten one page.

        Args:
            body: The response's bytes.
            constants: Values of $run_id, $account, $fetched_at and $faction_id.

        Raises:
            BrokenContract: the body holds no records where they are declared.
        """
        while True:
            try:
                keys, records = self._decode(body)
                return Flat(self._batches(keys, records, constants))
            except NOT_AS_DECLARED:
                if not self._learn(body):
                    return self._apart(body, constants)

    def keys(self, body: bytes) -> list[Any]:
        """Return what tells a page's records from others': their keys, or else their JSON.

        Raises:
            BrokenContract: the body holds no records where they are declared.
        """
        try:
            found = self._unique.keys(*self._decode(body))
        except NOT_AS_DECLARED:
            found = None
        return [raw for _, raw in self._split(body)] if found is None else found

    def _compile(self) -> None:
        strict = self._lessons < _LESSONS
        self._decoder = msgspec.json.Decoder(struct_type(self._body, strict=strict))
        self._one = msgspec.json.Decoder(struct_type(self._record, strict=strict))
        self._reach = attrgetter(attribute(self._body, self._place)) if self._place else None
        self._unique.compile()

    def _decode(self, body: bytes) -> tuple[list[str] | None, list[Any]]:
        found = self._decoder.decode(body)
        if self._reach is not None:
            found = self._reach(found)
        if isinstance(found, dict):
            return list(found), list(found.values())
        if isinstance(found, list):
            return None, found
        return None, [] if found is None else [found]

    def _split(self, body: bytes) -> list[tuple[str | None, bytes]]:
        return split_records(body, self._place, mapped=self._mapped)

    def _batches(
        self, keys: list[str] | None, records: list[Any], constants: Mapping[str, Any]
    ) -> dict[str, pa.RecordBatch]:
        fresh_keys, fresh, repeated = self._unique.first(keys, records)
        found = read_columns(self._record, fresh, fresh_keys)
        done: dict[str, Any] = {}
        batches: dict[str, pa.RecordBatch] = {}
        warnings: dict[str, dict[str, int]] = {}
        for name, plan in self._plans.items():
            values = done[name] = table_values(self.endpoint, plan, found, done, constants)
            warnings[name] = check_columns(self.endpoint.tables[name].columns, values)
            count = found[name].count if name in found else 0
            arrays = [to_arrow(values[c], column, count) for c, column in self._columns[name].items()]
            batches[name] = pa.RecordBatch.from_arrays(arrays, schema=self._schemas[name])
        # Counted only now: a page that fails above is flattened again.
        self._unique.keep(fresh_keys, fresh)
        self.quality.records += len(records)
        root = self._record.table
        if root is not None:
            self.quality.duplicate(root, repeated)
        for name, batch in batches.items():
            self.quality.add(name, batch)
            self.quality.warn(name, warnings[name])
            self.quality.duplicate(name, self._unique.within(name, done[name], batch.num_rows))
        return batches

    def _learn(self, body: bytes) -> bool:
        """Note the fields nobody declared and learn them; say whether there were any."""
        if self._lessons >= _LESSONS:
            return False
        found = drift_in(body, self._body)
        for drift, key, shape in found:
            self.drift.setdefault((drift.path, drift.type), drift)
            shape.children[key] = Shape(kind="ignored")
        if found:
            self._lessons += 1
            self._compile()
        return bool(found)

    def _apart(self, body: bytes, constants: Mapping[str, Any]) -> Flat:
        """Flatten a page record by record, to set aside those that are not as declared."""
        good: list[tuple[str | None, Any]] = []
        rejected: list[Rejected] = []
        for number, (key, raw) in enumerate(self._split(body)):
            try:
                record = self._one.decode(raw)
                self._try(key, record, constants)
            except NOT_AS_DECLARED as error:
                rejected.append(Rejected.of(self.request, self._place, number, key, raw, error))
            else:
                good.append((key, record))
        keys = [key for key, _ in good if key is not None]
        self.quality.rejected += len(rejected)
        self.quality.records += len(rejected)
        batches = self._batches(keys or None, [record for _, record in good], constants)
        return Flat(batches, rejected)

    def _try(self, key: str | None, record: Any, constants: Mapping[str, Any]) -> None:
        found = read_columns(self._record, [record], None if key is None else [key])
        done: dict[str, Any] = {}
        for name, plan in self._plans.items():
            values = done[name] = table_values(self.endpoint, plan, found, done, constants)
            check_columns(self.endpoint.tables[name].columns, values)
            count = found[name].count if name in found else 0
            for column_name, column in self._columns[name].items():
                try:
                    to_arrow(values[column_name], column, count)
                except NOT_AS_DECLARED as error:
                    raise Refused(f"{name}.{column_name}", str(error)) from error


class _UniqueKeys:
    """Keeps a record whose key came before from making its rows again.

    Pages are flattened newest first, so the record that counts is the one read last. Only the
    root's keys are remembered; a child's key that holds its parent's needs a look within the
    page alone, and one of parent's key and place in the list cannot repeat at all.
    """

    def __init__(self, endpoint: Endpoint, plans: Mapping[str, Any], record: Shape) -> None:
        self._endpoint = endpoint
        self._record = record
        self._seen: set[Any] = set()
        self._getter: Any = None
        table = endpoint.tables.get(record.table or "")
        self._sources = [table.columns[k].from_ for k in table.key if k in table.columns] if table else []
        self._children = {
            name: endpoint.tables[name].key
            for name, plan in plans.items()
            if name != record.table and endpoint.tables[name].key and not _safe(endpoint, name, plan.root)
        }

    def compile(self) -> None:
        """Find the key in the structs, whose attributes move when new fields are learned."""
        if self._sources and all(s and not s.startswith("$") for s in self._sources):
            paths = [attribute(self._record, _path(s)) for s in self._sources if s]
            self._getter = attrgetter(*paths)

    def keys(self, names: Sequence[str] | None, records: Sequence[Any]) -> list[Any] | None:
        """Return the records' keys; None when the table has none of its own."""
        if self._sources == ["$key"]:
            return list(names or ())
        return None if self._getter is None else list(map(self._getter, records))

    def first(
        self, names: list[str] | None, records: list[Any]
    ) -> tuple[list[str] | None, list[Any], int]:
        """Return the records whose key has not been seen, and how many were left out."""
        keys = self.keys(names, records)
        if keys is None:
            return names, records, 0
        distinct = set(keys)
        if len(distinct) == len(keys) and self._seen.isdisjoint(distinct):
            return names, records, 0
        kept: list[int] = []
        met = set(self._seen)
        for number, key in enumerate(keys):
            if key not in met:
                met.add(key)
                kept.append(number)
        picked = None if names is None else [names[n] for n in kept]
        return picked, [records[n] for n in kept], len(records) - len(kept)

    def keep(self, names: Sequence[str] | None, records: Sequence[Any]) -> None:
        """Remember the keys of records whose rows are made."""
        self._seen.update(self.keys(names, records) or ())

    def within(self, name: str, values: Mapping[str, Any], count: int) -> int:
        """Return how many rows of a child table repeat a key within this page."""
        key = self._children.get(name)
        if key is None or not count:
            return 0
        lists = [v if isinstance(v, list | tuple) else [v.value] * count for v in (values[k] for k in key)]
        return count - len(set(zip(*lists, strict=True)))


def _safe(endpoint: Endpoint, name: str, root: str | None) -> bool:
    """Say whether a child's key is its parent's key and its place, which cannot repeat."""
    if root is None:
        return False
    table = endpoint.tables[name]
    parents = {own for own, theirs in table.parent.items() if theirs in endpoint.tables[root].key}
    places = {n for n, c in table.columns.items() if c.from_ in {"$index", "$key"}}
    return len(parents & set(table.key)) >= len(endpoint.tables[root].key) > 0 and bool(
        places & set(table.key)
    )


def _path(text: str) -> tuple[str, ...]:
    return () if text == "$" else tuple(text.split("."))

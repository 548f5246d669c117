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

from shared.columns import Moments
from shared.errors import BrokenContract
from shared.isolate import Drift, Rejected, drift_in, locate
from shared.quality import Quality
from shared.shape_tree import build_shape
from shared.shapes import Shape, attribute, build_body, is_readable, struct_type
from shared.split import split_records
from shared.tables import NOT_AS_DECLARED, Tables
from shared.unique import UniqueKeys

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import pyarrow as pa

    from shared.endpoint import Endpoint
    from shared.split import Pieces

__all__ = ["Flat", "Flattener"]

#: How often, and how many, new fields the structs learn in one run before they stop looking.
_LESSONS = 20
_FIELDS = 200
#: How many of them are recorded.
_DRIFT = 1_000


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
        self._tables = Tables(endpoint, self._record, self._plans)
        records = endpoint.requests[request].records
        self._place = () if records == "$" else tuple(records.split("."))
        root = endpoint.tables.get(self._record.table or "")
        self._mapped = root is not None and any(c.from_ == "$key" for c in root.columns.values())
        self._body = build_body(self._record, self._place, envelope, mapped=self._mapped)
        self._unique = UniqueKeys(endpoint, self._plans, self._record)
        self._proving = True
        self._warned = False
        self._lessons = 0
        self._learned = 0
        self._compile()

    def page(self, body: bytes, constants: Mapping[str, Any]) -> Flat:
        """Flatten one page.

        Args:
            body: The response's bytes.
            constants: Values of $run_id, $account, $fetched_at and $faction_id.

        Raises:
            BrokenContract: the body holds no records where they are declared.
            FixConfiguration: a constant that a column needs is not set.

        """
        while True:
            try:
                keys, records = self._decode(body)
                return Flat(self._batches(keys, records, constants))
            except NOT_AS_DECLARED:
                if self._learn(body):
                    continue
                if self._proving:
                    # Perhaps only a check dislikes a value. Such values come again, so from here on
                    # the checks look at the columns, and the decoder lets them pass.
                    self._proving = False
                    continue
                flat = self._apart(body, constants)
                self._proving = not self._warned
                return flat

    def pages(self, bodies: Sequence[tuple[bytes, datetime]], constants: Mapping[str, Any]) -> list[Flat]:
        """Flatten several pages, the one read last first; together where they are as declared.

        What a batch costs whatever its size is a fifth of a page of a hundred records, so a few
        pages share it. More would no longer stay in the processor's cache.

        Args:
            bodies: Each page's bytes, and when it was read.
            constants: Values of $run_id, $account and $faction_id.

        Raises:
            BrokenContract, FixConfiguration: as ``page``.
        """
        if len(bodies) > 1 and self._proving:
            try:
                return [Flat(self._together(bodies, constants))]
            except (*NOT_AS_DECLARED, _NotTogether):
                # One by one it shows which page is different, and nothing of them is counted yet.
                pass
        return [self.page(body, {**constants, "$fetched_at": moment}) for body, moment in bodies]

    def _together(
        self, bodies: Sequence[tuple[bytes, datetime]], constants: Mapping[str, Any]
    ) -> dict[str, pa.RecordBatch]:
        keys: list[str] = []
        records: list[Any] = []
        ends: list[int] = []
        for body, _ in bodies:
            some_keys, some = self._decode(body)
            keys += some_keys or ()
            records += some
            ends.append(len(records))
        moments = Moments([moment for _, moment in bodies], ends)
        return self._batches(keys or None, records, {**constants, "$fetched_at": moments})

    def keys(self, body: bytes) -> list[Any]:
        """Return what tells a page's records from others': their keys, or else their JSON.

        Raises:
            BrokenContract: the body holds no records where they are declared.

        """
        try:
            found = self._unique.keys(*self._decode(body))
        except NOT_AS_DECLARED:
            found = None
        return [raw for _, raw in self._split(body).items] if found is None else found

    def _compile(self) -> None:
        self._decoders: dict[bool, msgspec.json.Decoder[Any]] = {}
        self._one: msgspec.json.Decoder[Any] | None = None
        self._reach = attrgetter(attribute(self._body, self._place)) if self._place else None
        self._unique.compile()

    def _decode(self, body: bytes) -> tuple[list[str] | None, list[Any]]:
        decoder = self._decoders.get(self._proving)
        if decoder is None:
            strict = self._lessons < _LESSONS
            kind = struct_type(self._body, strict=strict, proof=self._proving)
            decoder = self._decoders[self._proving] = msgspec.json.Decoder(kind)
        found = decoder.decode(body)
        if self._reach is not None:
            found = self._reach(found)
        if isinstance(found, dict):
            return list(found), list(found.values())
        if isinstance(found, list):
            return None, found
        return None, [] if found is None else [found]

    def _split(self, body: bytes) -> Pieces:
        return split_records(body, self._place, mapped=self._mapped)

    def _batches(
        self, keys: list[str] | None, records: list[Any], constants: Mapping[str, Any]
    ) -> dict[str, pa.RecordBatch]:
        fresh_keys, fresh, unseen = self._unique.first(keys, records)
        if len(fresh) < len(records) and isinstance(constants["$fetched_at"], Moments):
            raise _NotTogether
        made = self._tables.of(fresh_keys, fresh, constants, proven=self._proving)
        # Counted only now: a page that fails above is flattened again.
        self._unique.keep(unseen)
        self.quality.records += len(records)
        if self._record.table is not None:
            self.quality.duplicate(self._record.table, len(records) - len(fresh))
        for name, batch in made.batches.items():
            self.quality.add(name, batch.num_rows, made.nulls[name])
            self._warned |= bool(made.warnings[name])
            self.quality.warn(name, made.warnings[name])
            self.quality.duplicate(name, self._unique.within(name, made.values[name], batch.num_rows))
        return made.batches

    def _learn(self, body: bytes) -> bool:
        """Note the fields nobody declared and learn them; say whether there were any to learn."""
        if self._lessons >= _LESSONS:
            return False
        before = self._learned
        for drift, key, shape in drift_in(body, self._body):
            if len(self.drift) < _DRIFT:
                self.drift.setdefault((drift.path, drift.type), drift)
            if key not in shape.children and is_readable(key):
                if self._learned == _FIELDS:
                    self._lessons = _LESSONS - 1
                    break
                shape.children[key] = Shape(kind="ignored")
                self._learned += 1
        if self._learned == before:
            return False
        self._lessons += 1
        self._compile()
        return True

    def _apart(self, body: bytes, constants: Mapping[str, Any]) -> Flat:
        """Flatten a page record by record, to set aside those that are not as declared."""
        good: list[tuple[str | None, Any]] = []
        rejected: list[Rejected] = []
        pieces = self._split(body)
        for number, (key, raw) in enumerate(pieces.items):
            try:
                record = self._alone(raw)
            except NOT_AS_DECLARED as error:
                fault = locate(raw, self._record, error)
                rejected.append(Rejected.of(self.request, self._place, pieces, number, fault=fault))
                continue
            try:
                self._tables.of(None if key is None else [key], [record], constants, proven=False)
            except NOT_AS_DECLARED as error:
                fault = self._tables.blame(key, record, constants) or ("", str(error))
                rejected.append(Rejected.of(self.request, self._place, pieces, number, fault=fault))
            else:
                good.append((key, record))
        keys = [key for key, _ in good if key is not None]
        try:
            batches = self._batches(keys or None, [record for _, record in good], constants)
        except NOT_AS_DECLARED as error:  # pragma: no cover - each record went through it alone
            raise BrokenContract(f"the records cannot be kept together: {error}") from error
        self.quality.rejected += len(rejected)
        self.quality.records += len(rejected)
        return Flat(batches, rejected)

    def _alone(self, raw: bytes) -> Any:
        """Decode one record; what nobody declared was noted, and does not stop it here."""
        if self._one is None:
            self._one = msgspec.json.Decoder(struct_type(self._record, strict=False))
        return self._one.decode(raw)


class _NotTogether(Exception):  # noqa: N818 - not an error: a key came twice in a group of pages
    """Raise when pages must be flattened one by one."""

"""One run's rows until they are loaded, and what a transaction must know of them beforehand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from shared.endpoint_rules import table_columns
from shared.warehouse.parquet import ParquetTable

if TYPE_CHECKING:
    from datetime import datetime

    from shared.endpoint import Endpoint

__all__ = ["Days", "RunRows"]


@dataclass(slots=True)
class Days:
    """The partitions that rows are in: from the first day's to the last's, and that of NULL."""

    first: Any = None
    last: Any = None
    nulls: bool = False

    def add(self, column: pa.Array) -> None:
        """Take the partitions of some rows."""
        ends = pc.min_max(column).as_py()
        if ends["min"] is not None:
            self.first = ends["min"] if self.first is None else min(self.first, ends["min"])
            self.last = ends["max"] if self.last is None else max(self.last, ends["max"])
        self.nulls |= bool(column.null_count)


class RunRows:
    """A run's rows, table by table, as Parquet."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self.columns = {name: table_columns(endpoint, name) for name in endpoint.tables}
        #: Tables whose rows are streamed, and held as they came.
        self.streamed: dict[str, list[pa.RecordBatch]] = {
            name: []
            for name, table in endpoint.tables.items()
            if endpoint.writer == "stream" and table.mode == "append"
        }
        self._files = {name: ParquetTable(columns) for name, columns in self.columns.items()}
        #: Table → the moment at which its newest row was read.
        self.newest: dict[str, datetime] = {}
        #: Table → its partitions, of those that have any.
        self.days: dict[str, Days] = {}

    def add(self, table: str, batch: pa.RecordBatch) -> None:
        """Take a batch of a table."""
        if not batch.num_rows:
            return
        if table in self.streamed:
            self.streamed[table].append(batch)
            return
        self._files[table].add(batch)
        declared = self._endpoint.tables[table]
        if declared.version_column is not None:
            newest = pc.max(batch.column(declared.version_column)).as_py()
            if newest is not None:
                self.newest[table] = max(newest, self.newest.get(table, newest))
        if declared.partition is not None:
            self.days.setdefault(table, Days()).add(batch.column(declared.partition))

    def count(self, table: str) -> int:
        """Return how many rows a table has."""
        if table in self.streamed:
            return sum(batch.num_rows for batch in self.streamed[table])
        return self._files[table].count

    def table(self, name: str) -> pa.Table:
        """Return the rows of a table that is streamed."""
        return pa.Table.from_batches(self.streamed[name])

    def parquet(self, table: str) -> bytes:
        """Return a table's rows as a Parquet file."""
        return self._files[table].bytes()

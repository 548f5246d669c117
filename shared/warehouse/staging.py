"""One run's batches of one table, until they are written: in memory, then in a temporary table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from shared.warehouse.duckdb_schema import quoted

if TYPE_CHECKING:
    import duckdb

__all__ = ["Staging"]

# Scheduled runs stay below this and never make a temporary table, which costs more than they do.
_IN_MEMORY = 16 * 1024 * 1024


class Staging:
    """A relation named ``source`` that holds all batches taken so far."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, table: str) -> None:
        self._connection = connection
        self._batches: list[pa.RecordBatch] = []
        self._bytes = 0
        self._spilled = False
        self.count = 0
        self.source = quoted(f"staged_{table}")
        self._name = f"staged_{table}"

    def add(self, batch: pa.RecordBatch) -> None:
        """Take a batch."""
        if batch.num_rows:
            self._batches.append(batch)
            self._bytes += batch.nbytes
            self.count += batch.num_rows
            if self._bytes > _IN_MEMORY:
                self._spill()

    def ready(self) -> bool:
        """Make ``source`` hold everything; say whether there are rows at all."""
        if self._spilled:
            self._spill()
        elif self._batches:
            self._connection.register(self._name, pa.Table.from_batches(self._batches))
        return self.count > 0

    def close(self) -> None:
        """Let go of the rows."""
        if self._spilled:
            self._connection.execute(f"DROP TABLE IF EXISTS temp.{self.source}")
        elif self._batches:
            self._connection.unregister(self._name)
        self._batches = []

    def _spill(self) -> None:
        if not self._batches:
            return
        self._connection.register("spilling", pa.Table.from_batches(self._batches))
        verb = f"INSERT INTO temp.{self.source}" if self._spilled else f"CREATE TEMP TABLE {self.source} AS"
        self._connection.execute(f"{verb} SELECT * FROM spilling")
        self._connection.unregister("spilling")
        self._spilled = True
        self._batches, self._bytes = [], 0

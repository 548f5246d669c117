"""One table's rows as Parquet in memory, as BigQuery loads them."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pyarrow as pa
from pyarrow import parquet

from shared.arrow import arrow_type

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.endpoint import Column

__all__ = ["ParquetTable"]

#: Rows that go into one row group: small ones make files large and loads slow.
_GROUP = 65_536


class ParquetTable:
    """Takes batches, gives the file; a few row groups are in memory uncompressed at a time."""

    def __init__(self, columns: Mapping[str, Column]) -> None:
        # A JSON column's text is marked as JSON, or BigQuery would take it for a STRING.
        kinds = {name: pa.json_() if c.type == "JSON" else arrow_type(c) for name, c in columns.items()}
        self._schema = pa.schema(
            [pa.field(name, kind, nullable=not columns[name].required) for name, kind in kinds.items()]
        )
        self._held: list[pa.RecordBatch] = []
        self._rows = 0
        self._file = io.BytesIO()
        self._writer: parquet.ParquetWriter | None = None
        self.count = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Take a batch with these columns, in any order."""
        if not batch.num_rows:
            return
        self._held.append(batch)
        self._rows += batch.num_rows
        self.count += batch.num_rows
        if self._rows >= _GROUP:
            self._write()

    def bytes(self) -> bytes:
        """Return the whole file."""
        self._write()
        assert self._writer is not None
        self._writer.close()
        return self._file.getvalue()

    def _write(self) -> None:
        if self._writer is None:
            self._writer = parquet.ParquetWriter(self._file, self._schema, compression="zstd")
        if self._held:
            table = pa.Table.from_batches(self._held).select(self._schema.names)
            self._writer.write_table(table.cast(self._schema), row_group_size=_GROUP)
        self._held, self._rows = [], 0

"""TCdatalogger, and its batches written as zstd Parquet: what a load job is sent."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from . import ours

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["flatten"]

#: Pages in one row group.
_GROUP = 50


def flatten(pages: Iterable[bytes]) -> Iterator[dict[str, pa.RecordBatch]]:
    """Yield a page's batches at a time, after writing them."""
    with TemporaryDirectory() as folder:
        files = _Files(Path(folder))
        for batches in ours.flatten(pages):
            files.write(batches)
            yield batches
        files.close()


class _Files:
    """One Parquet file per table, a row group every so many pages."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writers: dict[str, pq.ParquetWriter] = {}
        self._waiting: dict[str, list[pa.RecordBatch]] = {}
        self._pages = 0

    def write(self, batches: dict[str, pa.RecordBatch]) -> None:
        for name, batch in batches.items():
            self._waiting.setdefault(name, []).append(batch)
        self._pages += 1
        if self._pages % _GROUP == 0:
            self._flush()

    def close(self) -> None:
        self._flush()
        for writer in self._writers.values():
            writer.close()

    def _flush(self) -> None:
        for name, batches in self._waiting.items():
            table = pa.Table.from_batches(batches)
            if name not in self._writers:
                path = self._folder / f"{name}.parquet"
                self._writers[name] = pq.ParquetWriter(path, table.schema, compression="zstd")
            self._writers[name].write_table(table)
        self._waiting = {}

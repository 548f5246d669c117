"""The rows that every way of loading is given: Flattening's batches, in files, and the tables for them.

``python -m tests.performance.bigquery_rows PAGES FOLDER`` writes an Arrow file per table. Read back, a
batch is in memory as flattening would have given it, without what flattening itself takes.
"""

from __future__ import annotations

import json
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pyarrow as pa

from shared.endpoint_file import load_endpoint
from shared.endpoint_rules import table_columns

from .approaches import TABLES, ours
from .pages import Pages

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from shared.endpoint import Column, Endpoint

__all__ = ["appending", "batches", "columns", "merging", "write"]


def write(pages: Path, folder: Path) -> dict[str, int]:
    """Flatten pages of crimes into a folder; return how many rows each table has."""
    folder.mkdir()
    writers: dict[str, pa.RecordBatchFileWriter] = {}
    rows = dict.fromkeys(TABLES, 0)
    for flat in ours.flatten(Pages(pages)):
        for name, batch in flat.items():
            if name not in writers:
                writers[name] = pa.ipc.new_file(folder / f"{name}.arrow", batch.schema)
            writers[name].write_batch(batch)
            rows[name] += batch.num_rows
    for writer in writers.values():
        writer.close()
    return rows


def batches(folder: Path) -> Iterator[tuple[str, pa.RecordBatch]]:
    """Yield each table's name and batch, in the order in which flattening gave them."""
    files = {name: pa.ipc.open_file(folder / f"{name}.arrow") for name in TABLES}
    for number in range(files[TABLES[0]].num_record_batches):
        for name, file in files.items():
            yield name, file.get_batch(number)


@cache
def merging() -> Endpoint:
    """Return the crimes as they are declared: merged."""
    return load_endpoint(ours.ENDPOINT)


@cache
def appending() -> Endpoint:
    """Return the same, appended: load jobs alone."""
    tables = merging().tables
    appended = {name: msgspec.structs.replace(table, mode="append") for name, table in tables.items()}
    return msgspec.structs.replace(merging(), tables=appended)


def columns(name: str) -> Mapping[str, Column]:
    """Return the columns of a table, in the warehouse's order."""
    return table_columns(merging(), name)


if __name__ == "__main__":
    print(json.dumps(write(Path(sys.argv[1]), Path(sys.argv[2]))))

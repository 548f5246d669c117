"""dlt into Parquet files."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import dlt
import pyarrow as pa
import pyarrow.parquet as pq

from .dlt_pipeline import NESTED, load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.performance.pages import Pages

__all__ = ["flatten"]


def flatten(pages: Pages) -> Iterator[dict[str, pa.Table]]:
    """Yield the three tables as they stand in the files."""
    with TemporaryDirectory() as folder:
        files = Path(folder) / "files"
        load(pages, folder, dlt.destinations.filesystem(str(files)), loader_file_format="parquet")
        with pages.watch.paused():
            found = {
                name: pa.concat_tables(
                    [
                        pq.ParquetFile(path).read()
                        for path in sorted((files / "faction" / nested).glob("*.parquet"))
                    ]
                )
                for name, nested in NESTED.items()
            }
        yield found

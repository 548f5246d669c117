"""dlt into a DuckDB file, by way of Parquet, as it says is quickest."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import dlt
import duckdb

from .dlt_pipeline import NESTED, load

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from tests.performance.pages import Pages

__all__ = ["flatten"]


def flatten(pages: Pages) -> Iterator[dict[str, pa.Table]]:
    """Yield the three tables as they stand in the database."""
    with TemporaryDirectory() as folder:
        database = Path(folder) / "crimes.duckdb"
        load(pages, folder, dlt.destinations.duckdb(str(database)), loader_file_format="parquet")
        with pages.watch.paused(), duckdb.connect(str(database)) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            found = {
                name: connection.sql(f"FROM faction.{nested}").to_arrow_table()
                for name, nested in NESTED.items()
            }
        yield found

"""DuckDB: read_json with declared columns, the crimes unnested."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .crime_shape import CRIME
from .duckdb_sql import connect, tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from tests.performance.pages import Pages

__all__ = ["flatten"]

_TYPES = {"text": "VARCHAR", "integer": "BIGINT", "float": "DOUBLE", "boolean": "BOOLEAN"}


def flatten(pages: Pages) -> Iterator[dict[str, pa.Table]]:
    """Yield the three tables, whole."""
    with connect() as connection:
        connection.execute(
            "CREATE TABLE crime AS SELECT unnest(crimes) AS c FROM read_json("
            f"'{pages.path}', format = 'newline_delimited', columns = {{crimes: '{_sql([CRIME])}'}})"
        )
        yield from tables(connection)


def _sql(shape: Any) -> str:
    if isinstance(shape, list):
        return f"{_sql(shape[0])}[]"
    if isinstance(shape, dict):
        fields = ", ".join(f'"{key}" {_sql(inner)}' for key, inner in shape.items())
        return f"STRUCT({fields})"
    return _TYPES[shape]

"""DuckDB: the pages read as JSON and transformed by from_json, which is its quickest spelling."""

from __future__ import annotations

import json
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
    structure = json.dumps({"crimes": _named([CRIME])})
    with connect() as connection:
        connection.execute(
            f"CREATE TABLE crime AS SELECT unnest(from_json(json, '{structure}').crimes) AS c "
            f"FROM read_ndjson_objects('{pages.path}')"
        )
        yield from tables(connection)


def _named(shape: Any) -> Any:
    if isinstance(shape, list):
        return [_named(shape[0])]
    if isinstance(shape, dict):
        return {key: _named(inner) for key, inner in shape.items()}
    return _TYPES[shape]

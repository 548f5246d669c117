"""Polars: read_ndjson, all pages at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from .polars_frames import SCHEMA, tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from tests.performance.pages import Pages

__all__ = ["flatten"]


def flatten(pages: Pages) -> Iterator[dict[str, pa.Table]]:
    """Yield the three tables, whole."""
    yield tables(pl.read_ndjson(pages.path, schema=SCHEMA))

"""Polars: str.json_decode over a column of all pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from .polars_frames import SCHEMA, tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa

__all__ = ["flatten"]


def flatten(pages: Iterable[bytes]) -> Iterator[dict[str, pa.Table]]:
    """Yield the three tables, whole."""
    bodies = pl.DataFrame({"body": [page.decode() for page in pages]})
    yield tables(bodies.select(pl.col("body").str.json_decode(pl.Struct(SCHEMA)).struct.unnest()))

"""Polars: read_json, a page at a time, which is its quickest spelling; the frames from all of them."""

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
    yield tables(pl.concat([pl.read_json(page, schema=SCHEMA) for page in pages]))

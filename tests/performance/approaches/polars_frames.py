"""Polars: a column of crimes exploded and unnested into three frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from . import ACCOUNT, FACTION_ID, FETCHED_AT, RUN_ID, TIMES
from .crime_shape import CRIME

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["SCHEMA", "tables"]

_TYPES = {"text": pl.String(), "integer": pl.Int64(), "float": pl.Float64(), "boolean": pl.Boolean()}


def _dtype(shape: Any) -> Any:
    if isinstance(shape, list):
        return pl.List(_dtype(shape[0]))
    if isinstance(shape, dict):
        return pl.Struct({key: _dtype(inner) for key, inner in shape.items()})
    return _TYPES[shape]


SCHEMA = {"crimes": _dtype([CRIME])}

_EVERY = (
    pl.lit(RUN_ID).alias("_run_id"),
    pl.lit(ACCOUNT).alias("_account"),
    pl.lit(FETCHED_AT).cast(pl.Datetime("us", "UTC")).alias("server_timestamp"),
)


def tables(bodies: pl.DataFrame) -> dict[str, pa.Table]:
    """Return the tables of a frame of bodies."""
    crimes = bodies.select("crimes").explode("crimes").unnest("crimes")
    root = _inside(_inside(crimes.drop("slots"), "rewards").drop("rewards_items"), "rewards_payout")
    slots = _inside(_elements(crimes, pl.col("slots"), "slot"), "slot", prefix="")
    slots = _inside(_inside(slots, "position_info", prefix="position_"), "item_requirement")
    slots = _inside(_inside(slots, "user"), "user_item_outcome")
    items = _elements(
        crimes, pl.col("rewards").struct.field("items"), "item", pl.col("rewards").struct.field("money")
    )
    items = _inside(items, "item").rename({"money": "rewards_money", "item_quantity": "quantity"})
    return {
        "crimes": _table("crimes", root, pl.lit(FACTION_ID, pl.Int64).alias("faction_id")),
        "crimes_slots": _table("crimes_slots", slots, pl.lit(None, pl.Int64).alias("success_chance")),
        "crimes_reward_items": _table("crimes_reward_items", items),
    }


def _elements(crimes: pl.DataFrame, lists: pl.Expr, name: str, *beside: pl.Expr) -> pl.DataFrame:
    """Return one row per element of a list, with its place in the list."""
    return (
        crimes.select(pl.col("id").alias("crime_id"), "name", *beside, lists.alias(name))
        .filter(pl.col(name).list.len() > 0)
        .with_columns(pl.int_ranges(pl.col(name).list.len(), dtype=pl.Int64).alias(f"{name}_index"))
        .explode(name, f"{name}_index")
    )


def _inside(frame: pl.DataFrame, name: str, prefix: str | None = None) -> pl.DataFrame:
    before = f"{name}_" if prefix is None else prefix
    return frame.with_columns(pl.col(name).name.prefix_fields(before)).unnest(name)


def _table(name: str, frame: pl.DataFrame, *more: pl.Expr) -> pa.Table:
    times = [
        pl.from_epoch(column, "s").dt.cast_time_unit("us").dt.replace_time_zone("UTC")
        for column in TIMES.get(name, ())
    ]
    return frame.with_columns(*times, *_EVERY, *more).to_arrow()

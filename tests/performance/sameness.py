"""Whether the ways of flattening make the same tables: every column, type and value."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from .approaches import TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.endpoint import Endpoint

    from .pages import Pages

__all__ = ["as_declared", "differences", "tables_of"]

Tables = dict[str, pa.Table]
_ORDER = {"crimes": ["id"], "crimes_slots": ["crime_id", "slot_index"]}


def tables_of(way: str, pages: Pages) -> Tables:
    """Return the whole tables that a way makes."""
    flatten = import_module(f".approaches.{way}", __package__).flatten
    parts: dict[str, list[pa.Table]] = {name: [] for name in TABLES}
    for tables in flatten(pages):
        for name, data in tables.items():
            parts[name].append(pa.Table.from_batches([data]) if isinstance(data, pa.RecordBatch) else data)
    return {name: pa.concat_tables(found, promote_options="permissive") for name, found in parts.items()}


def differences(
    ours: Tables, theirs: Mapping[str, pa.Table], *, but: frozenset[str] = frozenset()
) -> list[str]:
    """Say what differs from ours, in a sentence each; nothing when all is the same.

    A type that holds the same values is the same: a string's offsets may be longer, a time may be
    kept in other units. ``but`` names columns that may be missing.
    """
    found: list[str] = []
    for name, mine in ours.items():
        other = theirs[name]
        if mine.num_rows != other.num_rows:
            found.append(f"{name}: {other.num_rows} rows, not {mine.num_rows}")
            continue
        order = [(key, "ascending") for key in _ORDER.get(name, ["crime_id", "item_index"])]
        left, right = mine.sort_by(order), other.sort_by(order)
        for column in left.column_names:
            if column in right.column_names:
                found += _compare(f"{name}.{column}", left[column], right[column])
            elif column not in but and left[column].null_count < left.num_rows:
                found.append(f"{name}.{column} is missing")
    return found


def _compare(where: str, mine: pa.ChunkedArray, other: pa.ChunkedArray) -> list[str]:
    try:
        same = other.cast(mine.type)
    except pa.ArrowInvalid as error:
        return [f"{where}: {error}"]
    if pa.types.is_timestamp(mine.type) and not (
        pa.types.is_timestamp(other.type) and other.type.tz in {"UTC", "Etc/UTC"}
    ):
        return [f"{where} is {other.type}, not a time in UTC"]
    mine_values, other_values = mine.to_pylist(), same.to_pylist()
    if mine_values == other_values:
        return []
    row = next(n for n, pair in enumerate(zip(mine_values, other_values, strict=True)) if pair[0] != pair[1])
    return [f"{where}, row {row}: {other_values[row]!r}, not {mine_values[row]!r}"]


def as_declared(endpoint: Endpoint, loaded: Mapping[str, pa.Table]) -> Tables:
    """Return dlt's tables with the declared columns' names, and the parent's columns in the children.

    dlt names a nested value ``a__b``, links a child to its parent's ``_dlt_id``, and keeps an
    element's place in ``_dlt_list_idx``.
    """
    tables: Tables = {}
    for name, data in loaded.items():
        table = endpoint.tables[name]
        columns: dict[str, Any] = {}
        for column_name, column in table.columns.items():
            source = (column.from_ or "").replace(".", "__")
            source = "_dlt_list_idx" if source == "$index" else source
            if source in data.column_names:
                columns[column_name] = data[source]
        if table.parent:
            columns["parent"] = data["_dlt_parent_id"]
            above = {"parent": loaded["crimes"]["_dlt_id"]}
            above |= {own: tables["crimes"][theirs] for own, theirs in table.parent.items()}
            tables[name] = pa.table(columns).join(pa.table(above), "parent")
        else:
            tables[name] = pa.table(columns)
    return tables

"""The rows that an endpoint makes of a body, as Python sees them, and those that it should make."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from shared.endpoint_rules import root_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.endpoint import Endpoint, Table

__all__ = ["CONSTANTS", "found_rows", "wanted_rows"]

_NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
#: What a run knows of every row.
CONSTANTS = {"$run_id": "a/b/c", "$account": "default", "$faction_id": 1, "$fetched_at": _NOW}


def found_rows(endpoint: Endpoint, batches: Mapping[str, pa.RecordBatch]) -> dict[str, list[dict[str, Any]]]:
    """Return the rows that were made, each column as Python sees it."""
    found = {}
    for name, batch in batches.items():
        columns = {}
        for column, array in zip(batch.schema.names, batch.columns, strict=True):
            seconds = pa.types.is_timestamp(array.type) and column != "server_timestamp"
            columns[column] = (array.cast(pa.int64()) if seconds else array).to_pylist()
        for column, declared in endpoint.tables[name].columns.items():
            if declared.type == "JSON":
                columns[column] = [None if text is None else json.loads(text) for text in columns[column]]
        found[name] = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return found


def wanted_rows(endpoint: Endpoint, body: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Return the rows that a body's values make, worked out in the plainest way."""
    (request,) = endpoint.requests.values()
    records: Any = body
    for key in [] if request.records == "$" else request.records.split("."):
        records = records[key]
    labelled = _labelled(records, endpoint)
    rows: dict[str | None, list[tuple[Any, dict[str, Any]]]] = {
        None: [(record, {}) for _, record in labelled]
    }
    for name, table in endpoint.tables.items():
        rows[name] = []
        if table.each is None:
            found = [({}, label, record) for label, record in labelled]
        else:
            above = rows[root_table(endpoint, name)]
            found = [(over, *one) for element, over in above for one in _elements(table, element)]
        for over, label, inner in found:
            row = {"_run_id": CONSTANTS["$run_id"], "_account": CONSTANTS["$account"]}
            row |= {own: over[theirs] for own, theirs in table.parent.items()}
            row |= {column: _wanted(c.type, c.from_, label, inner) for column, c in table.columns.items()}
            rows[name].append((inner, row))
    return {name: [row for _, row in rows[name]] for name in endpoint.tables}


def _labelled(records: Any, endpoint: Endpoint) -> list[tuple[Any, Any]]:
    """Return the records with their keys, if they stand in a map."""
    mapped = any(
        column.from_ == "$key"
        for table in endpoint.tables.values()
        if table.each is None
        for column in table.columns.values()
    )
    if mapped and records is not None:
        return list(records.items())
    return [
        (None, r) for r in ([] if records is None else records if isinstance(records, list) else [records])
    ]


def _elements(table: Table, element: Any) -> list[tuple[Any, Any]]:
    inside = element if table.each == "$value" else _at(element, table.each)
    if inside is None:
        return []
    return list(inside.items()) if isinstance(inside, dict) else list(enumerate(inside))


def _at(element: Any, path: str) -> Any:
    for key in path.split("."):
        element = element.get(key) if isinstance(element, dict) else None
    return element


def _wanted(type_: str, source: str | None, label: Any, element: Any) -> Any:
    assert source is not None
    if source in {"$index", "$key"}:
        return label
    if source == "$fetched_at":
        return _NOW
    value = element if source == "$value" else _at(element, source)
    return date.fromisoformat(value) if type_ == "DATE" and value is not None else value

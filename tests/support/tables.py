"""Small made-up endpoints and batches for tests of warehouses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pyarrow as pa
import yaml

from shared.arrow import arrow_schema
from shared.endpoint import Endpoint
from shared.endpoint_rules import rule_problems, table_columns

T0 = datetime(2026, 11, 20, 10, tzinfo=UTC)

HEAD = """
name: things
description: Things.
source: torn
requests: {things: {path: /things, records: things}}
every: PT15M
key: torn-api-key
calls_per_minute: 10
"""

FAMILY = """
tables:
  things:
    mode: %(mode)s
    description: One row per thing.
    key: [id]
    columns:
      server_timestamp: {type: TIMESTAMP, mode: REQUIRED, from: $fetched_at, description: When.}
      id: {type: INTEGER, mode: REQUIRED, from: id, description: "The thing's own number."}
      name: {type: STRING, from: name}
      weight: {type: FLOAT, from: weight}
      good: {type: BOOLEAN, from: good}
      made_on: {type: DATE, from: made_on}
      more: {type: JSON, from: more}
  parts:
    mode: %(mode)s
    %(parts)s
    each: parts
    parent: {thing_id: id}
    key: [thing_id, part_index]
    columns:
      server_timestamp: {type: TIMESTAMP, mode: REQUIRED, from: $fetched_at}
      part_index: {type: INTEGER, mode: REQUIRED, from: $index}
      part: {type: STRING, from: part}
"""


def endpoint(text: str) -> Endpoint:
    """Read an endpoint from YAML and hold it to the rules."""
    found = msgspec.convert(yaml.safe_load(text), Endpoint)
    assert list(rule_problems(found)) == []
    return found


def family(mode: str, *, parts: str = "description: Parts.") -> Endpoint:
    return endpoint(HEAD + FAMILY % {"mode": mode, "parts": parts})


def batch(
    declared: Endpoint, table: str, rows: list[dict[str, Any]], *, run: str, at: int, account: str = "default"
) -> pa.RecordBatch:
    """Make a batch of rows as the flattener would; ``at`` is minutes after ten o'clock."""
    columns = table_columns(declared, table)
    always = {"_run_id": run, "_account": account, "server_timestamp": T0 + timedelta(minutes=at)}
    whole = [{**dict.fromkeys(columns), **always, **row} for row in rows]
    return pa.RecordBatch.from_pylist(whole, schema=arrow_schema(columns))

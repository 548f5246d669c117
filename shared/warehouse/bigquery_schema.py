"""Tables and columns as BigQuery has them, made from what is declared."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from google.cloud import bigquery

from shared.endpoint_rules import table_columns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.endpoint import Column, Endpoint, Table

__all__ = ["declared_table", "fields", "label", "staging_table"]

_LONGEST_TEXT = 1_024
#: As many columns as a table can be clustered by.
_CLUSTERED = 4
_STAGED_FOR = timedelta(days=1)
_UNFIT = re.compile(r"[^a-z0-9_-]")


def fields(columns: Mapping[str, Column]) -> list[bigquery.SchemaField]:
    """Return columns as BigQuery declares them."""
    return [
        bigquery.SchemaField(
            name, column.type, mode=column.mode, description=column.description[:_LONGEST_TEXT]
        )
        for name, column in columns.items()
    ]


def declared_table(place: str, endpoint: Endpoint, name: str) -> bigquery.Table:
    """Return a table as it is declared; ``place`` is its whole name."""
    table = _table(place, endpoint.tables[name], table_columns(endpoint, name))
    table.labels = {"endpoint": label(endpoint.name), "schema_version": str(endpoint.version)}
    return table


def staging_table(place: str, endpoint: Endpoint, name: str) -> bigquery.Table:
    """Return a table for one run's rows, which BigQuery removes after a day."""
    table = bigquery.Table(place, schema=fields(table_columns(endpoint, name)))
    table.expires = datetime.now(UTC) + _STAGED_FOR
    return table


def _table(place: str, declared: Table, columns: Mapping[str, Column]) -> bigquery.Table:
    table = bigquery.Table(place, schema=fields(columns))
    table.description = declared.description
    if declared.partition is not None:
        table.time_partitioning = bigquery.TimePartitioning(field=declared.partition)
    # Every replace and merge, and most questions, are one account's.
    table.clustering_fields = ["_account", *declared.cluster][:_CLUSTERED]
    return table


def label(text: str) -> str:
    """Return a text as a label's value may be: lower case, at most 63 characters."""
    return _UNFIT.sub("_", text.lower())[:63]

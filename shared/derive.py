"""Values that no single record holds: a lowest price, a count, the latest of several.

A column declared ``from: $derived`` is filled by the function in the endpoint's ``main.py``, once
all of a run's pages are flattened. It gets every table's rows and returns a value per column; it
must be a pure function of them, so that the same run always gives the same rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from shared.arrow import arrow_schema, arrow_type
from shared.endpoint import DERIVED
from shared.endpoint_rules import table_columns
from shared.errors import FixConfiguration
from shared.quality import check_columns

if TYPE_CHECKING:
    from shared.endpoint import Column, Endpoint
    from shared.quality import Quality

__all__ = ["Derivation", "Derive", "Derived", "Rows", "derived_columns"]

#: Table → its rows of this run; the derived columns are NULL in them.
Rows = Mapping[str, pa.Table]
#: Table → column → one value for all its rows, or an Arrow array with one for each.
Derived = Mapping[str, Mapping[str, Any]]
Derive = Callable[[Rows], Derived]


def derived_columns(endpoint: Endpoint) -> dict[str, dict[str, Column]]:
    """Return the columns that a function fills, per table that has any."""
    found = {
        name: {n: column for n, column in table.columns.items() if column.from_ == DERIVED}
        for name, table in endpoint.tables.items()
    }
    return {name: columns for name, columns in found.items() if columns}


class Derivation:
    """Holds one run's rows until all are there, then fills their derived columns.

    Args:
        endpoint: What is declared.
        derive: The function in the endpoint's ``main.py``.
        quality: Where NULLs and what checks dislike are counted.

    Raises:
        FixConfiguration: there are derived columns, but no function.
    """

    def __init__(self, endpoint: Endpoint, derive: Derive | None, quality: Quality) -> None:
        self.columns = derived_columns(endpoint)
        self._name = endpoint.name
        self._quality = quality
        if self.columns and derive is None:
            raise FixConfiguration(
                f"{endpoint.name}: {_listed(self.columns)} come from {DERIVED}, but no function makes them",
                next_step="write one in the endpoint's main.py and hand it over: "
                "Collector.of(__file__, derive=...)",
            )
        self._derive = derive
        self._schemas = {name: arrow_schema(table_columns(endpoint, name)) for name in endpoint.tables}
        self._batches: dict[str, list[pa.RecordBatch]] = {name: [] for name in endpoint.tables}

    def hold(self, batches: dict[str, pa.RecordBatch]) -> dict[str, pa.RecordBatch]:
        """Keep a page's rows for the function; return those that are complete without it."""
        if not self.columns:
            return batches
        for name, batch in batches.items():
            self._batches[name].append(batch)
        return {name: batch for name, batch in batches.items() if name not in self.columns}

    def finish(self) -> dict[str, pa.RecordBatch]:
        """Return the tables with derived columns, filled.

        Raises:
            FixConfiguration: the function gave other columns than declared, or values of another type.
        """
        if not self.columns or self._derive is None:
            return {}
        rows = {
            name: pa.Table.from_batches(held, self._schemas[name]) for name, held in self._batches.items()
        }
        found = self._derive(rows)
        wanted = {f"{table}.{name}" for table, columns in self.columns.items() for name in columns}
        given = {f"{table}.{name}" for table, columns in found.items() for name in columns}
        if wanted != given:
            raise self._wrong(
                "gives " + (", ".join(sorted(given)) or "nothing"), f"give {', '.join(sorted(wanted))}"
            )
        return {
            name: self._fill(name, rows[name], found[name]) for name in self.columns if rows[name].num_rows
        }

    def _fill(self, table: str, rows: pa.Table, values: Mapping[str, Any]) -> pa.RecordBatch:
        for name, column in self.columns[table].items():
            try:
                array = _array(column, values[name], rows.num_rows)
            except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
                raise self._wrong(
                    f"gives {values[name]!r:.80} for {table}.{name}: {error}", f"give a {column.type}"
                ) from error
            rows = rows.set_column(rows.schema.get_field_index(name), rows.schema.field(name), array)
            self._quality.nulls[table][name] = array.null_count
            self._quality.warn(table, check_columns({name: column}, {name: array.to_pylist()}))
        return rows.combine_chunks().to_batches()[0]

    def _wrong(self, what: str, next_step: str) -> FixConfiguration:
        return FixConfiguration(
            f"{self._name}: the function that makes the {DERIVED} columns {what}",
            next_step=f"correct functions/{self._name}/main.py: {next_step}",
        )


def _array(column: Column, value: Any, count: int) -> pa.Array:
    wanted = arrow_type(column)
    if isinstance(value, pa.ChunkedArray):
        value = value.combine_chunks()
    if isinstance(value, pa.Array):
        if len(value) != count:
            raise ValueError(f"it has {len(value)} values for {count} rows")
        return value.cast(wanted)
    if not isinstance(value, pa.Scalar):
        value = pa.scalar(value, wanted)
    return pa.repeat(value.cast(wanted), count)


def _listed(columns: Mapping[str, Mapping[str, Column]]) -> str:
    return ", ".join(f"{table}.{name}" for table, own in columns.items() for name in own)

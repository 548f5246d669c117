"""From decoded records to Arrow batches, one per table: columns read, checked and converted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa

from shared.arrow import Constants, Maker, arrow_schema
from shared.columns import Constant, Moments, read_columns, table_values, trail
from shared.endpoint import CONSTANTS
from shared.endpoint_rules import table_columns
from shared.errors import FixConfiguration
from shared.quality import Refused, check_columns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.columns import Rows, Values
    from shared.endpoint import Endpoint
    from shared.shapes import Shape, TablePlan

__all__ = ["NOT_AS_DECLARED", "Tables"]

#: What decoding and converting raise for a value that is not what was declared.
NOT_AS_DECLARED = (
    msgspec.DecodeError,
    UnicodeError,
    pa.ArrowInvalid,
    pa.ArrowTypeError,
    OverflowError,
    RecursionError,
    Refused,
)


@dataclass(frozen=True, slots=True)
class Made:
    """What is made of some records, per table."""

    batches: dict[str, pa.RecordBatch]
    #: Column → its values.
    values: dict[str, dict[str, Values]]
    #: Column → how many NULLs, if any.
    nulls: dict[str, dict[str, int]]
    #: What a check said → how often.
    warnings: dict[str, dict[str, int]]


class Tables:
    """Makes the batches of one request's tables."""

    def __init__(self, endpoint: Endpoint, record: Shape, plans: Mapping[str, TablePlan]) -> None:
        self._endpoint = endpoint
        self._record = record
        self._plans = plans
        self._columns = {name: table_columns(endpoint, name) for name in self._plans}
        self._schemas = {name: arrow_schema(columns) for name, columns in self._columns.items()}
        self._needed = {
            column.from_
            for columns in self._columns.values()
            for column in columns.values()
            if column.required and column.from_ in CONSTANTS
        }
        checked = {
            name: {c: column for c, column in endpoint.tables[name].columns.items() if column.check}
            for name in self._plans
        }
        #: What is left to check, by whether the decoder proves what it can.
        self._checks = {
            False: checked,
            True: {
                name: {c: column for c, column in columns.items() if c not in self._plans[name].proven}
                for name, columns in checked.items()
            },
        }
        self._makers = {
            name: [Maker(column_name, column) for column_name, column in columns.items()]
            for name, columns in self._columns.items()
        }
        self._constants = Constants()

    def of(
        self, keys: list[str] | None, records: list[Any], constants: Mapping[str, Any], *, proven: bool
    ) -> Made:
        """Make the records' batches.

        Args:
            keys: The records' keys, when they came from a map.
            records: Structs of the record's shape.
            constants: Values of $run_id, $account, $faction_id and $fetched_at, the last perhaps Moments.
            proven: The decoder has proved types, and the checks that it can.

        Raises:
            NOT_AS_DECLARED: one of these; which record it is for ``blame`` to say.
            FixConfiguration: a constant that a column needs is not set.
        """
        for name in self._needed:
            if constants[str(name)] is None:
                raise FixConfiguration(
                    f"a REQUIRED column takes {name}, which is not set",
                    next_step="set it for this account in ACCOUNTS, or make the column NULLABLE",
                )
        found = read_columns(self._record, records, keys)
        batches: dict[str, pa.RecordBatch] = {}
        done: dict[str, dict[str, Values]] = {}
        nulls: dict[str, dict[str, int]] = {}
        warnings: dict[str, dict[str, int]] = {}
        moments: dict[str | None, Any] = {None: constants["$fetched_at"]}
        for name, plan in self._plans.items():
            known = {**constants, "$fetched_at": _moments(plan, found, moments)}
            values = done[name] = table_values(self._endpoint, plan, found, done, known)
            warnings[name] = check_columns(self._checks[proven][name], values)
            count = found[plan.rows].count if plan.rows in found else 0
            arrays = [
                self._array(maker, values[maker.name], count, proven=proven) for maker in self._makers[name]
            ]
            nulls[name] = {
                maker.name: array.null_count
                for maker, array in zip(self._makers[name], arrays, strict=True)
                if array.null_count
            }
            batches[name] = pa.RecordBatch.from_arrays(arrays, schema=self._schemas[name])
        return Made(batches, done, nulls, warnings)

    def _array(self, maker: Maker, values: Values, count: int, *, proven: bool) -> pa.Array:
        if isinstance(values, Constant):
            return self._constants.array(maker, values.value, count)
        return maker.array(values, count, proven=proven)

    def blame(self, key: str | None, record: Any, constants: Mapping[str, Any]) -> tuple[str, str] | None:
        """Return the first place in a record whose value cannot be kept, and why."""
        found = read_columns(self._record, [record], None if key is None else [key])
        done: dict[str, dict[str, Values]] = {}
        for name, plan in self._plans.items():
            values = done[name] = table_values(self._endpoint, plan, found, done, constants)
            for column_name, column in self._endpoint.tables[name].columns.items():
                each = values[column_name]
                for row, value in enumerate(each if isinstance(each, list | tuple) else ()):
                    try:
                        check_columns({column_name: column}, {column_name: [value]})
                        Maker(column_name, column).array([value], 1, proven=False)
                    except NOT_AS_DECLARED as error:
                        above = trail(self._plans, found, name, row)
                        inside = "" if str(column.from_).startswith("$") else str(column.from_)
                        return f"{above}{'.' if above and inside else ''}{inside}", str(error)
        return None


def _moments(plan: TablePlan, found: Mapping[str | None, Rows], moments: dict[str | None, Any]) -> Any:
    """Return when a table's rows were read: once, or page by page; noted for the tables below it."""
    above, rows = moments[plan.root], found.get(plan.name)
    if isinstance(above, Moments) and rows is not None and rows.counts is not None:
        above = above.below(rows.counts)
    moments[plan.name] = above
    return above

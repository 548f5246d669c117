"""An endpoint's tables as they were last released: ``functions/<name>/released.json``.

The warehouse holds rows that were written under the released schema, so what it cannot follow must
not be declared; ``schema_changes`` compares. The file stands beside endpoint.yaml, one line per
column, so that a review sees what a change does to the tables.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from shared.endpoint_rules import table_columns
from shared.errors import FixConfiguration

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from shared.endpoint import Column, Endpoint

    #: Table → (description, columns).
    Declared = Mapping[str, tuple[str, Mapping[str, Column]]]

__all__ = [
    "RELEASED",
    "ReleasedColumn",
    "ReleasedTable",
    "Schema",
    "declared_tables",
    "fingerprint",
    "read_released",
    "released_text",
    "schema_of",
]

#: The file's name, in the endpoint's folder.
RELEASED = "released.json"

_RESTORE = "restore the file from version control; it is written by `tcdatalogger schema release` alone"


class _Strict(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    pass


class ReleasedColumn(_Strict, frozen=True):
    """One column, by what the warehouse keeps of it."""

    name: str
    type: str
    mode: Literal["NULLABLE", "REQUIRED"]


class ReleasedTable(_Strict, frozen=True):
    """One table; its columns in their order."""

    mode: Literal["append", "replace", "merge"]
    key: list[str]
    partition: str | None
    cluster: list[str]
    columns: list[ReleasedColumn]


class Schema(_Strict, frozen=True):
    """All tables of an endpoint at one version."""

    version: Annotated[int, Meta(ge=1)]
    tables: dict[str, ReleasedTable]


def schema_of(endpoint: Endpoint) -> Schema:
    """Return what an endpoint declares, as far as the warehouse keeps it."""
    return Schema(
        version=endpoint.version,
        tables={
            name: ReleasedTable(
                mode=table.mode,
                key=table.key,
                partition=table.partition,
                cluster=table.cluster,
                columns=[
                    ReleasedColumn(name=column_name, type=column.type, mode=column.mode)
                    for column_name, column in table_columns(endpoint, name).items()
                ],
            )
            for name, table in endpoint.tables.items()
        },
    )


def released_text(schema: Schema) -> str:
    """Return the file's text: the same for the same schema, and one line per column."""
    lines = ["{", f'  "version": {schema.version},', '  "tables": {']
    for n, (name, table) in enumerate(schema.tables.items(), 1):
        facts = {"mode": table.mode, "key": table.key, "partition": table.partition, "cluster": table.cluster}
        columns = [f"        {json.dumps(msgspec.structs.asdict(column))}" for column in table.columns]
        lines += [
            f"    {json.dumps(name)}: {{",
            *(f'      "{fact}": {json.dumps(value)},' for fact, value in facts.items()),
            '      "columns": [',
            ",\n".join(columns),
            "      ]",
            "    }" + ("," if n < len(schema.tables) else ""),
        ]
    return "\n".join([*lines, "  }", "}", ""])


def read_released(file: Path, shown: str = "") -> Schema | None:
    """Read a released schema; None when the endpoint was not released yet.

    Raises:
        FixConfiguration: the file is not what ``schema release`` wrote.
    """
    try:
        text = file.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise _broken(file, shown, f"cannot be read: {error}") from error
    try:
        data = json.loads(text, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        raise _broken(file, shown, f"line {error.lineno}, column {error.colno}: {error.msg}") from error
    except (_Twice, RecursionError) as error:
        raise _broken(file, shown, str(error)) from error
    try:
        whole = msgspec.convert(data, _Whole)
    except msgspec.ValidationError as error:
        raise _broken(file, shown, str(error)) from error
    return Schema(
        version=whole.version, tables={n: _table(n, t, file, shown) for n, t in whole.tables.items()}
    )


def declared_tables(endpoint: Endpoint) -> Declared:
    """Return an endpoint's tables with their descriptions and all their columns."""
    return {
        name: (table.description, table_columns(endpoint, name)) for name, table in endpoint.tables.items()
    }


def fingerprint(tables: Declared) -> str:
    """Return the SHA-256 of tables, columns, types, modes and texts, as ``schema_versions`` has it."""
    facts = [
        (name, description, [(n, c.type, c.mode, c.description) for n, c in columns.items()])
        for name, (description, columns) in tables.items()
    ]
    return hashlib.sha256(msgspec.json.encode(facts)).hexdigest()


class _Whole(_Strict, frozen=True):
    """The file before its tables are read, each of which can then be named."""

    version: Annotated[int, Meta(ge=1)]
    tables: dict[str, Any]


def _table(name: str, data: object, file: Path, shown: str) -> ReleasedTable:
    try:
        table = msgspec.convert(data, ReleasedTable)
    except msgspec.ValidationError as error:
        raise _broken(file, shown, f"tables.{name}: {error}") from error
    columns = [column.name for column in table.columns]
    twice = sorted({column for column in columns if columns.count(column) > 1})
    if twice:
        raise _broken(file, shown, f"tables.{name}: the column {twice[0]!r} stands twice")
    return table


class _Twice(ValueError):  # noqa: N818 - says what was found
    pass


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a key that stands twice, as a merge that went wrong leaves it."""
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = next(key for n, (key, _) in enumerate(pairs) if key in dict(pairs[:n]))
        raise _Twice(f"the key {twice!r} stands twice")
    return found


def _broken(file: Path, shown: str, what: str) -> FixConfiguration:
    return FixConfiguration(f"{shown or file}: {what}", next_step=_RESTORE)

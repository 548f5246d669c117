"""An endpoint as its endpoint.yaml declares it: requests, schedule, key, budget, tables, checks.

The structs below are the grammar. ``functions/endpoint.schema.json`` is generated from them, so
that an editor, ``make check`` and the run itself read the same rules. What a JSON Schema cannot
say (a key that names no column, a child without its parent's key) is in ``endpoint_rules``.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

__all__ = [
    "CONSTANTS",
    "DERIVED",
    "FORMS",
    "Check",
    "Column",
    "Endpoint",
    "Request",
    "Table",
    "Window",
]

#: What a run knows of every row, beside the record itself.
CONSTANTS = {
    "$fetched_at": "TIMESTAMP",
    "$run_id": "STRING",
    "$account": "STRING",
    "$faction_id": "INTEGER",
}

#: The source of a column that a function in the endpoint's main.py fills.
DERIVED = "$derived"

_NAME = r"^[a-z][a-z0-9_]{0,127}$"
_SECRET = r"^[a-z][a-z0-9-]{0,62}$"  # noqa: S105 - the form of a secret's name
_URL_PATH = r"^/[^?#\s]*$"
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_MEMORY = r"^\d+(Mi|Gi)$"

#: What each pattern means, for people.
FORMS = {
    _NAME: "lower-case letters, digits and _, a letter first",
    _SECRET: "lower-case letters, digits and -, a letter first",
    _URL_PATH: "a path from / on, without ? and #",
    _MEMORY: "a size such as 512Mi or 1Gi",
}

Scalar = str | int | float | bool
Name = Annotated[str, Meta(pattern=_NAME)]
Text = Annotated[str, Meta(min_length=1)]
JsonPath = Annotated[
    str, Meta(min_length=1, description="Keys from the record down, with dots between them.")
]


class _Strict(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    pass


class Check(_Strict, frozen=True):
    """What a value should be; ``warn`` keeps and counts the row, ``reject`` refuses its record."""

    min: Annotated[float | None, Meta(description="The least allowed, for INTEGER and FLOAT.")] = None
    max: Annotated[float | None, Meta(description="The most allowed, for INTEGER and FLOAT.")] = None
    enum: Annotated[
        Annotated[list[Scalar], Meta(min_length=1)] | None, Meta(description="The values allowed.")
    ] = None
    severity: Annotated[
        Literal["warn", "reject"],
        Meta(description="warn keeps and counts the row; reject refuses its record."),
    ] = "warn"


class Column(_Strict, frozen=True):
    """One column, and where in the record its value stands."""

    type: Annotated[
        Literal["STRING", "INTEGER", "FLOAT", "BOOLEAN", "TIMESTAMP", "DATE", "JSON"],
        Meta(description="The column's type; a value of another type rejects its record."),
    ]
    mode: Annotated[
        Literal["NULLABLE", "REQUIRED"],
        Meta(
            description="REQUIRED rejects a record without the value; for keys and the time of reading only."
        ),
    ] = "NULLABLE"
    from_: Annotated[
        str | None,
        Meta(
            description="A JSON path from the record, or $index, $key, $value, $fetched_at, "
            "$run_id, $account, $faction_id, or $derived, which a function in main.py gives. "
            "None: the API has no source for it any more."
        ),
    ] = field(default=None, name="from")
    unit: Annotated[
        Literal["s", "ms", "iso"], Meta(description="How a TIMESTAMP is written in the response.")
    ] = "s"
    check: Annotated[Check | None, Meta(description="What the value should be.")] = None
    description: Annotated[str, Meta(description="What the value means; stands in the warehouse too.")] = ""

    @property
    def required(self) -> bool:
        """Say whether a row without this value is rejected."""
        return self.mode == "REQUIRED"


class Window(_Strict, frozen=True):
    """The names of the parameters that a backfill sets, in unix seconds."""

    from_: Annotated[str, Meta(min_length=1, description="The parameter for the begin.")] = field(name="from")
    to: Annotated[str, Meta(min_length=1, description="The parameter for the end.")]


class Request(_Strict, frozen=True):
    """One request, repeated for every page."""

    path: Annotated[
        str,
        Meta(
            pattern=_URL_PATH,
            description="The path below the API's address; {name} in it is a parameter's value.",
        ),
    ]
    params: Annotated[dict[str, Scalar], Meta(description="Parameters of every call.")] = {}
    records: Annotated[
        str,
        Meta(
            min_length=1,
            description="Where the records stand in the body: a list, one object or a map; $ is the body.",
        ),
    ] = "$"
    pages: Annotated[
        Literal["none", "links"], Meta(description="links: follow _metadata.links.next to the end.")
    ] = "none"
    max_pages: Annotated[int, Meta(ge=1, le=100_000, description="More pages than this fail the run.")] = (
        1_000
    )
    window: Annotated[Window | None, Meta(description="The parameters that a backfill sets.")] = None
    lookback: Annotated[
        str | None, Meta(description="A scheduled run asks from its slot minus this duration.")
    ] = None

    @property
    def placeholders(self) -> list[str]:
        """Return the names of the parameters that stand in the path: ``/faction/{id}/basic``."""
        return _PLACEHOLDER.findall(self.path)


class Table(_Strict, frozen=True):
    """One table: a row for every record, or for every element of a list or map inside it."""

    columns: Annotated[dict[Name, Column], Meta(description="The table's columns, in order.")]
    description: Annotated[str, Meta(description="What a row is; stands in the warehouse too.")] = ""
    mode: Annotated[
        Literal["append", "replace", "merge"],
        Meta(
            description="append adds rows, replace keeps the newest run's, merge the newest row of each key."
        ),
    ] = "append"
    request: Annotated[str | None, Meta(description="Which request feeds it, if there are several.")] = None
    of: Annotated[
        str | None,
        Meta(
            description="The table whose rows hold the list; else the request's own records. "
            "Without `each`: the table whose records this one takes too."
        ),
    ] = None
    each: Annotated[JsonPath | None, Meta(description="The list or map that gives one row per element.")] = (
        None
    )
    parent: Annotated[
        dict[Name, Name],
        Meta(description="Columns of the parent's row that are repeated here: own name → parent's."),
    ] = {}
    key: Annotated[list[Name], Meta(description="The columns that tell one row from all others.")] = []
    partition: Annotated[
        Name | None,
        Meta(
            description="The TIMESTAMP or DATE column whose days part the table; in a merge table one "
            "that never changes for a key."
        ),
    ] = None
    cluster: Annotated[
        list[Name], Meta(max_length=4, description="The columns that rows are sorted by.")
    ] = []
    allow_empty: Annotated[bool, Meta(description="A replace may leave the table without rows.")] = False
    max_shrink: Annotated[
        float,
        Meta(ge=0, le=1, description="The share of its rows that a replace may take away; more is refused."),
    ] = 0.5
    ignore: Annotated[
        list[JsonPath], Meta(description="Fields that the API has and this table does not take.")
    ] = []

    @property
    def version_column(self) -> str | None:
        """Name the column that says when the row was read; the newest state wins."""
        return next((n for n, c in self.columns.items() if c.from_ == "$fetched_at"), None)


class Endpoint(_Strict, frozen=True):
    """One endpoint of one API, as one file declares it."""

    name: Annotated[
        str, Meta(pattern=_NAME, description="Its folder's name, and so its function's and topic's.")
    ]
    description: Annotated[str, Meta(min_length=1, description="What it collects, in a sentence.")]
    source: Annotated[Literal["torn"], Meta(description="The API it reads.")]
    requests: Annotated[
        dict[Name, Request], Meta(min_length=1, description="What a run asks the API for, by name.")
    ]
    every: Annotated[str, Meta(description="ISO-8601 duration that divides a day: PT15M, PT1H, P1D.")]
    key: Annotated[str, Meta(pattern=_SECRET, description="The name of the key's secret.")]
    calls_per_minute: Annotated[
        int, Meta(ge=1, le=100, description="The most calls a minute that it makes with one key.")
    ]
    tables: Annotated[dict[Name, Table], Meta(min_length=1, description="The tables it fills, by name.")]
    scope: Annotated[
        Literal["account", "global"], Meta(description="global: read once for all accounts.")
    ] = "account"
    overridable: Annotated[list[str], Meta(description="Parameters that a message may set.")] = []
    writer: Annotated[
        Literal["load", "stream"],
        Meta(description="How append tables are written to BigQuery: load is free; stream for often."),
    ] = "load"
    memory: Annotated[str, Meta(pattern=_MEMORY, description="The function's memory.")] = "512Mi"
    max_rejected: Annotated[
        float,
        Meta(ge=0, le=1, description="The share of records that may be rejected before the run fails."),
    ] = 0.1
    version: Annotated[
        int,
        Meta(
            ge=1, description="Version of the tables' schema; one more when they change, see released.json."
        ),
    ] = 1

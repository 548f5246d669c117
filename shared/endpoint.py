"""An endpoint as its endpoint.yaml declares it: requests, schedule, key, budget, tables, checks.

The structs below are the grammar. ``functions/endpoint.schema.json`` is generated from them, so
that an editor, ``make check`` and the run itself read the same rules. What a JSON Schema cannot
say (a key that names no column, a child without its parent's key) is in ``endpoint_rules``.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

__all__ = [
    "CONSTANTS",
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

Scalar = str | int | float | bool
Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,127}$")]
Text = Annotated[str, Meta(min_length=1)]
JsonPath = Annotated[
    str, Meta(min_length=1, description="Keys from the record down, with dots between them.")
]


class _Strict(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    pass


class Check(_Strict):
    """What a value should be; ``warn`` keeps and counts the row, ``reject`` refuses its record."""

    min: float | None = None
    max: float | None = None
    enum: list[Scalar] | None = None
    severity: Literal["warn", "reject"] = "warn"


class Column(_Strict):
    """One column, and where in the record its value stands."""

    type: Literal["STRING", "INTEGER", "FLOAT", "BOOLEAN", "TIMESTAMP", "DATE", "JSON"]
    mode: Literal["NULLABLE", "REQUIRED"] = "NULLABLE"
    from_: Annotated[
        str | None,
        Meta(
            description="A JSON path from the record, or $index, $key, $value, $fetched_at, "
            "$run_id, $account, $faction_id. None: the API has no source for it any more."
        ),
    ] = field(default=None, name="from")
    unit: Annotated[
        Literal["s", "ms", "iso"], Meta(description="How a TIMESTAMP is written in the response.")
    ] = "s"
    check: Check | None = None
    description: str = ""

    @property
    def required(self) -> bool:
        """Say whether a row without this value is rejected."""
        return self.mode == "REQUIRED"


class Window(_Strict):
    """The names of the parameters that a backfill sets, in unix seconds."""

    from_: Text = field(name="from")
    to: Text


class Request(_Strict):
    """One request, repeated for every page."""

    path: Annotated[str, Meta(pattern=r"^/[^?#\s]*$")]
    params: dict[str, Scalar] = {}
    records: Annotated[
        str,
        Meta(
            min_length=1,
            description="Where the records stand in the body: a list, a single object or a map; $ is the body.",
        ),
    ] = "$"
    pages: Annotated[
        Literal["none", "links"], Meta(description="links: follow _metadata.links.next to the end.")
    ] = "none"
    max_pages: Annotated[int, Meta(ge=1, le=100_000)] = 1_000
    window: Window | None = None
    lookback: Annotated[
        str | None, Meta(description="A scheduled run asks from its slot minus this duration.")
    ] = None


class Table(_Strict):
    """One table: a row for every record, or for every element of a list or map inside it."""

    columns: dict[Name, Column]
    description: str = ""
    mode: Literal["append", "replace", "merge"] = "append"
    request: Annotated[str | None, Meta(description="Which request feeds it, if there are several.")] = None
    of: Annotated[
        str | None, Meta(description="The table whose rows hold the list; else the request's own records.")
    ] = None
    each: Annotated[
        JsonPath | None, Meta(description="The list or map that gives one row per element.")
    ] = None
    parent: Annotated[
        dict[Name, Name], Meta(description="Columns of the parent's row that are repeated here: own name → parent's.")
    ] = {}
    key: list[Name] = []
    partition: Name | None = None
    cluster: Annotated[list[Name], Meta(max_length=4)] = []
    allow_empty: bool = False
    ignore: Annotated[
        list[JsonPath], Meta(description="Fields that the API has and this table does not take.")
    ] = []

    @property
    def version_column(self) -> str | None:
        """Name the column that says when the row was read; a merge keeps the newest."""
        return next((n for n, c in self.columns.items() if c.from_ == "$fetched_at"), None)


class Endpoint(_Strict):
    """One endpoint of one API, as one file declares it."""

    name: Name
    description: Text
    source: Literal["torn"]
    requests: Annotated[dict[Name, Request], Meta(min_length=1)]
    every: Annotated[str, Meta(description="ISO-8601 duration that divides a day: PT15M, PT1H, P1D.")]
    key: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,62}$", description="The name of the key's secret.")]
    calls_per_minute: Annotated[int, Meta(ge=1, le=100)]
    tables: Annotated[dict[Name, Table], Meta(min_length=1)]
    scope: Annotated[
        Literal["account", "global"], Meta(description="global: read once for all accounts.")
    ] = "account"
    overridable: Annotated[list[str], Meta(description="Parameters that a message may set.")] = []
    memory: Annotated[str, Meta(pattern=r"^\d+(Mi|Gi)$")] = "512Mi"
    max_rejected: Annotated[
        float,
        Meta(ge=0, le=1, description="The share of records that may be rejected before the run fails."),
    ] = 0.1
    version: Annotated[int, Meta(ge=1, description="Version of the tables' schema.")] = 1

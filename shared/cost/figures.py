"""What a run takes: measured in the ledger, else measured once here, else assumed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.cost.facts import ASSUMED, facts
from shared.endpoint_rules import table_columns

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from shared.endpoint import Endpoint

__all__ = ["RunFigures", "columns_bytes", "file_figures"]

_BYTES = {"BOOLEAN": 1, "INTEGER": 8, "FLOAT": 8, "TIMESTAMP": 8, "DATE": 8}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFigures:
    """One run of one endpoint for one account."""

    #: Where the figures are from, for people.
    source: str
    #: Seconds of the steps, on a whole core.
    fetch: float
    flatten: float
    write: float
    pages: float
    bytes: float
    #: Bytes that the run leaves in the archive.
    packed: float
    #: Rows that the run has for each table, and the logical bytes of one.
    rows: Mapping[str, float]
    row_bytes: Mapping[str, float]
    #: The seconds are those of a function that writes to BigQuery; else its waits are assumed.
    in_cloud: bool = False
    #: The pages came from a simulated faction, which answers at once.
    simulated: bool = True

    def table_bytes(self, name: str) -> float:
        """Return the logical bytes that a run has for a table."""
        return self.rows[name] * self.row_bytes[name]


def file_figures(endpoint: Endpoint) -> RunFigures:
    """Return the figures of figures.toml; those of an endpoint that is not there are assumed."""
    said = facts("figures")
    one = said["endpoints"].get(endpoint.name)
    if one is None:
        pages = len(endpoint.requests)
        size = pages * ASSUMED.page_bytes
        return RunFigures(
            source="assumed: neither the ledger nor figures.toml has a run of it",
            fetch=0.0, flatten=0.1, write=0.0, pages=pages, bytes=size, packed=size * ASSUMED.pack_ratio,
            rows=dict.fromkeys(endpoint.tables, ASSUMED.rows), row_bytes=_row_bytes(endpoint, {}),
        )  # fmt: skip
    unknown = [name for name in endpoint.tables if name not in one["rows"]]
    assumed = f"; assumed for {', '.join(unknown)}" if unknown else ""
    return RunFigures(
        source=f"figures.toml, {one['runs']} simulated runs of {said['date']}{assumed}",
        **one["seconds"],
        pages=one["pages"],
        bytes=one["bytes"],
        packed=one["packed"],
        rows={name: one["rows"].get(name, ASSUMED.rows) for name in endpoint.tables},
        row_bytes=_row_bytes(endpoint, one["row_bytes"]),
    )


def columns_bytes(endpoint: Endpoint, table: str, names: Container[str | None]) -> int:
    """Return the bytes that a row has in some of its columns, as far as their types say."""
    return sum(
        _BYTES.get(column.type, ASSUMED.text_bytes)
        for name, column in table_columns(endpoint, table).items()
        if name in names
    )


def _row_bytes(endpoint: Endpoint, measured: Mapping[str, float]) -> dict[str, float]:
    return {
        name: measured.get(name) or columns_bytes(endpoint, name, table_columns(endpoint, name))
        for name in endpoint.tables
    }

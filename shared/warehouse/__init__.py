"""Where the rows go. Every warehouse keeps one promise: a run's rows are written exactly once.

A run writes through a ``Writer``: batches in, ``finish`` applies each table's mode, ``record``
adds ledger rows, ``commit`` makes it all true at once. Leaving the writer without a commit leaves
the tables as they were.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from shared.errors import FixConfiguration

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    import pyarrow as pa

    from shared.endpoint import Endpoint

__all__ = ["Change", "Note", "Warehouse", "Writer", "Written", "no_note", "open_warehouse"]


@dataclass(frozen=True, slots=True)
class Written:
    """What ``finish`` did: rows per table, and whether a newer state was there already."""

    rows: dict[str, int] = field(default_factory=dict)
    superseded: bool = False
    #: An earlier delivery had written all of it.
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """What a table needs to be as declared; ``refused`` if that would lose or retype data."""

    table: str
    what: str
    refused: bool = False


#: Keeps bytes under a name in the run's folder, once; returns those that count.
Note = Callable[[str, bytes], bytes]


def no_note(_name: str, data: bytes) -> bytes:
    """Keep nothing: for runs without an archive, which no delivery repeats."""
    return data


class Writer(Protocol):
    """One run's writing."""

    #: An earlier attempt has written this run's rows.
    done: bool

    def write(self, table: str, batch: pa.RecordBatch) -> None:
        """Take one batch of a declared table."""

    def finish(self) -> Written:
        """Apply each table's mode to what was taken."""

    def record(self, table: str, rows: list[dict[str, Any]]) -> None:
        """Add rows to a ledger table."""

    def commit(self) -> None:
        """Make everything true at once."""


class Warehouse(Protocol):
    """A place for tables."""

    def begin(
        self, endpoint: Endpoint, run_id: str, account: str, *, note: Note = no_note
    ) -> AbstractContextManager[Writer]:
        """Begin writing one run's rows; ``note`` keeps what a redelivery needs to go on."""

    def record(self, entries: dict[str, list[dict[str, Any]]]) -> None:
        """Add rows to ledger tables, outside any run's writing."""

    def apply(self, endpoints: Sequence[Endpoint], *, dry_run: bool = False) -> list[Change]:
        """Bring tables up to what is declared: all, or none if any of it is refused; return what it takes."""

    def query(self, sql: str, parameters: list[Any] | None = None) -> pa.Table:
        """Return a query's rows; nothing can be written."""


def open_warehouse(url: str, *, wait: float = 60.0) -> Warehouse:
    """Return the warehouse that a URL names; ``wait`` bounds the turn-taking, in seconds.

    Raises:
        FixConfiguration: no such kind, or its driver is not installed.
    """
    kind, _, place = url.partition(":")
    if kind == "duckdb":
        from pathlib import Path  # noqa: PLC0415

        try:
            from shared.warehouse.duckdb import DuckDBWarehouse  # noqa: PLC0415 - 75 ms, only here
        except ImportError as error:
            raise FixConfiguration(
                "WAREHOUSE is a DuckDB file, but duckdb is not installed",
                next_step="install requirements.txt, not functions/requirements.txt alone",
            ) from error
        return DuckDBWarehouse(Path(place), wait=wait)
    if kind == "bigquery":
        from shared.warehouse.bigquery import BigQueryWarehouse  # noqa: PLC0415 - 300 ms, only here

        project, _, dataset = place.rpartition(".")
        return BigQueryWarehouse(project, dataset)
    raise FixConfiguration(
        f"WAREHOUSE: {url!r} is neither duckdb:FILE nor bigquery:PROJECT.DATASET",
        next_step="correct WAREHOUSE",
    )

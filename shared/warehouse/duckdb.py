"""A DuckDB file: every run's rows and its record in one transaction.

Several processes take turns on the file, see ``turn``; while another program has it open, opening it is
tried again, with jitter, until a bounded wait is over.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from shared.arrow import arrow_schema
from shared.errors import FixConfiguration, StorageFailed
from shared.ledger import LEDGER
from shared.warehouse.duckdb_apply import changes
from shared.warehouse.duckdb_modes import write_family
from shared.warehouse.duckdb_schema import ensure_endpoint, ensure_ledger, quoted
from shared.warehouse.families import families
from shared.warehouse.staging import Staging
from shared.warehouse.turn import busy, pause, turn

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from shared.endpoint import Endpoint
    from shared.warehouse import Change, Note, Written

__all__ = ["DuckDBWarehouse"]

# One process opens the file once; its threads take turns here.
_here = threading.Lock()


class DuckDBWarehouse:
    """Tables in one DuckDB file, which is made when first written."""

    def __init__(self, path: Path, *, wait: float = 60.0) -> None:
        self.path = path
        self._wait = wait

    @contextmanager
    def begin(
        self, endpoint: Endpoint, run_id: str, account: str, *, note: Note | None = None
    ) -> Iterator[DuckDBWriter]:
        """Begin a transaction for one run; it is rolled back unless committed."""
        del note  # a transaction needs no memory of an earlier try
        with self._transaction() as connection:
            ensure_ledger(connection)
            ensure_endpoint(connection, endpoint, run_id)
            yield DuckDBWriter(connection, endpoint, run_id, account)

    def record(self, entries: dict[str, list[dict[str, Any]]]) -> None:
        """Add rows to ledger tables in a transaction of their own."""
        with self._transaction() as connection:
            ensure_ledger(connection)
            for table, rows in entries.items():
                _insert_ledger(connection, table, rows)
            connection.commit()

    def apply(self, endpoints: Sequence[Endpoint], *, dry_run: bool = False) -> list[Change]:
        """Bring tables up to what is declared; a run does so too, for its own."""
        if dry_run and not self.path.exists():
            with duckdb.connect(":memory:") as nothing:
                return changes(nothing, endpoints)
        with self._transaction() as connection:
            found = changes(connection, endpoints)
            if not dry_run and not any(change.refused for change in found):
                ensure_ledger(connection)
                for endpoint in endpoints:
                    ensure_endpoint(connection, endpoint, None)
                connection.commit()
        return found

    def query(self, sql: str, parameters: list[Any] | None = None) -> pa.Table:
        """Return a query's rows.

        Raises:
            FixConfiguration: there is no database yet, or the SQL is wrong.
        """
        if not self.path.exists():
            raise FixConfiguration(
                f"there is no database at {self.path} yet",
                next_step="collect something first: `tcdatalogger run crimes`",
            )
        with self._open(read_only=True) as connection:
            try:
                # COMMENT, ATTACH and the like have no rows; reading files is not this command's.
                connection.execute("SET enable_external_access = false")
                found = connection.sql(sql, params=parameters)
                if found is None:
                    raise duckdb.InvalidInputException("it returns no rows")
                return found.to_arrow_table()
            except (RuntimeError, duckdb.InterruptException) as error:
                # What DuckDB makes of Ctrl-C.
                if "interrupted" in str(error).lower():
                    raise KeyboardInterrupt from error
                raise
            except duckdb.Error as error:
                raise FixConfiguration(
                    f"the query failed: {str(error).strip()}",
                    next_step="correct it; `tcdatalogger endpoints` lists tables and columns",
                ) from error

    @contextmanager
    def _transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        self._make_folder()
        with self._open() as connection:
            try:
                connection.begin()
                yield connection
            except (duckdb.IOException, duckdb.FatalException, duckdb.TransactionException) as error:
                raise _storage_failed(self.path, error) from error

    @contextmanager
    def _open(self, *, read_only: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
        deadline = time.monotonic() + self._wait
        if not _here.acquire(timeout=self._wait):
            raise busy(self.path, "another run of this process", self._wait)
        try:
            with nullcontext() if read_only else turn(self.path, self._wait):
                connection = self._connect(deadline, read_only=read_only)
                try:
                    connection.execute("SET TimeZone = 'UTC'")
                    yield connection
                finally:
                    # An open transaction is rolled back.
                    connection.close()
        finally:
            _here.release()

    def _connect(self, deadline: float, *, read_only: bool) -> duckdb.DuckDBPyConnection:
        while True:
            try:
                return duckdb.connect(str(self.path), read_only=read_only)
            except duckdb.IOException as error:
                text = str(error)
                if "lock" not in text.lower():
                    raise _storage_failed(self.path, error) from error
                if time.monotonic() > deadline:
                    raise busy(self.path, _holder(text), self._wait) from error
                pause()

    def _make_folder(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageFailed(
                f"the folder {self.path.parent} cannot be made: {error.strerror}",
                next_step="set WAREHOUSE to a file that can be written",
            ) from error


class DuckDBWriter:
    """One run's writing inside one transaction."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, endpoint: Endpoint, run_id: str, account: str
    ) -> None:
        self._connection = connection
        self._endpoint = endpoint
        self._account = account
        self._staged = {name: Staging(connection, name) for name in endpoint.tables}
        self.done = bool(
            connection.execute(
                "SELECT count(*) FROM runs WHERE run_id = ? AND outcome IN ('ok', 'superseded')", [run_id]
            ).fetchall()[0][0]
        )

    def write(self, table: str, batch: pa.RecordBatch) -> None:
        """Take one batch of a declared table."""
        self._staged[table].add(batch)

    def finish(self) -> Written:
        """Apply each table's mode, parents and their children as one.

        Raises:
            ReplaceRefused: a replace would leave a table empty that may not be.
        """
        from shared.warehouse import Written  # noqa: PLC0415 - the package imports this module

        rows: dict[str, int] = {}
        superseded = False
        for family in families(self._endpoint):
            written = write_family(self._connection, self._endpoint, family, self._staged, self._account)
            superseded |= written is None
            rows |= written if written is not None else dict.fromkeys(family.tables, 0)
        return Written(rows, superseded=superseded)

    def record(self, table: str, rows: list[dict[str, Any]]) -> None:
        """Add rows to a ledger table, in the same transaction."""
        _insert_ledger(self._connection, table, rows)

    def commit(self) -> None:
        """Make everything true at once."""
        self._connection.commit()


def _insert_ledger(connection: duckdb.DuckDBPyConnection, table: str, rows: list[dict[str, Any]]) -> None:
    if rows:
        incoming = pa.Table.from_pylist(rows, schema=arrow_schema(LEDGER[table].columns))
        connection.register("incoming", incoming)
        connection.execute(f"INSERT INTO {quoted(table)} BY NAME SELECT * FROM incoming")
        connection.unregister("incoming")


def _storage_failed(path: Path, error: Exception) -> Exception:
    text = str(error).strip()
    if "not a valid DuckDB database file" in text or "serialized" in text:
        return FixConfiguration(
            f"{path} is not a database this DuckDB can read: {text.splitlines()[0]}",
            next_step="move the file away, or point WAREHOUSE at another",
        )
    if "No space left" in text or "File too large" in text:
        return StorageFailed(
            f"no space left for {path}; nothing was written",
            next_step="free some space; nothing was lost, run it again",
        )
    return StorageFailed(f"{path}: {text}", next_step="check the disk; nothing was written")


def _holder(text: str) -> str:
    _, found, rest = text.partition("PID ")
    return f"process {rest.split(')')[0].split(' ')[0]}" if found else "another process"

"""One run's writing to BigQuery: Parquet in memory, load jobs, and a transaction where rows are replaced."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from google.api_core import exceptions
from google.cloud import bigquery

from shared.errors import BrokenContract
from shared.logs import log
from shared.warehouse import Written
from shared.warehouse.bigquery_modes import REFUSED, Script, insert_order
from shared.warehouse.bigquery_requests import Requests
from shared.warehouse.families import families
from shared.warehouse.refusals import most_before, refuse_empty, shrunk
from shared.warehouse.run_rows import RunRows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

    from shared.warehouse.bigquery_client import Place
    from shared.warehouse.bigquery_jobs import Jobs, Started
    from shared.warehouse.bigquery_ledger import Ledger
    from shared.warehouse.bigquery_requests import Run
    from shared.warehouse.families import Family

__all__ = ["BigQueryWriter"]

_ANY = 2**62


class BigQueryWriter:
    """One run's writing; see ``shared.warehouse.Writer``."""

    #: What is done already shows when its jobs are given again.
    done = False

    def __init__(self, place: Place, jobs: Jobs, ledger: Ledger, run: Run) -> None:
        self._place = place
        self._jobs = jobs
        self._ledger = ledger
        self._run = run
        self._tables = run.endpoint.tables
        self._requests = Requests(place, run)
        self._rows = RunRows(run.endpoint)
        self._entries: dict[str, list[dict[str, Any]]] = {}

    def write(self, table: str, batch: pa.RecordBatch) -> None:
        """Take one batch of a declared table."""
        self._rows.add(table, batch)

    def finish(self) -> Written:
        """Load every table, side by side; then do the transaction of each family that needs one.

        Raises:
            ReplaceRefused: a replace would leave a table empty, or much smaller, than it may.
            FixConfiguration, BrokenContract, RetrySoon: see ``Jobs``.
        """
        kinds = {family: self._tables[family.root].mode for family in families(self._run.endpoint)}
        for family, mode in kinds.items():
            if mode == "replace":
                for name in family.tables:
                    refuse_empty(name, self._tables[name], self._rows.count(name))
        modes = {name: mode for family, mode in kinds.items() for name in family.tables}
        filled = [name for name in modes if self._rows.count(name)]
        streamed = [name for name in filled if name in self._rows.streamed]
        started = {
            name: self._load(name, staged=modes[name] != "append") for name in filled if name not in streamed
        }
        loaded = {name: self._loaded(name, load, modes) for name, load in started.items()}
        fresh = [not job.repeated for job in loaded.values()]
        if streamed:
            fresh += [not repeated for repeated in self._stream(streamed).values()]
        rows = {name: self._rows.count(name) for name in self._tables}
        superseded = False
        for family, mode in kinds.items():
            if mode == "append" or (mode == "merge" and family.root not in loaded):
                continue
            job, written = self._take(family, mode)
            fresh.append(not job.repeated)
            rows |= written
            superseded |= bool(self._rows.count(family.root)) and not any(written.values())
        for name, count in rows.items():
            log.debug("wrote %s: %d rows", name, count)
        if fresh and not any(fresh) and self._ledger.knows(self._run.run_id):
            return Written(repeated=True)
        return Written(rows, superseded=superseded)

    def record(self, table: str, rows: list[dict[str, Any]]) -> None:
        """Keep rows of a ledger table until the commit."""
        self._entries.setdefault(table, []).extend(rows)

    def commit(self) -> None:
        """Write the ledger: the rows are there."""
        self._ledger.saw(self._run.endpoint, self._run.run_id)
        self._ledger.insert(self._entries)

    def _stream(self, names: Sequence[str]) -> dict[str, bool]:
        # 100 ms of imports, paid only by endpoints that stream.
        from shared.warehouse.bigquery_stream import Streams  # noqa: PLC0415

        rows = {name: self._rows.table(name) for name in names}
        return Streams(self._place).write(rows, self._rows.columns, self._run.note)

    def _load(self, name: str, *, staged: bool) -> Started:
        if staged:
            submit = self._requests.stage(name, self._rows.parquet(name))
        else:
            submit = self._requests.load(name, self._rows.parquet(name))
        return self._jobs.start((self._run.run_id, name, "stage" if staged else "load"), submit)

    def _loaded(self, name: str, load: Started, modes: Mapping[str, str]) -> Started:
        done = self._jobs.finish(load)
        log.debug("loaded %s", name)
        if done.repeated and modes[name] != "append":
            self._stage_again(name, modes[name])
        return done

    def _stage_again(self, name: str, mode: str) -> None:
        """Load a staging table anew that an earlier delivery loaded and that went away since, after a day."""
        root = next(family.root for family in families(self._run.endpoint) if name in family.tables)
        try:
            staged = self._place.client.get_table(self._place.table(self._run.staging(name)))
        except exceptions.NotFound:
            # Another delivery has done the transaction and removed it.
            return
        if staged.num_rows == self._rows.count(name) or self._jobs.succeeded((self._run.run_id, root, mode)):
            return
        identity = (self._run.run_id, name, "stage", str(staged.created))
        self._jobs.run(identity, self._requests.stage(name, self._rows.parquet(name)))
        log.debug("loaded %s again", name)

    def _take(self, family: Family, mode: str) -> tuple[Started, dict[str, int]]:
        """Do a family's transaction; return the rows that it wrote per table."""
        loaded = [name for name in family.tables if self._rows.count(name)]
        script = Script(
            self._run.endpoint,
            family,
            self._place.quoted,
            {name: self._place.quoted(self._run.staging(name)) for name in loaded},
            {name: list(columns) for name, columns in self._rows.columns.items()},
        )
        if mode == "merge":
            condition, parameters = self._pruned(family.root)
            sql = script.merge(condition)
            parameters = [self._account, *parameters]
        else:
            self._keep(family)
            sql, parameters = script.replace(), self._bounds(family)
        submit = self._requests.script(sql, parameters)
        try:
            done = self._jobs.run((self._run.run_id, family.root, mode), submit)
        except BrokenContract as error:
            _, refused, rest = error.message.partition(REFUSED)
            if not refused:
                raise
            raise shrunk(rest.split(";")[0].split()[0]) from error
        log.debug("transaction of %s done", family.root)
        order = [name for name in insert_order(mode, family) if name in loaded]
        written = dict.fromkeys(family.tables, 0) | self._inserted(done, order)
        for name in loaded:
            self._let_go(name)
        return done, written

    def _let_go(self, name: str) -> None:
        """Remove a staging table, which would go by itself in a day."""
        try:
            self._place.client.delete_table(self._place.table(self._run.staging(name)), not_found_ok=True)
        except exceptions.GoogleAPICallError as error:
            log.debug("the staging table of %s is left for a day: %s", name, error)

    def _keep(self, family: Family) -> None:
        """Keep what a replace takes away, as snapshots that cost what differs and go by themselves."""
        started = [
            self._jobs.start((self._run.run_id, name, "snapshot"), self._requests.snapshot(name))
            for name in family.tables
        ]
        for job in started:
            self._jobs.finish(job)
        log.debug("kept what %s held", family.root)

    def _inserted(self, done: Started, order: Sequence[str]) -> dict[str, int]:
        """Return the rows per table that a transaction's INSERTs wrote, as its own jobs say."""
        try:
            jobs = list(self._place.client.list_jobs(parent_job=done.job.job_id))
        except exceptions.GoogleAPICallError as error:
            # The rows are there; only how many of them were new cannot be told.
            log.warning("what the transaction wrote cannot be counted: %s", error)
            return {name: self._rows.count(name) for name in order}
        inserts = [job for job in jobs if job.statement_type == "INSERT"]
        # Their ids end in their place in the script.
        inserts.sort(key=lambda job: int(job.job_id.rpartition("_")[2]))
        return {name: int(job.num_dml_affected_rows or 0) for name, job in zip(order, inserts, strict=True)}

    def _pruned(self, root: str) -> tuple[str, list[Any]]:
        """Return the condition, and its parameters, that keeps a merge to the partitions its rows are in."""
        column, days = self._tables[root].partition, self._rows.days.get(root)
        if column is None or days is None:
            return "TRUE", []
        kind = self._rows.columns[root][column].type
        if days.nulls:
            # What is NULL now may have been in any partition.
            return "TRUE", []
        # What has a day now may have had none before.
        return f"(t.`{column}` IS NULL OR t.`{column}` BETWEEN @first AND @last)", [
            bigquery.ScalarQueryParameter("first", kind, days.first),
            bigquery.ScalarQueryParameter("last", kind, days.last),
        ]

    @property
    def _account(self) -> bigquery.ScalarQueryParameter:
        return bigquery.ScalarQueryParameter("account", "STRING", self._run.account)

    def _bounds(self, family: Family) -> list[Any]:
        """Return what a replace compares with: whose rows, how new, and how many there may be before."""
        # An empty answer is as new as now.
        newest = self._rows.newest.get(family.root) or datetime.now(UTC)
        found: list[Any] = [
            self._account,
            bigquery.ScalarQueryParameter("newest", "TIMESTAMP", newest),
        ]
        for number, name in enumerate(family.tables):
            most = most_before(self._tables[name], self._rows.count(name))
            found.append(
                bigquery.ScalarQueryParameter(f"at_most_{number}", "INT64", _ANY if most is None else most)
            )
        return found

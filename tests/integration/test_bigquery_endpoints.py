"""Every endpoint's tables in BigQuery: as declared, and with the rows that DuckDB gets from the archive."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from cloudevents.http import CloudEvent
from support.bigquery import Dataset
from support.bigquery_discovery import problems
from support.bigquery_proxy import Proxy
from support.framework import push_body
from support.world import ENDPOINTS, Clock, World

from shared.cli.hooks import derive_of
from shared.collector import Collector
from shared.endpoint_file import find_endpoints, load_endpoint
from shared.endpoint_rules import table_columns
from shared.ledger import LEDGER
from shared.settings import Settings
from shared.simulator import FactionSize, Simulator
from shared.warehouse import open_warehouse
from shared.warehouse.bigquery_client import EMULATOR

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.bigquery import Emulator

    from shared.ledger import Attempt

BASE = 1_790_115_200
PUBLISHED = datetime.fromtimestamp(BASE, UTC)
DECLARED = {name: load_endpoint(file) for name, file in find_endpoints().items()}


class Place(NamedTuple):
    """A world whose rows go to BigQuery, and what a proxy saw of it."""

    world: World
    dataset: Dataset
    proxy: Proxy

    def collect(self, endpoint: str, warehouse: str) -> Attempt:
        """Collect an endpoint here, from the archive if it was read already."""
        settings = Settings.read(self.world.environ(WAREHOUSE=warehouse))
        event = CloudEvent({"type": "t", "source": "s"}, push_body(message_id="one", published=PUBLISHED))
        declared = DECLARED[endpoint]
        return Collector(declared, settings, derive=derive_of(declared)).handle(event)


@pytest.fixture
def place(emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """Give an empty dataset behind a proxy, and a faction."""
    clock = Clock(BASE)
    with (
        Simulator(clock=clock, faction=FactionSize(crimes=30), calls_per_minute=10_000) as api,
        Proxy(emulator.host) as proxy,
    ):
        monkeypatch.setenv(EMULATOR, proxy.host)
        monkeypatch.setenv("TORN_API_KEY", api.key)
        dataset = Dataset(proxy.host)
        yield Place(World(tmp_path, api, clock=clock), dataset, proxy)
        dataset.drop()


def plain(value: Any) -> Any:
    """Return a value that says the same in both warehouses: JSON without its spaces."""
    if isinstance(value, str) and value[:1] in {"{", "["}:
        return json.dumps(json.loads(value), sort_keys=True)
    return value


def rows(warehouse: Any, table: str, columns: list[str]) -> tuple[list[Any], list[str]]:
    """Return a table's rows in an order of their own, and its columns' types."""
    found = warehouse.query(f"SELECT {', '.join(columns)} FROM {table}")
    listed = [tuple(plain(value) for value in row.values()) for row in found.to_pylist()]
    return sorted(listed, key=str), [str(kind) for kind in found.schema.types]


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_an_endpoints_rows_are_those_that_duckdb_gets(place: Place, endpoint: str) -> None:
    """Into tables as declared, by requests that Google knows: DuckDB's rows of the same archive, once."""
    place.dataset.prepare(DECLARED[endpoint])
    for table in DECLARED[endpoint].tables:
        is_as_declared(place.dataset, endpoint, table)
    attempt = place.collect(endpoint, place.dataset.url)
    assert attempt.outcome == "ok"
    file = f"duckdb:{place.world.folder / endpoint}.duckdb"
    other = place.collect(endpoint, file)
    assert (other.outcome, other.rows) == ("ok", attempt.rows)
    assert any(attempt.rows.values())
    beside = open_warehouse(file)
    wanted = {
        table: rows(beside, table, list(table_columns(DECLARED[endpoint], table)))
        for table in DECLARED[endpoint].tables
    }
    assert all_rows(place.dataset, endpoint) == wanted
    (told,) = place.dataset.query(f"SELECT {TOLD} FROM runs_log").to_pylist()
    (known,) = beside.query(f"SELECT {TOLD} FROM runs").to_pylist()
    assert {name: plain(value) for name, value in told.items()} == {
        name: plain(value) for name, value in known.items()
    }
    assert place.dataset.staged() == []
    google_knows(place.proxy)
    assert place.collect(endpoint, place.dataset.url).outcome == "repeated"
    assert place.dataset.query("SELECT COUNT(DISTINCT attempt) AS n FROM runs_log").to_pylist() == [{"n": 2}]
    for table, (found, _) in wanted.items():
        there = place.dataset.client.get_table(place.dataset.warehouse.place.table(table))
        assert there.num_rows == len(found)


TOLD = "run_id, account, outcome, pages, records, rejected, drift, schema_version, quality"


def all_rows(dataset: Dataset, endpoint: str) -> dict[str, tuple[list[Any], list[str]]]:
    """Return the rows of an endpoint's tables."""
    declared = DECLARED[endpoint]
    return {table: rows(dataset, table, list(table_columns(declared, table))) for table in declared.tables}


def is_as_declared(dataset: Dataset, endpoint: str, table: str) -> None:
    """Columns in order with type, mode and description; partition, clusters, labels, the table's own text."""
    declared = DECLARED[endpoint]
    there = dataset.client.get_table(dataset.warehouse.place.table(table))
    wanted = declared.tables[table]
    assert [(f.name, f.field_type, f.mode, f.description or "") for f in there.schema] == [
        (name, c.type, c.mode, c.description) for name, c in table_columns(declared, table).items()
    ]
    assert there.description == wanted.description
    parts = there.time_partitioning
    assert (parts.field if parts else None) == wanted.partition
    # Every replace and merge is one account's.
    assert there.clustering_fields == ["_account", *wanted.cluster][:4]
    assert there.labels == {"endpoint": endpoint, "schema_version": str(declared.version)}


def google_knows(proxy: Proxy) -> None:
    """Hold each request to Google's own description of its API: every field, and its type."""
    for kind, schema in (
        ("load", "Job"),
        ("query", "Job"),
        ("copy", "Job"),
        ("create table", "Table"),
        ("insert rows", "TableDataInsertAllRequest"),
    ):
        for asked in proxy.kinds(kind):
            assert problems(schema, asked.body) == []


def test_what_google_does_not_know_is_told() -> None:
    """A field that its description does not have, or has with another type, is named."""
    assert problems("Job", {"configuration": {"load": {"no_such": 1, "writeDisposition": 2}}}) == [
        "configuration.load.no_such is not known",
        "configuration.load.writeDisposition is a int and should be string",
    ]


def test_what_the_ledger_is_told_twice_its_views_show_once(place: Place) -> None:
    """An answer that is lost makes the client send rows again, perhaps late: a reader sees one of each."""
    made = set(place.dataset.prepare_all())
    assert made >= {*LEDGER, *(f"{name}_log" for name in LEDGER)}
    assert place.dataset.prepare_all() == []
    now = datetime.now(UTC)
    who = {"run_id": "twice", "attempt": "t1", "endpoint": "crimes", "account": "default"}
    entries = {
        "runs": [{**who, "started_at": now, "outcome": "ok"}],
        "rejected_rows": [
            {**who, "request": "crimes", "path": f"[{n}]", "reason": "bad", "raw": "{}", "rejected_at": now}
            for n in range(2)
        ],
        "drift": [{**who, "request": "crimes", "path": "x", "type": "string", "seen_at": now}],
    }
    for _ in range(2):
        place.dataset.record(entries)
    # The emulator forgets a row that it had within the minute, as Google mostly does: here one comes back.
    log = place.dataset.warehouse.place.quoted("runs_log")
    place.dataset.client.query_and_wait(f"INSERT INTO {log} SELECT * FROM {log}")
    assert place.dataset.query("SELECT COUNT(*) AS n FROM runs_log").to_pylist() == [{"n": 2}]
    for table, count in (("runs", 1), ("rejected_rows", 2), ("drift", 1)):
        assert len(place.dataset.query(f"SELECT run_id FROM {table}")) == count, table
    names = {*place.dataset.query("SELECT * FROM runs").column_names}
    assert names == set(LEDGER["runs"].columns)

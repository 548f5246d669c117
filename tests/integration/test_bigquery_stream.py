"""Rows by the Storage Write API: each once, whatever happens between the first row and the commit."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING

import msgspec
import pytest
from support.tables import T0, batch, family

from shared.errors import FixConfiguration
from shared.ledger import Attempt
from shared.warehouse.bigquery_stream import EMULATOR

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.bigquery import Dataset, Emulator

DECLARED = msgspec.structs.replace(family("append"), writer="stream")
THINGS = [{"id": n, "name": f"thing {n}"} for n in range(1, 6)]
PARTS = [{"thing_id": n, "part_index": 0, "part": "p"} for n in range(1, 4)]


class Killed(BaseException):
    """What no handler catches, as a process that goes away."""


@pytest.fixture(autouse=True)
def streaming(emulator: Emulator, dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lead the Storage Write API to the emulator too, and have the tables there."""
    monkeypatch.setenv(EMULATOR, f"127.0.0.1:{emulator.grpc_port}")
    dataset.prepare(DECLARED)


class Notes(dict[str, bytes]):
    """What is kept in a run's folder of the archive: written once."""

    def __call__(self, name: str, data: bytes) -> bytes:
        return self.setdefault(name, data)


def deliver(dataset: Dataset, note: Notes, things=THINGS, parts=PARTS, *, run="r", declared=DECLARED):
    """Write one run's rows as a delivery does; return what was written."""
    with dataset.warehouse.begin(declared, run, "default", note=note) as writer:
        writer.write("things", batch(declared, "things", things, run=run, at=0))
        writer.write("parts", batch(declared, "parts", parts, run=run, at=0))
        written = writer.finish()
        attempt = Attempt(attempt=f"{run}-{id(writer)}", endpoint="things", schema_version=1, outcome="ok")
        writer.record("runs", [{**attempt.row(), "run_id": run}])
        writer.commit()
        return written


def counts(dataset: Dataset) -> tuple[int, int]:
    counted = "SELECT (SELECT COUNT(*) FROM things) AS things, (SELECT COUNT(*) FROM parts) AS parts"
    [found] = dataset.query(counted).to_pylist()
    return found["things"], found["parts"]


@contextmanager
def at(text: str, then: Callable[[logging.LogRecord], None]) -> Iterator[None]:
    """Do something when this is logged."""

    def look(record: logging.LogRecord) -> bool:
        if record.getMessage().startswith(text):
            then(record)
        return True

    log = logging.getLogger("tcdatalogger")
    level = log.level
    log.setLevel(logging.DEBUG)
    log.addFilter(look)
    try:
        yield
    finally:
        log.removeFilter(look)
        log.setLevel(level)


def kill(_record: logging.LogRecord) -> None:
    raise Killed


def test_every_type_arrives_as_by_a_load_job(dataset: Dataset) -> None:
    """To the last digit, and NULL as NULL."""
    whole = {
        "id": 2**63 - 1, "name": "naïve ✓ 'quoted'", "weight": 80.5, "good": False,
        "made_on": date(2026, 2, 28), "more": '{"a":[1,null]}',
    }  # fmt: skip
    assert deliver(dataset, Notes(), [whole, {"id": -(2**63)}], []).rows == {"things": 2, "parts": 0}
    rows = dataset.query("SELECT * EXCEPT (_run_id, _account) FROM things ORDER BY id DESC").to_pylist()
    assert rows[0] == {"server_timestamp": T0, **whole}
    assert [value for key, value in rows[1].items() if key not in {"id", "server_timestamp"}] == [None] * 5


def test_a_run_delivered_again_writes_nothing(dataset: Dataset) -> None:
    """It finds its streams committed; another run has its own."""
    note = Notes()
    assert deliver(dataset, note).rows == {"things": 5, "parts": 3}
    assert deliver(dataset, note).repeated
    assert counts(dataset) == (5, 3)
    assert deliver(dataset, Notes(), run="other").rows == {"things": 5, "parts": 3}
    assert counts(dataset) == (10, 6)


@pytest.mark.parametrize(
    "point",
    ["the streams are", "streamed things", "committed the stream of things", "streamed parts", "wrote"],
)
def test_killed_and_delivered_again(dataset: Dataset, point: str) -> None:
    """Before the first row, before a commit, between two tables, at the end: the tables are as of one run."""
    note = Notes()
    with at(point, kill), pytest.raises(Killed):
        deliver(dataset, note)
    assert note, "the streams' names are kept before the first row"
    things, parts = counts(dataset)
    assert (things, parts) in {(0, 0), (5, 0), (5, 3)}, "no table is seen by half"
    written = deliver(dataset, note)
    assert written.rows == {"things": 5, "parts": 3}, "what was not recorded is not repeated"
    assert counts(dataset) == (5, 3)
    assert deliver(dataset, note).repeated


def test_rows_of_many_requests_go_on_where_they_were_cut(dataset: Dataset) -> None:
    """Megabytes go in several requests; sent twice, each is there once."""
    things = [{"id": n, "name": "x" * 400} for n in range(12_000)]
    note = Notes()
    with at("streamed things", kill), pytest.raises(Killed):
        deliver(dataset, note, things)
    assert deliver(dataset, note, things).rows["things"] == len(things)
    found = dataset.query("SELECT COUNT(*) AS n, COUNT(DISTINCT id) AS ids FROM things").to_pylist()
    assert found == [{"n": len(things), "ids": len(things)}]


@pytest.mark.parametrize("point", ["the streams are", "streamed things", "committed the stream of things"])
def test_another_delivery_in_between_shares_the_streams(dataset: Dataset, point: str) -> None:
    """Overtaken at any point, a delivery finds what the other has done; each row is there once.

    Not two at the very same moment: the emulator takes an offset twice then, which BigQuery does not.
    """
    note, others = Notes(), []

    def overtake(_record: logging.LogRecord) -> None:
        if not others:
            others.append(None)
            others[0] = deliver(dataset, note)

    with at(point, overtake):
        written = deliver(dataset, note)
    assert others[0].rows == {"things": 5, "parts": 3} or others[0].rows == {}
    assert counts(dataset) == (5, 3)
    assert deliver(dataset, note).repeated
    assert not (written.repeated and others[0].repeated)


def test_a_table_that_is_not_there_is_told(dataset: Dataset) -> None:
    """With what makes it."""
    dataset.client.delete_table(f"proj.{dataset.name}.things")
    with pytest.raises(FixConfiguration, match="tables apply"):
        deliver(dataset, Notes())


def test_tables_that_are_merged_are_loaded_all_the_same(dataset: Dataset) -> None:
    """Streams are for append; a merge goes through its staging tables."""
    merged = msgspec.structs.replace(family("merge"), writer="stream")
    note = Notes()
    assert deliver(dataset, note, declared=merged).rows == {"things": 5, "parts": 3}
    assert note == {}

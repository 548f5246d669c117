"""What holds for every endpoint by its being there: whatever the API does, nothing is half done or told.

``test_faults`` and ``test_secrecy`` look closer, through the function's own process, with crimes.
"""

from __future__ import annotations

import hashlib
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from cloudevents.http import CloudEvent
from support.framework import push_body
from support.world import ENDPOINTS, Clock, World

from shared.cli.hooks import derive_of
from shared.collector import Collector
from shared.endpoint_file import find_endpoints, load_endpoint
from shared.errors import CollectError
from shared.ledger import OUTCOMES
from shared.settings import Settings
from shared.simulator import FAULTS, FOREVER, Simulator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.ledger import Attempt

BASE = 1_790_115_200
#: Of the API's error codes one for each thing that is done about them; the others are the same code.
CODES = {"error-2", "error-5", "error-7", "error-9", "error-14", "error-17", "flat-2"}
STRIKING = [name for name in FAULTS if name in CODES or not name.startswith(("error-", "flat-"))]
OWN = ("_run_id", "_account", "server_timestamp", "fetched_at")
Rows = dict[str, list[dict[str, Any]]]


class Bench:
    """One endpoint's collectors in this process, each with nothing remembered, over one API."""

    def __init__(self, name: str, world: World) -> None:
        self.name = name
        self.world = world
        self.endpoint = load_endpoint(find_endpoints()[name])
        # Once: importing main.py sets logging up anew.
        self._derive = derive_of(self.endpoint)

    @property
    def paths(self) -> list[str]:
        """Return the last part of every request's path, which is where faults strike."""
        return [request.path.rpartition("/")[2] for request in self.endpoint.requests.values()]

    def deliver(self, number: str, *, hasty: bool = False) -> Attempt:
        """Deliver one message; return its attempt, also of a run that is to be delivered again."""
        settings = Settings.read(self.world.environ(RUN_TIMEOUT="0.4" if hasty else "20"))
        collector = Collector(self.endpoint, settings, derive=self._derive)
        published = datetime.fromtimestamp(BASE, UTC)
        event = CloudEvent({"type": "t", "source": "s"}, push_body(message_id=number, published=published))
        try:
            return collector.handle(event)
        except CollectError:
            assert collector.last is not None
            return collector.last

    def rows(self, number: str) -> Rows:
        """Return what a run has written."""
        found = self.world.tables(self.name, run=number)
        return {
            table: [{column: value for column, value in row.items() if column not in OWN} for row in rows]
            for table, rows in found.items()
        }


@pytest.fixture(scope="module", params=ENDPOINTS)
def bench(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Bench, Rows]]:
    """Give an endpoint, and its rows as they are without any fault."""
    clock = Clock(BASE)
    key = "K" + hashlib.sha256(request.param.encode()).hexdigest()[:15]
    with pytest.MonkeyPatch.context() as patch, Simulator(clock=clock, calls_per_minute=100_000) as api:
        patch.setenv("TORN_API_KEY", key)
        one = Bench(request.param, World(tmp_path_factory.mktemp(request.param), api, clock=clock, key=key))
        assert one.deliver("clean").outcome == "ok"
        clean = one.rows("clean")
        assert any(clean.values())
        yield one, clean


@pytest.fixture
def told() -> Iterator[list[str]]:
    """Give every line that anything logs meanwhile, as loud as can be."""
    lines: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record) + repr(record.__dict__))

    loggers = [logging.getLogger(name) for name in (None, "tcdatalogger")]
    levels = [logger.level for logger in loggers]
    keep = Keep()
    for logger in loggers:
        logger.addHandler(keep)
        logger.setLevel(logging.DEBUG)
    yield lines
    for logger, level in zip(loggers, levels, strict=True):
        logger.removeHandler(keep)
        logger.setLevel(level)


@pytest.mark.parametrize("fault", STRIKING)
def test_a_fault_is_recorded_and_cured(bench: tuple[Bench, Rows], told: list[str], fault: str) -> None:
    """A run that fails writes nothing and says what to do; delivered again when it is over, it is whole."""
    one, clean = bench
    api = one.world.api
    once = FAULTS[fault].times != FOREVER
    for path in one.paths:
        api.faults.add(path, fault, times=FAULTS[fault].times if once else FOREVER)
    try:
        attempt = one.deliver(fault, hasty=True)
    finally:
        api.faults.clear()
    struck = [request for request in api.requests if request.fault == fault]
    assert struck
    assert attempt.outcome in OUTCOMES
    rows = one.rows(fault)
    again = one.deliver(fault)
    if attempt.outcome == "ok":
        assert again.outcome == "repeated"
        assert one.rows(fault) == rows
        lost = attempt.quality is not None and attempt.quality.rejected
        emptied = fault == "null-list"
        assert rows == clean or lost or emptied, "good records are lost"
    else:
        assert not any(rows.values()), "nothing may be written by a run that failed"
        assert getattr(attempt.error, "message", None)
        assert getattr(attempt.error, "next_step", None)
        assert again.outcome in {"ok", attempt.outcome}
    if attempt.outcome == "retry":
        assert again.outcome == "ok"
        assert one.rows(fault) == clean
    assert {request.key for request in struck} == {hashlib.sha256(one.world.key.encode()).hexdigest()[:8]}
    assert not any(one.world.key in line for line in told)
    assert any(attempt.attempt in line for line in told), "what is logged is seen here"


def test_the_key_stands_nowhere(bench: tuple[Bench, Rows]) -> None:
    """In no archived object, byte of the database, or URL; and the search would have found it."""
    one, _ = bench
    for number in ("clean", "after"):
        one.deliver(number)
    key, seen = one.world.key.encode(), b""
    for file in one.world.folder.rglob("*"):
        if file.is_file():
            seen += file.read_bytes()
        if file.suffix == ".zst":
            with pa.input_stream(str(file), compression="zstd") as stream:
                seen += stream.read()
    seen += repr(one.world.runs()).encode()
    assert key not in seen
    assert b"clean" in seen
    assert not any(request.key_in_url or one.world.key in request.query for request in one.world.api.requests)

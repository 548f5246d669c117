"""Two small endpoints, and figures of their runs, from which bills and ceilings can be worked out by hand."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from shared.cost.figures import RunFigures
from shared.cost.setup import Setup
from shared.endpoint import Endpoint
from shared.endpoint_file import find_endpoints, load_endpoint
from shared.endpoint_rules import rule_problems
from shared.job import Job

READ = {"type": "TIMESTAMP", "mode": "REQUIRED", "from": "$fetched_at"}
IDENTITY = {"type": "INTEGER", "mode": "REQUIRED", "from": "id"}


def endpoint(**changed: Any) -> Endpoint:
    """Give an endpoint that is as right as one in functions/."""
    made = msgspec.convert(
        {
            "description": "Made up.", "source": "torn", "key": "torn-api-key", "calls_per_minute": 10,
            "memory": "512Mi", **changed,
        },
        Endpoint,
    )  # fmt: skip
    assert list(rule_problems(made)) == []
    return made


def log(**changed: Any) -> Endpoint:
    """Give an endpoint that appends to one table, 24 times a day."""
    table = {"mode": "append", "partition": "read", "columns": {"read": READ}}
    given = {
        "name": "log", "every": "PT1H", "requests": {"log": {"path": "/log"}}, "tables": {"log": table},
        **changed,
    }  # fmt: skip
    return endpoint(**given)


def things(**changed: Any) -> Endpoint:
    """Give an endpoint that merges a table and its child, 96 times a day, with the last 10 days' rows."""
    request = {
        "path": "/things",
        "records": "things",
        "window": {"from": "from", "to": "to"},
        "lookback": "P10D",
    }
    root = {
        "mode": "merge", "key": ["id"], "partition": "made",
        "columns": {"read": READ, "id": IDENTITY, "made": {"type": "TIMESTAMP", "from": "made"}},
    }  # fmt: skip
    child = {
        "mode": "merge", "key": ["thing", "place"], "each": "parts", "parent": {"thing": "id"},
        "columns": {"read": READ, "place": {"type": "INTEGER", "mode": "REQUIRED", "from": "$index"}},
    }  # fmt: skip
    given = {
        "name": "things", "every": "PT15M", "requests": {"things": request},
        "tables": {"things": root, "parts": child}, **changed,
    }  # fmt: skip
    return endpoint(**given)


LOG_RUN = RunFigures(
    source="by hand", fetch=1.0, flatten=0.5, write=0.5, pages=1, bytes=2_000, packed=1_000,
    rows={"log": 10}, row_bytes={"log": 100}, in_cloud=True,
)  # fmt: skip
THINGS_RUN = RunFigures(
    source="by hand", fetch=0.1, flatten=0.333, write=0.1, pages=4, bytes=40_000, packed=5_000,
    rows={"things": 100, "parts": 200}, row_bytes={"things": 100, "parts": 50},
)  # fmt: skip


@pytest.fixture(name="six", scope="session")
def _six() -> list[Endpoint]:
    """Six of the endpoints that there are, as they are declared."""
    names = ("basic", "crimes", "currency", "faction_currency", "items", "members")
    files = find_endpoints()
    return [load_endpoint(files[name]) for name in names]


@pytest.fixture(name="make_log")
def _make_log():
    return log


@pytest.fixture(name="make_things")
def _make_things():
    return things


@pytest.fixture(name="make_job")
def _make_job():
    def job(**changed: Any) -> Job:
        """Give a job that runs once a day."""
        return Job(**{"name": "tidy", "description": "Made up.", "every": "P1D", **changed})

    return job


@pytest.fixture
def log_setup() -> Setup:
    return Setup(log())


@pytest.fixture
def things_setup() -> Setup:
    return Setup(things())


@pytest.fixture
def log_run() -> RunFigures:
    return LOG_RUN


@pytest.fixture
def things_run() -> RunFigures:
    return THINGS_RUN


@pytest.fixture
def figures() -> dict[str, RunFigures]:
    return {"log": LOG_RUN, "things": THINGS_RUN}

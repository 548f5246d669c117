"""Every function starts as functions-framework starts it, collects, and says what is wrong when it cannot."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from support.framework import Function, push_body
from support.processes import BIN, ROOT, Process, require
from support.world import ENDPOINTS, World, declared

from shared.simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TYPES = {
    "STRING": "VARCHAR",
    "INTEGER": "BIGINT",
    "FLOAT": "DOUBLE",
    "BOOLEAN": "BOOLEAN",
    "TIMESTAMP": "TIMESTAMP WITH TIME ZONE",
    "DATE": "DATE",
    "JSON": "JSON",
}
LABELS = "logging.googleapis.com/labels"


def curl(function: Function, body: dict[str, Any]) -> str:
    """Post as a person at a terminal does; return the status."""
    done = subprocess.run(
        [
            *(require("curl"), "--silent", "--max-time", "30", "--output", "/dev/null"),
            *("--write-out", "%{http_code}", "--header", "Content-Type: application/json"),
            *("--data", json.dumps(body), function.url),
        ],
        capture_output=True,
        text=True,
        timeout=40,
        check=True,
    )
    return done.stdout


@pytest.fixture(scope="module", params=ENDPOINTS)
def collected(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, World, Function]]:
    """Give an endpoint, its place and its function after one message."""
    name: str = request.param
    with Simulator(calls_per_minute=10_000, prices="shops") as api:
        place = World(tmp_path_factory.mktemp(name), api, measured=True)
        with place.function(name) as function:
            assert function.deliver(message_id="first") == 200
            yield name, place, function


def test_every_endpoint_collects(collected: tuple[str, World, Function]) -> None:
    """From a message to rows in every table that is not allowed to be empty."""
    name, place, _ = collected
    (run,) = place.runs()[:1]
    assert (run["outcome"], run["error_class"]) == ("ok", None)
    counts = json.loads(run["rows"])
    tables = place.tables(name)
    assert {table: len(rows) for table, rows in tables.items()} == counts
    for table, rows in tables.items():
        assert rows, f"the simulator shows nothing of {table}"
        assert {row["_run_id"] for row in rows} == {run["run_id"]}
        assert {row["_account"] for row in rows} == {run["account"]}


def test_every_table_is_as_declared(collected: tuple[str, World, Function]) -> None:
    """Names, order, types and REQUIRED columns of every table are those of endpoint.yaml."""
    name, place, _ = collected
    for table, wanted in declared(name)["tables"].items():
        with duckdb.connect(str(place.database), read_only=True) as connection:
            found = connection.execute(f"DESCRIBE {table}").fetchall()
        types = {column[0]: column[1] for column in found}
        required = {column[0] for column in found if column[2] == "NO"}
        own = wanted["columns"]
        assert list(types) == ["_run_id", "_account", *wanted.get("parent", {}), *own]
        assert {column: types[column] for column in own} == {c: TYPES[own[c]["type"]] for c in own}
        assert {c for c in own if own[c].get("mode") == "REQUIRED"} == required & set(own)
        assert {"_run_id", "_account"} <= required


def test_every_endpoint_takes_the_same_message_twice(collected: tuple[str, World, Function]) -> None:
    """The same message again writes nothing, and the API is not asked."""
    name, place, function = collected
    before, asked = place.tables(name), place.asked()
    assert function.deliver(message_id="first") == 200
    assert place.tables(name) == before
    assert place.asked() == asked
    assert place.outcomes() == ["ok", "repeated"]


@pytest.mark.parametrize("from_root", [False, True], ids=["in-its-folder", "from-the-root"])
@pytest.mark.parametrize("name", ["crimes", "items"])
def test_a_pushed_message_posted_with_curl(world: World, name: str, *, from_root: bool) -> None:
    """Started either way, a push body that curl posts to the topic's path becomes rows."""
    with world.function(name, from_root=from_root) as function:
        assert curl(function, push_body(message_id="by-curl")) == "200"
    assert world.outcomes() == ["ok"]
    assert world.tables(name)[name]


def test_the_message_that_the_readme_shows_is_collected_once(world: World) -> None:
    """Typed as it stands there, and once more, it does what the README says."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    address = re.escape("http://127.0.0.1:8080/projects/demo/topics/crimes")
    (body,) = re.findall(rf"\$ curl {address} .*?-d '(.*?)'", readme, re.DOTALL)
    with world.function("crimes") as function:
        assert curl(function, json.loads(body)) == "200"
        assert curl(function, json.loads(body)) == "200"
    assert world.outcomes() == ["ok", "repeated"]


@pytest.mark.parametrize("setting", ["LOG_FORMAT", "K_SERVICE"])
def test_log_lines_are_json_where_the_cloud_reads_them(world: World, setting: str) -> None:
    """Asked for, or in Cloud Run: every line is JSON with severity, message, time and the run's labels."""
    chosen: dict[str, str | None] = {"LOG_FORMAT": None, "LOG_LEVEL": "DEBUG"}
    chosen[setting] = {"LOG_FORMAT": "json", "K_SERVICE": "crimes"}[setting]
    with world.function("crimes", **chosen) as function:
        assert function.deliver(message_id="json") == 200
        world.api.faults.add("crimes", "error-2")
        assert function.deliver(message_id="fails") == 200
        text = function.stderr
    lines = [json.loads(line) for line in text.splitlines()]
    assert {line["severity"] for line in lines} == {"DEBUG", "INFO", "ERROR"}
    for line in lines:
        labels = line[LABELS]
        assert labels["run_id"] in {"crimes/default/json", "crimes/default/fails"}
        assert (labels["endpoint"], labels["account"]) == ("crimes", "default")
        assert labels["attempt"]
        assert line["message"]
        assert line["time"]
    (last,) = [line for line in lines if line["severity"] == "ERROR"]
    assert last["run"]["outcome"] == "failed"
    assert last["run"]["next_step"]


def test_log_lines_are_text_on_a_terminal(world: World) -> None:
    """Without either, a line is for people, and names the run."""
    with world.function("crimes", LOG_FORMAT=None) as function:
        assert function.deliver(message_id="text") == 200
        (line,) = function.stderr.splitlines()
    assert not line.startswith("{")
    assert "crimes/default/text: ok: " in line


@pytest.mark.parametrize(
    ("setting", "value", "says"),
    [
        ("WAREHOUSE", "postgres:db", "postgres:db"),
        ("ARCHIVE", "s3://bucket", "s3://bucket"),
        ("TORN_API_URL", "http://api.example/v2", "not https"),
        ("RUN_TIMEOUT", "soon", "soon"),
        ("LOG_LEVEL", "LOUD", "LOUD"),
        ("ACCOUNTS", '{"one": {"faction": 1}}', "faction"),
    ],
)
def test_a_bad_setting_ends_the_process_at_start(world: World, setting: str, value: str, says: str) -> None:
    """The process ends with a message that names the setting and what it holds, and no traceback."""
    env = world.environ(**{setting: value, "WAREHOUSE_WAIT": "never"})
    with Function("crimes", folder=world.folder / "process", env=env) as function:
        assert function.wait() not in {0, -9, -11}
        text = function.stderr + function.stdout
    assert setting in text
    assert says in text
    assert "WAREHOUSE_WAIT" in text, "every problem is reported at once"
    assert "Traceback" not in text
    assert not world.database.exists()


def test_a_mistake_in_endpoint_yaml_ends_the_process_at_start(world: World, tmp_path: Path) -> None:
    """The process ends with file, line and what is allowed instead, and no traceback."""
    folder = tmp_path / "functions" / "crimes"
    shutil.copytree(ROOT / "functions" / "crimes", folder)
    file = folder / "endpoint.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("mode: merge", "mode: marge", 1).replace("every: PT15M", "evry: PT15M"))
    with Process(
        [BIN / "functions-framework", "--target=crimes", "--port=0"],
        folder=tmp_path / "process",
        env=world.environ(),
        cwd=folder,
    ) as process:
        assert process.wait() not in {0, -9, -11}
        said = process.stderr + process.stdout
    assert "endpoint.yaml" in said
    assert "marge" in said
    assert "evry" in said
    assert "Traceback" not in said


def test_an_unknown_target_is_the_framework_s_own_error(world: World) -> None:
    """The function's name is the folder's; another one ends the process."""
    with Process(
        [BIN / "functions-framework", "--target=crime", "--port=0"],
        folder=world.folder / "process",
        env=world.environ(),
        cwd=ROOT / "functions" / "crimes",
    ) as process:
        assert process.wait() not in {0, -9, -11}

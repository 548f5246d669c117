"""Loading into BigQuery: every way loads the same rows, and a run asks no more than its budget."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import socket
import subprocess

import pyarrow as pa
import pytest
from performance import bigquery, bigquery_rows
from performance.approaches import TABLES
from performance.bigquery_emulator import NotInstalledError, emulator
from performance.bigquery_ways import CHUNK, WAYS
from performance.bigquery_wire import Sent
from performance.pages import make_pages
from performance.processes import PRODUCT, ROOT, Outcome, ProcessError, run
from support.processes import must_skip, until

from shared.endpoint_file import find_endpoints

ENDPOINTS = sorted(find_endpoints())
# pandas is in the benchmarks' own environment, where the benchmark holds it to the same.
_PANDAS = importlib.util.find_spec("pandas") is not None
_OTHERS = [way for way in WAYS if way != "append" and (_PANDAS or way != "dataframe")]


@pytest.fixture(scope="module")
def env(tmp_path_factory):
    try:
        with emulator(tmp_path_factory.mktemp("emulator") / "e") as host:
            yield {"BIGQUERY_EMULATOR_HOST": host}
    except NotInstalledError as error:
        must_skip(str(error))


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """Give the folder of some crimes' rows, and how many each table has."""
    folder = tmp_path_factory.mktemp("rows")
    (pages,) = make_pages(folder, 200)
    return folder / "rows", bigquery_rows.write(pages, folder / "rows")


@pytest.fixture(scope="module")
def appended(env, rows):
    return _load("append", rows[0], env)


def _load(way, folder, env):
    command = (PRODUCT, "-m", "tests.performance.bigquery_worker", way, str(folder))
    return json.loads(run(command, env=env).printed)


def _outcome(held):
    return Outcome(cpu=1, peak_mb=1, printed="", found={"held": held})


def test_appending_asks_for_one_load_job_a_table_and_no_query(appended, rows):
    """The rows of a run go in Parquet, one load job a table, beside one look where the dataset is."""
    sent = {kind: count for kind, count in appended["kinds"].items() if kind != "look"}
    assert sent == {"load": len(TABLES), "other": 1}
    assert {name: one["rows"] for name, one in appended["held"].items()} == rows[1]
    # Dictionaries as JSON take hundreds.
    assert appended["bytes"] / sum(rows[1].values()) < 100


@pytest.mark.parametrize("way", _OTHERS)
def test_every_way_loads_the_same_rows(way, env, rows, appended):
    """What the tables hold in the end is the same, value for value, by whatever way it came."""
    folder, counts = rows
    found = _load(way, folder, env)
    check = bigquery.same_rows(counts)
    check("append", _outcome(appended["held"]))
    check(way, _outcome(found["held"]))
    expected = {
        "merge": {"load": len(TABLES), "query": 1},
        "dataframe": {"load": len(TABLES)},
        "json": {"load": len(TABLES)},
        "insert_all": {"insertAll": sum(-(-count // CHUNK) for count in counts.values())},
    }[way]
    assert {kind: found["kinds"].get(kind, 0) for kind in expected} == expected
    assert (found["cpu"] > 0, found["converted"] > 0) == (True, way != "merge")


def test_one_other_value_is_another_checksum(env, rows, appended, tmp_path):
    """A way that loads one value that is not so does not pass as the same."""
    folder, counts = rows
    for name in TABLES:
        table = pa.ipc.open_file(folder / f"{name}.arrow").read_all()
        if name == "crimes_slots":
            place = table.schema.get_field_index("position")
            values = ["Spoilt", *table["position"].to_pylist()[1:]]
            table = table.set_column(place, table.schema.field(place), pa.array(values, pa.string()))
        with pa.ipc.new_file(tmp_path / f"{name}.arrow", table.schema) as writer:
            writer.write_table(table)
    spoilt = _load("append", tmp_path, env)["held"]
    assert [name for name in TABLES if spoilt[name] != appended["held"][name]] == ["crimes_slots"]
    check = bigquery.same_rows(counts)
    check("append", _outcome(appended["held"]))
    with pytest.raises(ProcessError, match="spoilt left"):
        check("spoilt", _outcome(spoilt))


def test_too_few_rows_are_refused():
    """A way that lost a row is not compared."""
    check = bigquery.same_rows({"crimes": 2})
    with pytest.raises(ProcessError, match=r"where \{'crimes': 2\} were loaded"):
        check("lossy", _outcome({"crimes": {"rows": 1, "checksum": 7}}))


@pytest.mark.parametrize("name", ENDPOINTS)
def test_a_run_asks_no_more_than_its_budget(name, env, tmp_path):
    """One load job a table, a transaction where rows are replaced or merged, none where they are appended."""
    command = (PRODUCT, "-m", "tests.performance.bigquery_runs", str(tmp_path), name)
    asked = json.loads(run(command, env=env).printed)
    assert bigquery.broken(asked) == []
    found = asked[name]
    for which in ("first", "again"):
        assert 0 < found[which]["load"] <= found["tables"]
        assert found[which]["load a table"] == 1
        assert found[which].get("query", 0) == sum(mode != "append" for mode in found["modes"])
        assert found[which].get("copy", 0) == found["modes"].get("replace", 0)
    assert (found["first"]["insertAll"], found["again"]["insertAll"]) == (2, 1)


def test_what_is_asked_above_the_budget_is_told():
    """One query too many is told, with the endpoint, the run, and what is allowed."""
    asked = {
        "members": {"budget": {"load": 1, "query": 0}, "first": {"load": 1}, "again": {"load": 1, "query": 1}}
    }
    assert bigquery.broken(asked) == ["members, again run: query 1, allowed 0"]


@pytest.mark.parametrize(
    ("method", "path", "head", "kind"),
    [
        ("POST", "/upload/v2/projects/p/jobs", b'--x\r\n{"configuration": {"load": {}}}\r\nPAR', "load"),
        ("POST", "/bigquery/v2/projects/p/jobs", b'{"configuration": {"query": {}}}', "query"),
        ("POST", "/bigquery/v2/projects/p/queries", b'{"query": "SELECT 1"}', "query"),
        ("POST", "/bigquery/v2/projects/p/jobs", b'{"configuration": {"copy": {}}}', "copy"),
        ("POST", "/bigquery/v2/projects/p/datasets/d/tables/t/insertAll", b"{}", "insertAll"),
        ("GET", "/bigquery/v2/projects/p/jobs/j", b"", "look"),
        ("GET", "/bigquery/v2/projects/p/queries/j", b"", "look"),
        ("GET", "/bigquery/v2/projects/p/jobs", b"", "other"),
        ("DELETE", "/bigquery/v2/projects/p/datasets/d/tables/t", b"", "other"),
    ],
)  # fmt: skip
def test_requests_are_told_apart(method, path, head, kind):
    """A request counts as the job that it gives, or as what else it does."""
    assert Sent(method, path, len(head), head).kind == kind


def test_without_the_emulator_the_benchmark_is_left_out(tmp_path):
    """Where the emulator is not installed the others are measured, and what to do is said."""
    told = subprocess.run(
        (PRODUCT, "-m", "tests.performance", "--quick", "bigquery"),
        cwd=ROOT, env={**os.environ, "EMULATOR": str(tmp_path)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "FAIL bigquery is left out" in told.stdout
    assert "`make emulator`" in told.stdout


def test_the_emulator_ends_with_the_benchmark(env, tmp_path):
    """A benchmark that is killed leaves no emulator behind."""
    script = (
        "import os, pathlib, sys, time\n"
        "from tests.performance.bigquery_emulator import emulator\n"
        "with emulator(pathlib.Path(sys.argv[1])) as host:\n"
        "    print(host, flush=True)\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen(
        (PRODUCT, "-c", script, str(tmp_path / "e")), cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline().rpartition(":")[2])
        assert _served(port)
        process.send_signal(signal.SIGKILL)
    until(lambda: not _served(port), what="the emulator has ended")


def _served(port):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0

"""The scheduled backup as it is deployed: a message makes the day's backup, another one finds it."""

from __future__ import annotations

import importlib.metadata
import json
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import duckdb
import pytest
from support.bigquery_proxy import Fault, Proxy, refused
from support.framework import Function
from support.processes import BIN, ROOT, Process, environment, free_port, unmeasured, until

from shared.backup.job import BackupJob
from shared.endpoint_file import find_endpoints, load_endpoint
from shared.errors import RetrySoon
from shared.job import find_jobs, load_job
from shared.settings import Settings
from shared.warehouse import open_warehouse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from support.bigquery import Dataset
    from support.bigquery_proxy import Asked

CURRENCY = load_endpoint(find_endpoints()["currency"])
#: What is deployed of `shared`: all but these.
NOT_DEPLOYED = ("cli", "simulator", "openapi", "cost", "translate.py", "__pycache__")
TABLES = {"currency", "currency_listings", "runs_log", "schema_versions_log"}
#: What Google asks of who makes a snapshot that expires: of the table, of the dataset, of the project.
SNAPSHOT = {
    *("bigquery.tables.get", "bigquery.tables.getData", "bigquery.tables.createSnapshot"),
    *("bigquery.tables.deleteSnapshot", "bigquery.datasets.get"),
    *("bigquery.tables.create", "bigquery.tables.updateData"),
    "bigquery.jobs.create",
}
LABELS = "logging.googleapis.com/labels"


class Job(Function):
    """The job's function in a process of its own."""

    def __init__(self, command: list[str | Path], *, folder: Path, cwd: Path, env: Mapping[str, str]) -> None:
        self.name, self.port = "backup", free_port()
        Process.__init__(
            self,
            [*command, "--target=backup", "--host=127.0.0.1", f"--port={self.port}"],
            folder=folder,
            cwd=cwd,
            env=env,
        )

    def __enter__(self) -> Self:
        try:
            self.listens(self.port)
        except BaseException:
            self.stop()
            raise
        return self

    @property
    def records(self) -> list[dict[str, Any]]:
        return [line["job"] for line in self.lines() if "job" in line]


class Zip:
    """What is deployed, unpacked, with the packages that are deployed and no others."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "workspace"
        self.packages = folder / "packages"
        self.packages.mkdir(parents=True)
        for entry in _deployed_packages():
            (self.packages / entry.name).symlink_to(entry)
        shutil.copytree(ROOT / "shared", self.folder / "shared", ignore=shutil.ignore_patterns(*NOT_DEPLOYED))
        for name in ("main.py", "job.yaml"):
            shutil.copy(ROOT / "jobs" / "backup" / name, self.folder / name)
        tables = [table for file in find_endpoints().values() for table in load_endpoint(file).tables]
        self.tables = self.folder / "tables.json"
        self.tables.write_text(json.dumps(tables), encoding="utf-8")

    #: Without `site`, so that nothing installed beside is found, this repository neither.
    python = (sys.executable, "-S", "-P")

    def environ(self, **settings: str) -> dict[str, str]:
        settings = {"PYTHONPATH": str(self.packages), "K_SERVICE": "backup", **settings}
        return environment(**unmeasured(), **settings)

    def start(self, folder: Path, **settings: str) -> Job:
        return Job(
            [*self.python, "-m", "functions_framework"],
            folder=folder,
            cwd=self.folder,
            env=self.environ(**settings),
        )

    def imports(self, module: str) -> subprocess.CompletedProcess[str]:
        env = self.environ(PYTHONPATH=f"{self.packages}:{self.folder}")
        return subprocess.run(
            [*self.python, "-c", f"import {module}"], cwd=self.folder, env=env,
            capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip


def _deployed_packages() -> Iterator[Path]:
    """Yield what functions/requirements.txt installs at the top of site-packages, each once."""
    text = (ROOT / "functions" / "requirements.txt").read_text(encoding="utf-8")
    found: set[Path] = set()
    for name in re.findall(r"^([a-z0-9._-]+)==", text, re.MULTILINE):
        try:
            package = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # For another Python, or another system.
        tops = {file.parts[0] for file in package.files or [] if file.parts[0] not in {"..", "__pycache__"}}
        found |= {Path(str(package.locate_file(top))) for top in tops}
    yield from sorted(found)


@pytest.fixture(name="zipped")
def _zipped(tmp_path):
    return Zip(tmp_path / "zip")


@pytest.fixture(name="file")
def _file(tmp_path):
    """Give a DuckDB file with the points market in it."""
    file = tmp_path / "w.duckdb"
    open_warehouse(f"duckdb:{file}").apply([CURRENCY])
    return file


def served(file: Path, **settings: str) -> Job:
    """Serve the job here, as a person does on a laptop."""
    folder = file.parent / "process"
    places = {"WAREHOUSE": f"duckdb:{file}", "ARCHIVE": f"file:{file.parent}/archive"}
    env = environment(LOG_FORMAT="json", **places, **settings)
    return Job([BIN / "functions-framework"], folder=folder, cwd=ROOT / "jobs" / "backup", env=env)


def snapshots(dataset: Dataset) -> set[str]:
    listed = dataset.client.list_tables(f"{dataset.project}.{dataset.name}")
    return {one.table_id for one in listed if one.table_type == "SNAPSHOT"}


def job_of(dataset: Dataset, host: str, monkeypatch: pytest.MonkeyPatch) -> BackupJob:
    """Return the job in this process, which reaches the dataset by another way."""
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", host)
    return BackupJob(
        load_job(find_jobs()["backup"]), Settings.read({"WAREHOUSE": dataset.url}), CURRENCY.tables
    )


class Event(dict):
    """A message that says nothing."""

    data = None


def permissions(asked: Asked) -> set[str]:
    """Return what Google asks of who asks this."""
    if asked.method == "GET" and re.search(r"/datasets/[^/]+$", asked.path):
        return {"bigquery.datasets.get"}
    if asked.method == "GET" and re.search(r"/datasets/[^/]+/tables$", asked.path):
        return {"bigquery.tables.list"}
    if asked.method == "GET" and re.search(r"/datasets/[^/]+/tables/[^/]+$", asked.path):
        return {"bigquery.tables.get"}
    if asked.method == "GET" and re.search(r"/jobs/[^/]+$", asked.path):
        return set()  # Of the account's own jobs.
    if asked.kind == "copy" and asked.body["configuration"]["copy"]["operationType"] == "SNAPSHOT":
        assert asked.body["configuration"]["copy"]["destinationExpirationTime"]
        return SNAPSHOT
    if asked.method == "PATCH" and re.search(r"/tables/\w+__\d{8}_\w+$", asked.path):
        # The emulator forgets the end that the copy job asked for, just above; Google does not.
        assert set(asked.body) == {"expirationTime"}
        return set()
    raise AssertionError(f"{asked.method} {asked.path} needs a permission that is not known here")


def test_what_is_deployed_makes_one_backup_a_day(zipped, dataset, tmp_path):
    """With the packages and files of its zip alone; the second delivery finds what the first has made."""
    dataset.prepare(CURRENCY)
    for absent in ("shared.cli", "duckdb", "rich", "shared.views.translate"):
        assert "ModuleNotFoundError" in zipped.imports(absent).stderr
    assert zipped.imports("shared.backup.job").stderr == ""
    settings = {
        "WAREHOUSE": dataset.url,
        "BIGQUERY_EMULATOR_HOST": dataset.host,
        "TORN_API_KEY": "SecretKey0123456",
    }
    with zipped.start(tmp_path / "process", **settings) as job:
        assert job.deliver(message_id="1", scheduled=True) == 200
        made = snapshots(dataset)
        assert {name.rpartition("__")[0] for name in made} == TABLES
        assert job.deliver(b"", message_id="1", scheduled=True) == 200
        assert snapshots(dataset) == made
        first, second = [line for line in job.lines() if "job" in line]
    seconds = first["job"].pop("duration_seconds")
    assert isinstance(seconds, float)
    assert 0 < seconds < 60
    attempt = first["job"].pop("attempt")
    assert first["job"] == {"name": "backup", "outcome": "ok", "message_id": "1", "tables": 4, "new": 4}
    today = f"{datetime.now(UTC):%Y%m%d}"
    assert first[LABELS] == {"job": "backup", "run_id": f"backup/{today}", "attempt": attempt}
    assert (second["job"]["outcome"], second["job"]["tables"], second["job"]["new"]) == ("repeated", 4, 0)
    assert {first["severity"], second["severity"]} == {"INFO"}
    assert second["job"]["attempt"] != attempt
    assert settings["TORN_API_KEY"] not in job.stderr + job.stdout


def test_a_zip_without_tables_does_not_start(zipped, tmp_path):
    """Else it would back up the ledger alone, day after day, and look well."""
    zipped.tables.unlink()
    with pytest.raises(AssertionError, match="ended with exit code"):
        zipped.start(tmp_path / "process", WAREHOUSE="bigquery:proj.none").__enter__()
    said = (tmp_path / "process" / "stderr").read_text(encoding="utf-8")
    assert f"neither {zipped.tables} nor {zipped.folder}/functions/*/endpoint.yaml says what tables" in said
    assert "put tables.json, a list of names, into what is deployed" in said


def test_it_asks_for_what_job_yaml_permits(dataset, monkeypatch):
    """Its account needs all the permissions that are listed, and no other."""
    dataset.prepare(CURRENCY)
    with Proxy(dataset.host) as proxy:
        job = job_of(dataset, proxy.host, monkeypatch)
        assert [job.handle(Event()).outcome for _ in range(2)] == ["ok", "repeated"]
        needed = set().union(*(permissions(asked) for asked in proxy.asked))
    assert needed == {*job.job.permissions, *job.job.project_permissions}
    assert job.job.project_permissions == ("bigquery.jobs.create",)


def test_two_instances_at_once_make_one_backup(dataset, monkeypatch):
    """Each snapshot is made by one of them, and both say that all are there."""
    dataset.prepare(CURRENCY)
    with Proxy(dataset.host) as proxy, ThreadPoolExecutor(2) as pool:
        jobs = [job_of(dataset, proxy.host, monkeypatch) for _ in range(2)]
        done = list(pool.map(lambda job: job.handle(Event()), jobs))
    assert {one.outcome for one in done} <= {"ok", "repeated"}
    assert [one.tables for one in done] == [4, 4]
    assert sum(one.new or 0 for one in done) == 4
    assert len(snapshots(dataset)) == 4


def test_a_permission_that_is_missing_is_acknowledged(dataset, monkeypatch):
    """Another try would change nothing: a person is told what to grant."""
    dataset.prepare(CURRENCY)
    denied = refused(403, "accessDenied", "Permission bigquery.tables.createSnapshot denied")
    with Proxy(dataset.host, Fault("copy", denied)) as proxy:
        done = job_of(dataset, proxy.host, monkeypatch).handle(Event())
    assert (done.outcome, done.error_class, done.tables) == ("failed", "FixConfiguration", None)
    assert "bigquery.tables.createSnapshot denied" in str(done.error_message)
    assert "grant this account" in str(done.next_step)


def test_a_quota_that_is_used_up_is_delivered_again(dataset, monkeypatch):
    """The next delivery makes what the first had not come to."""
    dataset.prepare(CURRENCY)
    with Proxy(dataset.host, Fault("copy", refused(403, "quotaExceeded"), n=3)) as proxy:
        job = job_of(dataset, proxy.host, monkeypatch)
        with pytest.raises(RetrySoon, match="a quota is used up"):
            job.handle(Event())
        done = job.handle(Event())
    assert (done.outcome, done.tables, done.new) == ("ok", 4, 2)
    assert {name.rpartition("__")[0] for name in snapshots(dataset)} == TABLES


def test_on_a_laptop_two_at_once_copy_the_file_once(file):
    """One copies, the other finds the copy; there is one, and nothing half."""
    with served(file) as job:
        with ThreadPoolExecutor(2) as pool:
            statuses = list(pool.map(lambda n: job.deliver(message_id=str(n)), range(2)))
        assert statuses == [200, 200]
        records = job.records
    assert sorted(one["outcome"] for one in records) == ["ok", "repeated"]
    assert {one["tables"] for one in records} == {len(_tables(file))}
    assert len(list((file.parent / "w.duckdb.backups").iterdir())) == 1


def test_a_database_that_is_held_is_asked_for_again(file):
    """Not acknowledged while another process holds it; backed up when it is free."""
    hold = (
        "import duckdb, sys, time; c = duckdb.connect(sys.argv[1]); print('held', flush=True); time.sleep(60)"
    )
    holder = Process(
        [BIN / "python", "-c", hold, file], folder=file.parent / "holder", env=environment(**unmeasured())
    )
    with served(file, WAREHOUSE_WAIT="0.2") as job:
        with holder:
            until(lambda: "held" in holder.stdout, what="the database is held")
            assert job.deliver(message_id="1") == 500
        assert job.deliver(message_id="1") == 200
        busy, done = job.records
    assert (busy["outcome"], busy["error_class"]) == ("retry", "WarehouseBusy")
    assert "close the program that has the database open" in busy["next_step"]
    assert "tables" not in busy
    assert done["outcome"] == "ok"


def test_a_database_that_is_not_there_is_an_error_that_is_acknowledged(tmp_path):
    """A person must see to it: one error line says how."""
    with served(tmp_path / "none.duckdb") as job:
        assert job.deliver(message_id="1") == 200
        [line] = [one for one in job.lines() if "job" in one]
    assert line["severity"] == "ERROR"
    assert line["message"].startswith("failed: there is no database at ")
    assert (line["job"]["outcome"], line["job"]["error_class"]) == ("failed", "FixConfiguration")
    assert "stack_trace" not in line


def _tables(file: Path) -> list[str]:
    with duckdb.connect(str(file), read_only=True) as connection:
        found = connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()
    return [name for (name,) in found if not name.startswith("_")]

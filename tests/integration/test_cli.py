"""The command as a person or a script calls it, in processes of its own."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.processes import unmeasured

from shared.settings import ROOT
from shared.simulator import Replay, Simulator

TCDATALOGGER = str(Path(sys.executable).with_name("tcdatalogger"))


class Shell:
    """Runs the command with a warehouse and an archive of its own."""

    def __init__(self, folder: Path, **env: str) -> None:
        self.folder = folder
        self.env = {
            **os.environ,
            "WAREHOUSE": f"duckdb:{folder}/w.duckdb",
            "ARCHIVE": f"file:{folder}/archive",
            "COLUMNS": "120",
            **env,
        }

    def __call__(
        self, *words: str, code: int = 0, text: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [TCDATALOGGER, *words], cwd=self.folder, env=self.env, input=text,
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == code, f"{done.args}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        return done

    def query(self, sql: str) -> list[dict]:
        return json.loads(self("query", sql, "--json").stdout)


@pytest.fixture(name="simulated")
def _simulated(tmp_path):
    """A shell without a key: the faction is simulated in the command's own process."""
    return Shell(tmp_path)


@pytest.fixture(name="shell")
def _shell(tmp_path):
    """A shell with a key and the address of a simulator that stands for the real API."""
    with Simulator(calls_per_minute=10_000) as api:
        shell = Shell(tmp_path, TORN_API_URL=api.url, TORN_API_KEY=api.key)
        shell.api = api
        yield shell


def test_run_without_a_key_collects_a_simulated_faction_and_says_so(simulated):
    """It says which faction, prints rows per table and where they are, and answers a question."""
    done = simulated("run", "--all", "--answer")
    assert "No TORN_API_KEY is set: collecting from a simulated faction" in done.stderr
    rows = {line.split("\t")[0]: line.split("\t") for line in done.stdout.splitlines() if "\t" in line}
    assert int(rows["crimes"][1]) > 50
    assert int(rows["items"][1]) > 100
    assert f"database: {simulated.folder}/w.duckdb" in done.stdout
    assert "How do our crimes go" in done.stdout
    [count] = simulated.query("SELECT count(*) AS n FROM crimes")
    assert count["n"] == int(rows["crimes"][1])


def test_run_prints_records_as_json(shell):
    """One object per run, with what `runs` holds, and nothing else on standard output."""
    [crimes] = json.loads(shell("run", "crimes", "--json").stdout)
    [stored] = shell.query("SELECT run_id, rows FROM runs")
    assert crimes["outcome"] == "ok"
    assert (crimes["run_id"], crimes["rows"]) == (stored["run_id"], stored["rows"])


def test_run_sets_parameters_and_windows(shell):
    """--set, --from and --to reach the API, and the run is named after the window."""
    shell("run", "crimes", "--set", "cat=successful")
    assert {r["status"] for r in shell.query("SELECT DISTINCT status FROM crimes")} == {"Successful"}
    shell("run", "crimes", "--from", "2026-11-01", "--to", "1794000000")
    assert "from=1793491200&to=1794000000" in shell.api.requests[-1].query
    names = [r["run_id"] for r in shell.query("SELECT run_id FROM runs ORDER BY started_at")]
    assert names[-1] == "crimes/default/20261101T0000Z-20261106T2120Z"


def test_dry_run_asks_for_nothing(shell):
    """It shows the URL and the tables; the API hears nothing and no database is made."""
    done = shell("run", "crimes", "--dry-run")
    assert "/faction/crimes?cat=all&limit=100&sort=DESC&from=" in done.stdout
    assert "merge crimes_slots" in done.stdout
    assert shell.api.requests == []
    assert not (shell.folder / "w.duckdb").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["run"], "Name an endpoint, or --all. There are: basic, crimes"),
        (["run", "crims"], "There is no endpoint 'crims'. Did you mean crimes? There are: basic, crimes"),
        (["run", "crimes", "--set", "cat"], "'cat' is not NAME=VALUE"),
        (["rnu"], "No such command 'rnu'. There are: run, up"),
        (["query"], "Missing argument 'SQL'"),
        (["check", "crimes", "no-such-file.json"], "'no-such-file.json' does not exist"),
    ],
)
def test_a_wrong_call_says_what_is_right(shell, words, says):
    """A slip of the hand is answered with what there is, and exit code 2."""
    assert says in shell(*words, code=2).stderr


def test_a_refused_override_fails_with_what_is_allowed(shell):
    """What endpoint.yaml does not list cannot be set; the run is recorded as refused."""
    done = shell("run", "crimes", "--set", "limit=5", code=1)
    assert "it sets 'limit'; a message may set: cat, filters" in done.stderr
    assert shell.query("SELECT outcome FROM runs") == [{"outcome": "refused"}]


def test_a_wrong_key_fails_with_what_to_do(shell):
    """Torn's refusal, in words, with the next step; the key is not in it."""
    shell.api.faults.add("crimes", "error-2", times=1)
    done = shell("run", "crimes", code=1)
    assert "Torn error 2: the key is incorrect" in done.stderr
    assert "next: give the run a key that works" in done.stderr
    assert shell.api.key not in done.stdout + done.stderr


def test_no_network_fails_with_what_to_do(tmp_path):
    """An address where nobody answers is named, and that it can be tried again."""
    shell = Shell(tmp_path, TORN_API_URL="http://127.0.0.1:9/v2", TORN_API_KEY="abcdefgh", RUN_TIMEOUT="2")
    done = shell("run", "crimes", code=1)
    assert "127.0.0.1/v2/faction/crimes cannot be reached" in done.stderr
    assert shell.query("SELECT outcome, error_class FROM runs") == [
        {"outcome": "retry", "error_class": "RetrySoon"}
    ]


def test_a_full_disk_fails_with_what_to_do_and_loses_nothing(shell):
    """The database may not grow: nothing is half-written, and the next run with space is whole."""
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))  # noqa: E731
    # Coverage could not write its own file either.
    env = {name: value for name, value in shell.env.items() if name not in unmeasured()}
    done = subprocess.run(
        [TCDATALOGGER, "run", "crimes"], cwd=shell.folder, env=env, preexec_fn=limit,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "no space left for" in done.stderr
    assert "next: free some space; nothing was lost, run it again" in done.stderr
    [again] = json.loads(shell("run", "crimes", "--json").stdout)
    [found] = shell.query("SELECT count(*) AS crimes, count(DISTINCT _run_id) AS runs FROM crimes")
    assert found == {"crimes": json.loads(again["rows"])["crimes"], "runs": 1}


def test_wrong_settings_are_named_all_at_once(tmp_path):
    """Every problem of the environment is in one answer."""
    shell = Shell(tmp_path, TORN_API_KEY="a", RUN_TIMEOUT="soon", WAREHOUSE="oracle:x")
    done = shell("status", code=1)
    assert "WAREHOUSE: 'oracle:x'" in done.stderr
    assert "RUN_TIMEOUT: 'soon'" in done.stderr


def test_one_endpoint_that_fails_holds_up_no_other(shell):
    """The other endpoints are collected, and the exit code says that one was not."""
    shell.api.faults.add("crimes", "error-7", times=1)
    done = shell("run", "crimes", "items", code=1)
    assert "crimes: Torn error 7" in done.stderr
    assert shell.query("SELECT endpoint, outcome FROM runs ORDER BY 1") == [
        {"endpoint": "crimes", "outcome": "failed"},
        {"endpoint": "items", "outcome": "ok"},
    ]


def test_the_steps_alone_end_as_a_run_does(shell):
    """fetch, check, flatten, store: the same rows as a run's, written once."""
    manifest = shell("fetch", "crimes").stdout.strip()
    assert shell("check", "crimes", manifest).stdout.strip().endswith("all as declared")
    flat = shell.folder / "flat"
    shell("flatten", "crimes", manifest, "--out", str(flat))
    assert "crimes/default/manual-" in shell("store", "crimes", str(flat)).stdout
    assert "repeated" in shell("store", "crimes", str(flat)).stdout
    shell("run", "crimes")
    counts = shell.query("SELECT outcome, rows FROM runs ORDER BY started_at")
    assert [c["outcome"] for c in counts] == ["ok", "repeated", "ok"]
    assert counts[0]["rows"] == counts[2]["rows"]


def test_check_names_what_is_wrong_and_new(shell, tmp_path):
    """Bad records, new fields and disliked values of a body on disk; exit 1 if a run would refuse it."""
    body = {"items": [{"id": n, "name": "x", "circulation": 5} for n in range(20)], "new": 1}
    body["items"][3]["circulation"] = "many"
    body["items"][4]["circulation"] = -1
    file = tmp_path / "items.json"
    file.write_text(json.dumps(body))
    done = shell("check", "items", str(file))
    assert "20 records; 19 items" in done.stdout
    assert "items[3].circulation\tExpected `int | null`, got `str`" in done.stdout
    assert "new field\tnew\tinteger" in done.stdout
    assert "warning\titems\tcirculation min 0: 1 values" in done.stdout
    for item in body["items"]:
        item["id"] = str(item["id"])
    file.write_text(json.dumps(body))
    assert "a run would be refused: 20 of 20 records" in shell("check", "items", str(file), code=1).stderr
    found = json.loads(shell("check", "items", str(file), "--json", code=1).stdout)
    assert len(found["rejected"]) == 20


def test_status_says_how_each_endpoint_is_doing(shell):
    """Fresh after a success; failed with error and next step after a failure."""
    shell("run", "crimes", "items")
    [crimes, items] = json.loads(shell("status", "--json").stdout)
    assert (crimes["endpoint"], crimes["state"], items["state"]) == ("crimes", "fresh", "fresh")
    shell.api.faults.add("items", "error-2", times=1)
    shell("run", "items", code=1)
    done = shell("status")
    assert "items: Torn error 2" in done.stdout
    assert "next: give the run a key that works" in done.stdout


def test_status_before_anything_was_collected_says_how_to_begin(tmp_path):
    """No database yet is no riddle."""
    done = Shell(tmp_path)("status", code=1)
    assert "there is no database" in done.stderr
    assert "tcdatalogger run crimes" in done.stderr


def test_query_reads_standard_input_and_prints_tabs_when_piped(simulated):
    """A script gets plain lines; SQL may come from a file."""
    simulated("run", "items")
    done = simulated("query", "-", text="SELECT 1 AS one, NULL AS nothing, 'a\tb' AS text")
    assert done.stdout == "one\tnothing\ttext\n1\t\ta b\n"
    assert "next: correct it" in simulated("query", "SELECT nope", code=1).stderr


def test_endpoints_lists_tables_and_columns(simulated):
    """All endpoints in a line each; one with its columns."""
    listing = simulated("endpoints").stdout
    assert "crimes\tPT15M\taccount\tcrimes (merge), crimes_slots (merge)" in listing
    columns = json.loads(simulated("endpoints", "crimes", "--json").stdout)
    assert {"table": "crimes", "column": "difficulty", "type": "INTEGER"}.items() <= next(
        c for c in columns if c["column"] == "difficulty"
    ).items()


def test_simulate_serves_until_it_is_stopped(tmp_path):
    """It prints what to set, answers, and ends on Ctrl-C without a traceback."""
    process = subprocess.Popen(
        [TCDATALOGGER, "simulate", "--port", "0", "--seed", "3"], cwd=tmp_path, env={**os.environ},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        words = dict(word.split("=", 1) for word in process.stdout.readline().split())
        shell = Shell(tmp_path, **words)
        shell("run", "items")
        assert shell.query("SELECT count(*) > 100 AS many FROM items") == [{"many": True}]
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)
        assert (process.returncode, err) == (0, ""), out
    finally:
        process.kill()
        process.communicate()


def test_simulate_refuses_a_fault_it_does_not_know(simulated):
    """A typo in a fault's name is said before anything is served."""
    assert "no-such" in simulated("simulate", "--port", "0", "--fault", "no-such", code=1).stderr


def test_ctrl_c_stops_a_run_and_writes_nothing(tmp_path):
    """A run that is stopped while it waits for the API leaves no rows and says so."""
    with Simulator() as api:
        api.faults.add("crimes", "timeout", times=1)
        shell = Shell(tmp_path, TORN_API_URL=api.url, TORN_API_KEY=api.key)
        process = subprocess.Popen(
            [TCDATALOGGER, "run", "crimes"], cwd=tmp_path, env=shell.env,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            deadline = time.monotonic() + 20
            while not api.requests and time.monotonic() < deadline:
                time.sleep(0.05)
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=20)
        finally:
            process.kill()
            process.communicate()
    assert process.returncode == 130
    assert err.splitlines()[-1] == "stopped; what was not finished was not written"
    assert "Traceback" not in err


def test_a_recorded_body_can_be_replayed(tmp_path):
    """`simulate --replay` serves a recording to the same run, whole."""
    file = tmp_path / "recorded.json"
    file.write_text(json.dumps({"items": [{"id": n, "name": f"n{n}"} for n in range(7)]}))
    with Replay([file]) as api:
        shell = Shell(tmp_path, TORN_API_URL=api.url, TORN_API_KEY=api.key)
        shell("run", "items")
        assert shell.query("SELECT count(*) AS n, sum(item_id) AS s FROM items") == [{"n": 7, "s": 21}]


def test_a_refused_replace_still_records_what_it_found(tmp_path):
    """Nothing to replace with: the run fails, and the new field it met is in the ledger all the same."""
    file = tmp_path / "recorded.json"
    file.write_text(json.dumps({"items": [], "new": 1}))
    with Replay([file]) as api:
        shell = Shell(tmp_path, TORN_API_URL=api.url, TORN_API_KEY=api.key)
        assert "would be replaced with nothing" in shell("run", "items", code=1).stderr
    assert shell.query("SELECT outcome, error_class, drift FROM runs") == [
        {"outcome": "failed", "error_class": "ReplaceRefused", "drift": 1}
    ]
    assert shell.query("SELECT path, type FROM drift") == [{"path": "new", "type": "integer"}]


def test_the_command_works_from_any_folder(simulated):
    """Paths resolve from the repository's root, whatever folder one stands in."""
    simulated.env["WAREHOUSE"] = "duckdb:tests/reports/elsewhere/w.duckdb"
    try:
        assert "database: tests/reports/elsewhere/w.duckdb" in simulated("run", "items").stdout
        assert (ROOT / "tests/reports/elsewhere/w.duckdb").exists()
    finally:
        for file in (ROOT / "tests/reports/elsewhere").glob("*"):
            file.unlink()

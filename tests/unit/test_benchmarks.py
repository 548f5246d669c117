"""The benchmarks measure the same work: every way of flattening makes the same tables."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from performance import bodies, each, each_worker, flatten, report, run_all, sameness
from performance.approaches import ours
from performance.collecting import DLT_TABLES, environment, row_counts
from performance.faction import faction
from performance.family import LeftBehindError, adopting, reap
from performance.grown import grown
from performance.pages import Pages, make_pages
from performance.processes import Outcome, ProcessError, run
from performance.rounds import Job, Rounds, take_turns
from performance.session import Session
from performance.watch import Watch, peak_mb
from performance.worker import work

from shared.endpoint_file import find_endpoints, load_endpoint

#: What dlt is not given: it has names of its own for runs, and no accounts.
_NOT_DLTS = frozenset({"_run_id", "_account", "server_timestamp", "faction_id"})


@pytest.fixture(scope="module")
def crimes(tmp_path_factory):
    (file,) = make_pages(tmp_path_factory.mktemp("pages"), 300)
    return file


@pytest.fixture(scope="module")
def expected(crimes):
    return sameness.tables_of("ours", Pages(crimes))


def test_ours_makes_rows_in_every_table(expected):
    """The pages that are measured hold what is hard: slots taken and empty, rewards and none."""
    assert expected["crimes"].num_rows == 300
    assert expected["crimes_slots"].num_rows > 1000
    assert expected["crimes_reward_items"].num_rows > 100
    assert 0 < expected["crimes_slots"]["user_id"].null_count < expected["crimes_slots"].num_rows


def _package(way):
    return "pyarrow" if way.startswith("ours") else way.partition("_")[0]


# The other peers are in the benchmarks' own environment, where the benchmarks hold them to the same.
_INSTALLED = [
    way for way in [*flatten.PEER_WAYS, "ours_parquet"] if importlib.util.find_spec(_package(way)) is not None
]


@pytest.mark.parametrize("way", _INSTALLED)
def test_every_way_makes_the_same_tables(way, crimes, expected):
    """A peer that is installed makes our tables, value for value."""
    package = _package(way)
    tables = sameness.tables_of(way, Pages(crimes))
    but = frozenset()
    if package == "dlt":
        tables, but = sameness.as_declared(load_endpoint(ours.ENDPOINT), tables), _NOT_DLTS
    assert sameness.differences(expected, tables, but=but) == []


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda table: table.slice(1), "crimes: 299 rows, not 300"),
        (lambda table: table.drop_columns("name"), "crimes.name is missing"),
        (
            lambda table: table.set_column(
                table.column_names.index("difficulty"), "difficulty", pa.array([99] * 300)
            ),
            "crimes.difficulty, row 0: 99, not ",
        ),
        (
            lambda table: table.set_column(
                table.column_names.index("created_at"), "created_at", pa.array([0] * 300)
            ),
            "crimes.created_at is int64, not a time in UTC",
        ),
    ],
)
def test_a_difference_is_told(expected, spoil, told):
    """Tables that differ in rows, columns, values or types are not the same."""
    found = sameness.differences(expected, {**expected, "crimes": spoil(expected["crimes"])})
    assert len(found) == 1
    assert found[0].startswith(told)


def test_a_worker_counts_rows_and_watches(crimes):
    """Work is counted while it runs, and the pages are all read."""
    pages = Pages(crimes)
    assert work("ours", pages)["crimes"] == 300
    assert pages.watch.seconds > 0


def test_a_paused_watch_stands():
    """What happens in a pause is not counted, and a pause of a stopped watch is nothing."""
    watch = Watch()
    with watch.paused():
        pass
    assert watch.seconds == 0
    with watch.running(), watch.paused():
        before = watch.seconds
        sum(range(200_000))
        assert watch.seconds == before


def test_peak_memory_is_told_in_megabytes():
    """The most that this process has held is more than an interpreter and less than a machine."""
    assert 5 < peak_mb() < 100_000


def test_jobs_take_turns_and_are_compared_round_by_round():
    """Each round runs every job once; a job can tell its own CPU time, which then counts."""
    jobs = [
        Job(name=name, command=(sys.executable, "-c", f"print({json.dumps(told)!r})"), tells=True)
        for name, told in (("one", {"cpu": 2.0, "peak_mb": 7}), ("other", {"cpu": 8.0}))
    ]
    seen = []
    rounds = take_turns(jobs, 2, check=lambda name, _: seen.append(name))
    assert seen == ["one", "other", "other", "one"]
    assert rounds.ratios("other", "one") == [4, 4]
    assert (rounds.cpu("one"), rounds.peak("one")) == (2, 7)


def test_a_process_that_fails_is_no_result():
    """What a failed process took is not compared; its last words are told."""
    with pytest.raises(ProcessError, match="no such thing"):
        run([sys.executable, "-c", "raise SystemExit('no such thing')"])


_BURN = "import time\nwhile time.process_time() < 0.15: pass"
_FORKED = """
import multiprocessing, time
def burn():
    end = time.process_time() + 0.15
    while time.process_time() < end: pass
if __name__ == "__main__":
    process = multiprocessing.get_context("forkserver").Process(target=burn)
    process.start()
    process.join()
"""
_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux hands orphans to who measures")


def test_a_process_is_measured_with_its_children():
    """CPU time of a process includes that of the processes it waited for."""
    outcome = run(
        [sys.executable, "-c", f"import subprocess, sys; subprocess.run([sys.executable, '-c', {_BURN!r}])"]
    )
    assert outcome.cpu > 0.15
    assert outcome.wall > 0.15


@_linux
def test_a_process_is_measured_with_those_that_a_server_forked(tmp_path):
    """A fork server ends after who started it; its CPU time, and that of its processes, is counted."""
    file = tmp_path / "forked.py"
    file.write_text(_FORKED)
    outcome = run([sys.executable, str(file)])
    assert outcome.cpu > 0.15


@_linux
def test_a_process_is_measured_with_what_it_leaves_behind():
    """What runs on after its starter has ended is waited for and counted."""
    outcome = run(["sh", "-c", '"$0" -c "$1" &', sys.executable, _BURN])
    assert outcome.cpu > 0.15


@_linux
def test_what_does_not_end_is_killed_and_told():
    """A process that is left behind and does not end is killed, with its group."""
    with adopting():
        process = subprocess.Popen(["sh", "-c", "sleep 60 & sleep 60"], process_group=0)
        with pytest.raises(LeftBehindError, match="were killed"):
            reap(process.pid, patience=0.1)
        with pytest.raises(ProcessLookupError):
            os.killpg(process.pid, 0)
        process.returncode = -9


def test_time_that_passes_is_compared_round_by_round():
    """The ratio of the seconds that passed is the median of the rounds'."""
    walls = {"one": (1, 2, 3), "other": (3, 8, 3)}
    rounds = Rounds({name: [Outcome(0, 0, "", wall=wall) for wall in own] for name, own in walls.items()})
    assert rounds.wall_ratio("other", "one") == 3
    assert rounds.raw()["one"]["wall"] == [1, 2, 3]


def test_pages_of_one_history_are_made_once(tmp_path):
    """Who asks for the first part of what was made gets it."""
    session = Session(folder=tmp_path)
    first, second = session.pages(100, 100)
    assert session.pages(100) == [first]
    assert session.pages(100, 100) == [first, second]


@pytest.mark.parametrize(("measured", "kept", "word"), [(1.6, True, "ok"), (1.61, False, "FAIL")])
def test_a_promise_is_held_against_its_limit(measured, kept, word):
    """A verdict is kept up to its limit, and says so in one line."""
    verdict = report.Verdict("flattening", measured, 1.6, 1.0)
    assert verdict.kept is kept
    assert verdict.text().startswith(word)


def test_results_of_other_benchmarks_stay(tmp_path, monkeypatch):
    """Running one benchmark replaces its results and no others."""
    monkeypatch.setattr(report, "RESULTS", tmp_path / "results.json")
    assert report.kept() is None
    for name, title in (("a", "first"), ("b", "second"), ("a", "third")):
        report.keep({"cores": 2}, {name: report.Report(title=title, notes="", tables=[])})
    titles = {name: one["title"] for name, one in report.kept()["benchmarks"].items()}
    assert titles == {"a": "third", "b": "second"}


ENDPOINTS = sorted(find_endpoints())


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """Every endpoint's bodies at two moments, and with lists of 20 kB."""
    folder = tmp_path_factory.mktemp("bodies")
    written, missing = bodies.write_all(folder, moments=2, size=20_000)
    assert sorted([*written, *missing]) == ENDPOINTS
    assert {"basic", "crimes", "currency", "faction_currency", "items", "members"}.issubset(written)
    return folder, missing


@pytest.mark.parametrize("name", ENDPOINTS)
def test_every_endpoint_is_flattened_as_the_benchmark_flattens_it(asked, name):
    """Each folder of functions/ makes rows of what the simulated faction answers, all the quick way."""
    folder, missing = asked
    if name in missing:
        assert missing[name]
        return
    flatten = each_worker.flattening(name)
    rows = {}
    for file in (bodies.SENT, bodies.LARGE):
        runs = bodies.read_runs(folder / name / file)
        assert len(runs) == 2
        found = flatten(runs)
        each.check("ours", Outcome(0, 0, "", found))
        rows[file] = found["rows"]
    sent, large = rows.values()
    assert all(large[table] >= sent[table] for table in sent)


def test_an_endpoint_that_the_faction_does_not_know_is_told(tmp_path):
    """An endpoint that is new here and in the simulated faction not yet there stops no other."""
    text = find_endpoints()["items"].read_text()
    files = {"items": find_endpoints()["items"], "weather": tmp_path / "weather" / "endpoint.yaml"}
    files["weather"].parent.mkdir()
    files["weather"].write_text(
        text.replace("name: items\n", "name: weather\n").replace("/torn/items", "/torn/weather")
    )
    written, missing = bodies.write_all(tmp_path / "bodies", moments=1, size=1, files=files)
    assert written == ["items"]
    assert "error 4" in missing["weather"]


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ({"rows": {"items": 0}}, "no rows"),
        ({"rows": {"items": 9}, "rejected": 1}, "'rejected': 1"),
        ({"rows": {"items": 9}, "drift": 1}, "'drift': 1"),
        ({"rows": {"items": 9}, "duplicates": 1}, "'duplicates': 1"),
    ],
)
def test_what_was_not_flattened_the_quick_way_is_no_result(found, told):
    """Rows set aside, unknown fields and keys that repeat end the benchmark; parsing makes no rows."""
    outcome = Outcome(0, 0, "", {"rejected": 0, "drift": 0, "duplicates": 0, **found})
    each.check("orjson", outcome)
    with pytest.raises(ProcessError, match=told):
        each.check("ours", outcome)


def test_bodies_are_read_as_they_were_written(tmp_path):
    """Each run has its bodies, of their requests and times, in their order."""
    moment = datetime(2026, 4, 27, 16, 53, 51, tzinfo=UTC)
    runs = [[bodies.Body("a", b"{}", moment), bodies.Body("b", b'{"x":"\\n"}', moment)], []]
    bodies.write_runs(tmp_path / "some.json", runs)
    assert bodies.read_runs(tmp_path / "some.json") == runs


def test_lists_grow_and_their_keys_stay_apart():
    """The outermost lists of objects are repeated, each key changed; what is in them is not."""
    sent = {
        "wars": {"raids": [{"id": 7, "of": {"code": "A"}, "sides": [{"id": 1}, {"id": 2}]}], "none": []},
        "names": ["x"],
    }
    long = json.loads(grown(json.dumps(sent).encode(), 3, {("id",), ("of", "code"), ("else",)}))
    raids = long["wars"]["raids"]
    assert raids[0] == sent["wars"]["raids"][0]
    assert len({raid["id"] for raid in raids}) == 3
    assert [raid["of"]["code"] for raid in raids] == ["A", "A-1", "A-2"]
    assert all(raid["sides"] == raids[0]["sides"] for raid in raids)
    assert long["wars"]["none"] == []
    assert long["names"] == ["x"]


def test_all_endpoints_in_one_command_are_collected(tmp_path):
    """Each has an answer of the simulated faction, and the tables that dlt's are held to are there."""
    with faction(20) as (url, key):
        names, whole = run_all.answered(environment(url, key, tmp_path))
    assert (sorted(names), whole) == (ENDPOINTS, True)
    rows = row_counts(tmp_path / "ours.duckdb")
    assert set(DLT_TABLES).issubset(rows)
    assert (rows["runs"], rows["crimes"]) == (len(names), 20)
    assert row_counts(tmp_path / "ours.duckdb", tables=["crimes", "absent"]) == {"crimes": 20, "absent": 0}


def test_one_by_one_is_a_command_for_each():
    """What is compared with all together runs a command for each, and ends with the first that fails."""
    assert run_all.one_by_one("", ["a", "b"], {}, program="echo").measure().printed == "run a\nrun b\n"
    with pytest.raises(ProcessError):
        run_all.one_by_one("", ["a", "b"], {}, program="false").measure()

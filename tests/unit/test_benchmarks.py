"""The benchmarks measure the same work: every way of flattening makes the same tables."""

from __future__ import annotations

import importlib.util
import json
import sys

import pyarrow as pa
import pytest
from performance import flatten, report, sameness
from performance.approaches import ours
from performance.pages import Pages, make_pages
from performance.processes import ProcessError, run
from performance.rounds import Job, take_turns
from performance.watch import Watch, peak_mb
from performance.worker import work

from shared.endpoint_file import load_endpoint

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


def test_a_process_is_measured_with_its_children():
    """CPU time of a process includes that of the processes it waited for."""
    burn = "import time\nwhile time.process_time() < 0.15: pass"
    outcome = run(
        [sys.executable, "-c", f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}])"]
    )
    assert outcome.cpu > 0.15


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

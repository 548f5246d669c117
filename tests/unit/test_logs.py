"""Log lines: what Cloud Logging reads, one line each, with the run they belong to."""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
import threading
from datetime import UTC, datetime

import pytest

from shared.logs import configure, context, log

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"


@pytest.fixture
def lines():
    """Give what is logged, in the format asked for."""
    stream = io.StringIO()
    before = log.handlers, log.level, log.propagate

    def start(log_format, level="DEBUG"):
        configure(log_format, level)
        log.handlers[0].setStream(stream)
        return lambda: stream.getvalue().splitlines()

    yield start
    log.handlers, log.propagate = before[0], before[2]
    log.setLevel(before[1])


def only(lines):
    (line,) = lines()
    return json.loads(line)


def test_a_line_has_what_cloud_logging_reads(lines):
    """Severity, message, time, labels and the place in the source."""
    said = lines("json")
    began = datetime.now(UTC)
    with context(run_id="crimes/default/1", endpoint="crimes", account="default", attempt="a1"):
        log.warning("%d rows", 5)
    line = only(said)
    assert line["severity"] == "WARNING"
    assert line["message"] == "5 rows"
    assert began <= datetime.fromisoformat(line["time"]) <= datetime.now(UTC)
    assert line["logging.googleapis.com/labels"] == {
        "run_id": "crimes/default/1",
        "endpoint": "crimes",
        "account": "default",
        "attempt": "a1",
    }
    source = line["logging.googleapis.com/sourceLocation"]
    assert source["file"].endswith("test_logs.py")
    assert source["line"].isdigit()
    assert source["function"] == "test_a_line_has_what_cloud_logging_reads"


@pytest.mark.parametrize("level", ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"])
def test_severities_are_those_of_cloud_logging(lines, level):
    """Python's names are Google's."""
    said = lines("json")
    log.log(getattr(logging, level), "x")
    assert only(said)["severity"] == level


@pytest.mark.parametrize("project", ["", "my-project"])
def test_a_trace_is_carried_on(project):
    """The request's trace and span, in the form that links log and trace."""
    code = (
        "from shared.logs import configure, context, log; configure('json', 'INFO')\n"
        f"with context(traceparent={PARENT!r}): log.info('x')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PATH": os.environ["PATH"], "GOOGLE_CLOUD_PROJECT": project},
        capture_output=True,
        text=True,
        check=True,
    )
    line = json.loads(done.stderr)
    assert line["logging.googleapis.com/trace"] == (
        f"projects/my-project/traces/{TRACE}" if project else TRACE
    )
    assert line["logging.googleapis.com/spanId"] == "b7ad6b7169203331"
    assert "traceparent" not in line["logging.googleapis.com/labels"]
    assert done.stdout == ""


@pytest.mark.parametrize("parent", ["", "nonsense", "00-xyz-1-01", f"00-{TRACE}-b7ad6b7169203331-01\n"])
def test_what_is_no_trace_is_left_out(lines, parent):
    """A header that is wrong costs nothing but the link."""
    said = lines("json")
    with context(traceparent=parent):
        log.info("x")
    assert not [name for name in only(said) if "trace" in name or "span" in name]


def test_one_line_for_each_record(lines):
    """Line ends in messages, exceptions and fields do not end the line."""
    said = lines("json")
    try:
        raise ValueError("two\nlines\r\nor three")
    except ValueError:
        log.exception("a\nb\r\nc\x00\x1b", extra={"fields": {"run": {"e": "x\ny"}}})
    line = only(said)
    assert line["message"] == "a\nb\r\nc\x00\x1b"
    assert "two\nlines" in line["stack_trace"]
    assert "ValueError" in line["stack_trace"]
    assert line["run"] == {"e": "x\ny"}


class Odd:
    def __str__(self):
        return "odd one"


def loop():
    turn = []
    turn.append(turn)
    return turn


@pytest.mark.parametrize(
    "value",
    [
        Odd(),
        {1, 2},
        2**70,
        float("nan"),
        float("inf"),
        b"\xff",
        "\ud800",
        {(1, 2): 3},
        {None: Odd()},
        loop(),
        object,
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_that_json_lacks_do_not_lose_the_line(lines, value, capsys):
    """Whatever a field holds, the line is written, and the rest of it is whole."""
    said = lines("json")
    with context(run_id="r"):
        log.info("here", extra={"fields": {"value": value, "fine": "yes"}})
    line = only(said)
    assert line["message"] == "here"
    assert line["severity"] == "INFO"
    assert "yes" in line["fine"]
    assert line["logging.googleapis.com/labels"] == {"run_id": "r"}
    assert capsys.readouterr().err == ""


def test_a_message_with_half_a_surrogate_pair_is_written(lines):
    """What a broken record held may be quoted in a message."""
    said = lines("json")
    log.info("bad: %s", "\ud800")
    assert "bad: " in only(said)["message"]


def test_labels_are_text(lines):
    """Cloud Logging drops labels that are not; nothing and empty are left out."""
    said = lines("json")
    with context(run_id=5, endpoint=None, account=""):
        log.info("x")
    assert only(said)["logging.googleapis.com/labels"] == {"run_id": "5"}


def test_the_context_ends_where_it_ends(lines):
    """Inner fields come and go; an exception takes them with it."""
    said = lines("json")
    with context(endpoint="crimes"):
        try:
            with context(run_id="r"):
                raise KeyError
        except KeyError:
            log.info("inside")
    log.info("outside")
    inside, outside = (json.loads(line)["logging.googleapis.com/labels"] for line in said())
    assert inside == {"endpoint": "crimes"}
    assert outside == {}


def test_threads_do_not_mix_their_runs(lines):
    """Runs side by side: each line has its own run's name."""
    said = lines("json")
    together = threading.Barrier(8)

    def run(name):
        with context(run_id=name):
            for _ in range(20):
                together.wait()
                log.info(name)

    threads = [threading.Thread(target=run, args=(f"run{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = [json.loads(line) for line in said()]
    assert len(found) == 160
    assert all(line["message"] == line["logging.googleapis.com/labels"]["run_id"] for line in found)


def test_text_is_for_people(lines):
    """Time, level, run and message, and nothing else."""
    said = lines("text")
    log.info("before")
    with context(endpoint="crimes"):
        log.warning("in between")
        with context(run_id="crimes/default/1"):
            log.error("%d rows", 5)
    before, between, after = said()
    assert before[8:] == " INFO    before"
    assert between[8:] == " WARNING crimes: in between"
    assert after[8:] == " ERROR   crimes/default/1: 5 rows"
    assert datetime.strptime(before[:8], "%H:%M:%S")  # noqa: DTZ007 - a time of day


def test_text_shows_where_it_broke(lines):
    """An exception's stack follows its line."""
    said = lines("text")
    try:
        raise KeyError("gone")
    except KeyError:
        log.exception("broken")
    assert said()[0].endswith("ERROR   broken")
    assert said()[-1] == "KeyError: 'gone'"


def test_the_level_is_kept_to(lines):
    """Below it nothing is written."""
    said = lines("json", "WARNING")
    log.info("x")
    log.warning("y")
    assert only(said)["message"] == "y"


def test_configuring_again_does_not_double_the_lines(lines):
    """The last word counts."""
    configure("text", "INFO")
    said = lines("json")
    log.info("x")
    assert only(said)["message"] == "x"

"""What a person sees of a log line, and which lines are wanted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click
import pytest

from shared.cli.log_lines import Line, Wanted, escaped
from shared.cli.since import since_option

LABELS = "logging.googleapis.com/labels"
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def line(message="m", *, severity="INFO", run_id="", endpoint="crimes", at=NOON, **more):
    labels = {"endpoint": endpoint} | ({"run_id": run_id} if run_id else {})
    entry = {"severity": severity, "time": at.isoformat(), "message": message, LABELS: labels, **more}
    return Line.of(entry)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ærøskøbing → 日本 😀", "Ærøskøbing → 日本 😀"),
        ("\x1b[2J\x1b]0;title\x07", "\\x1b[2J\\x1b]0;title\\x07"),
        ("a\nb\r\tc\x00\x7f", "a\\nb\\r\\tc\\x00\\x7f"),
        ("\x9b31m", "\\x9b31m"),
        ("\u202egnp.exe\u2066", "\\u202egnp.exe\\u2066"),
        ("\u2028\u2029\u200b\ufeff", "\\u2028\\u2029\\u200b\\ufeff"),
        ("\ud800\U000e0041", "\\ud800\\U000e0041"),
    ],
)
def test_what_could_play_tricks_stands_there_as_its_code(text, expected):
    """No escape sequence, line end, direction mark or half character reaches a terminal."""
    assert escaped(text) == expected
    assert expected.isprintable()


def test_every_part_of_a_line_is_escaped():
    """Run and severity come from outside as the message does; a stack's lines stay lines, indented."""
    evil = line(
        "x\ny", severity="IN\x1bFO", run_id="a/b/\x1bc", stack_trace="Traceback\n  File \x1b[1m\r\nKeyError"
    )
    severity, run, message, stack = evil.words
    assert severity == "IN\\x1bFO "
    assert run == "a/b/\\x1bc: "
    assert message == "x\\ny"
    assert stack == "\n    Traceback\n      File \\x1b[1m\n    KeyError"


def test_a_moment_is_utc_to_the_millisecond():
    """Whatever zone a line was written in."""
    assert (
        line(at=datetime.fromisoformat("2026-11-20T13:00:00.98765+01:00")).moment
        == "2026-11-20 12:00:00.987Z"
    )


@pytest.mark.parametrize(
    "entry", [None, [], "x", 5, {}, {"time": "soon"}, {"time": None}, {"time": "9999-99-99"}]
)
def test_what_has_no_time_is_no_line(entry):
    """Whatever else stands in the file."""
    assert Line.of(entry) is None


@pytest.mark.parametrize(
    "entry", [{LABELS: None, "message": None}, {LABELS: ["x"], "severity": 5, "run": "x"}, {"run": None}]
)
def test_odd_lines_are_shown(entry):
    """A line whose fields are not as ours is still a line."""
    found = Line.of({"time": NOON.isoformat(), **entry})
    assert found.moment == "2026-11-20 12:00:00.000Z"
    assert Wanted(since=NOON).matches(found)
    assert not Wanted(since=NOON, run="12").matches(found)


@pytest.mark.parametrize(
    ("wanted", "matches"),
    [
        ({}, True),
        ({"endpoint": "crimes"}, True),
        ({"endpoint": "crime"}, False),
        ({"run": "crimes/red/123"}, True),
        ({"run": "crimes/red/12"}, False),
        ({"run": "crimes/red/1234"}, False),
        ({"run": "12"}, True),
        ({"run": "123"}, True),
        ({"run": "23"}, False),
        ({"run": "crimes"}, False),
        ({"run": "red"}, False),
        ({"errors": True}, False),
        ({"since": NOON + timedelta(microseconds=1)}, False),
    ],
)
def test_wanted_lines_are_those_that_meet_every_condition(wanted, matches):
    """A run's id is meant whole; a message's may be its beginning."""
    found = line(run_id="crimes/red/123")
    assert Wanted(**({"since": NOON} | wanted)).matches(found) is matches


def test_a_scheduled_run_is_found_by_its_message():
    """Its name is the slot; its record holds the message's id."""
    found = line(run_id="crimes/red/20261120T1200Z", run={"message_id": "777"})
    assert Wanted(since=NOON, run="77").matches(found)
    assert not Wanted(since=NOON, run="78").matches(found)


@pytest.mark.parametrize(
    ("severity", "is_error"),
    [
        ("DEBUG", False),
        ("WARNING", False),
        ("ERROR", True),
        ("CRITICAL", True),
        ("ALERT", True),
        ("odd", False),
    ],
)
def test_errors_are_error_and_above(severity, is_error):
    """As Cloud Logging orders severities."""
    assert Wanted(since=NOON, errors=True).matches(line(severity=severity)) is is_error


@pytest.mark.parametrize(
    ("text", "ago"),
    [("1h", 3600), ("90m", 5400), ("1h30m", 5400), ("2d", 172_800), ("1W", 604_800), ("15s", 15), (None, 7)],
)
def test_since_may_be_how_long_ago(text, ago):
    """In weeks, days, hours, minutes and seconds."""
    found = since_option(text, timedelta(seconds=7))
    assert abs((datetime.now(UTC) - found).total_seconds() - ago) < 5


@pytest.mark.parametrize(
    "text", ["2026-11-20", "2026-11-20T00:00:00Z", "2026-11-20T01:00+01:00", " 2026-11-20 00:00 "]
)
def test_since_may_be_a_moment(text):
    """Without a zone it is UTC."""
    assert since_option(text, timedelta(1)) == datetime(2026, 11, 20, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", " ", "soon", "1x", "h", "-1h", "2026-13-01", "1h30", "2999-01-01"])
def test_since_that_is_neither_is_refused(text):
    """Named, with examples."""
    with pytest.raises(click.BadParameter, match=r"such as|still to come") as raised:
        since_option(text, timedelta(1))
    assert raised.value.param_hint == "--since"

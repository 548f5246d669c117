"""The filter that Cloud Logging is asked with, and the tests' reading of its language."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from support.log_filter import FilterError, accepts, parse

from shared.cli.cloud_logs import filter_of
from shared.cli.log_lines import Wanted

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def entry(**more):
    return {
        "logName": "projects/p/logs/run.googleapis.com%2Fstderr",
        "timestamp": "2026-11-20T12:00:00Z",
        "severity": "INFO",
        "resource": {"type": "cloud_run_revision", "labels": {"service_name": "crimes"}},
        "labels": {},
        "textPayload": "x",
        **more,
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('severity>=INFO AND labels.a="B" OR textPayload:"X"', True),
        ('(severity>=ERROR AND textPayload:"x") OR textPayload:"x"', True),
        ('severity>=ERROR AND textPayload:"x" OR textPayload:"x"', False),
        ("severity>=ERROR", False),
        ("NOT severity>=ERROR", True),
        ('labels.a!="b"', False),
        ('NOT labels.a="b"', True),
        ('-labels.a="b" textPayload=x', True),
        ('textPayload=~"^X"', False),
        ('textPayload="X"', True),
        ("jsonPayload:*", False),
        ('timestamp>="2026-11-20T12:00:00.000001Z"', False),
    ],
)
def test_the_language_is_read_as_google_documents_it(text, expected):
    """OR before AND, no comparison with what is not there, case only in regular expressions."""
    assert accepts(parse(text), entry()) is expected


@pytest.mark.parametrize(
    "text", ["", "severity>", "(severity>=INFO", "nothing=5", "severity>=INFO)", '"x', "a AND"]
)
def test_what_is_no_filter_is_refused(text):
    """As Cloud Logging refuses it, with INVALID_ARGUMENT."""
    with pytest.raises(FilterError):
        parse(text)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, True),
        ({"timestamp": "2026-11-20T11:59:59.999999999Z"}, False),
        ({"resource": {"type": "k8s_container", "labels": {"service_name": "crimes"}}}, False),
        ({"textPayload": "", "jsonPayload": {"message": "x"}}, True),
    ],
)
def test_functions_lines_since_a_moment(change, expected):
    """From Cloud Run, with words in them."""
    assert accepts(parse(filter_of(Wanted(since=NOON), since=NOON)), entry(**change)) is expected


def test_requests_and_changes_of_services_are_left_out():
    """They have neither a text nor an object of ours."""
    request = entry(httpRequest={"status": 200})
    del request["textPayload"]
    assert not accepts(parse(filter_of(Wanted(since=NOON), since=NOON)), request)


@pytest.mark.parametrize(
    ("prefix", "service", "expected"),
    [
        ("", "faction-currency", True),
        ("", "currency", False),
        ("t-", "t-faction-currency", True),
        ("t-", "x", False),
    ],
)
def test_what_the_platform_says_of_an_endpoint_is_found_by_its_service(prefix, service, expected):
    """Such a line has no label; with it, the label is enough."""
    wanted = Wanted(since=NOON, endpoint="faction_currency")
    resource = {"type": "cloud_run_revision", "labels": {"service_name": service}}
    found = parse(filter_of(wanted, since=NOON, prefix=prefix))
    assert accepts(found, entry(resource=resource)) is expected
    labelled = {"type": "cloud_run_revision", "labels": {"service_name": f"{prefix}any"}}
    assert accepts(found, entry(resource=labelled, labels={"endpoint": "faction_currency"}))
    assert not accepts(found, entry(resource=labelled, labels={"endpoint": "currency"}))


def test_a_prefix_leaves_out_another_installations_lines():
    """Two may share a project, with the same endpoints."""
    found = parse(filter_of(Wanted(since=NOON, endpoint="crimes"), since=NOON, prefix="t-"))
    for service, expected in (("t-crimes", True), ("crimes", False), ("x-t-crimes", False)):
        resource = {"type": "cloud_run_revision", "labels": {"service_name": service}}
        assert accepts(found, entry(resource=resource, labels={"endpoint": "crimes"})) is expected


@pytest.mark.parametrize("run", ['1" OR severity>=DEFAULT OR textPayload="', "1\\", ".*", "(", "1|2"])
def test_what_a_run_is_called_cannot_change_the_filter(run):
    """Quotes, backslashes and signs of regular expressions are letters."""
    for name in (run, f"crimes/red/{run}"):
        found = parse(filter_of(Wanted(since=NOON, run=name), since=NOON))
        assert not accepts(found, entry(labels={"run_id": "crimes/red/12"}))
        assert accepts(found, entry(labels={"run_id": f"crimes/red/{run}"}))

"""What Torn's answers mean."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from itertools import pairwise
from urllib.parse import parse_qs, urlsplit

import pytest
from requests import Request

from shared.errors import (
    BackOff,
    BrokenContract,
    CollectError,
    FixConfiguration,
    RetrySoon,
    StopCategory,
    StopKey,
)
from shared.torn import KeyAuth, check, fresh, next_link
from shared.transport import Response

CODES = {
    **dict.fromkeys([0, 12, 15, 17], RetrySoon),
    **dict.fromkeys([5, 8, 9, 24], BackOff),
    14: StopCategory,
    **dict.fromkeys([1, 2, 10, 13, 16, 18], StopKey),
    **dict.fromkeys([3, 4, 6, 7, 21, 22, 23, 25, 26, 28, 29, 30], FixConfiguration),
}


def answer(body, status=200, **headers):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(
        url="https://api.torn.com/v2/x",
        status=status,
        headers={k.replace("_", "-"): v for k, v in headers.items()},
        body=data,
        asked_at=datetime.now(UTC),
    )


def refused(body, status=200, **headers):
    with pytest.raises(CollectError) as raised:
        check(answer(body, status, **headers))
    return raised.value


# Error codes


@pytest.mark.parametrize(("code", "kind"), CODES.items())
@pytest.mark.parametrize("shape", ["nested", "flat"])
@pytest.mark.parametrize("status", [200, 400, 403])
def test_every_code_says_what_to_do(code, kind, shape, status):
    """Each documented code, nested or flat, whatever the status, asks for the right thing."""
    inner = {"code": code, "error": "Made up text"}
    error = refused({"error": inner} if shape == "nested" else inner, status)
    assert type(error) is kind
    assert error.code == code
    assert f"Torn error {code}" in str(error)
    assert error.next_step


@pytest.mark.parametrize(("code", "everything"), [(5, False), (8, True), (9, True), (24, True)])
def test_which_limits_stop_everything(code, everything):
    """Too many requests is one key's matter; a blocked address or a closed API is everyone's."""
    error = refused({"error": {"code": code, "error": ""}})
    assert error.everything is everything
    assert error.after >= 60


def test_too_many_requests_waits_a_minute():
    """Code 5 is over when the rolling minute is."""
    assert refused({"error": {"code": 5, "error": "Too many requests"}}).after == 60


def test_a_dead_key_has_a_next_step():
    """A person is told what to replace, and where."""
    assert "TORN_API_KEY" in refused({"error": {"code": 2, "error": "Incorrect key"}}).next_step


@pytest.mark.parametrize("code", [11, 19, 20, 27, 31, 999])
def test_an_unknown_code_is_tried_again(code):
    """A code nobody has told us of stops nothing for good, and its text is kept."""
    error = refused({"error": {"code": code, "error": "A new thing"}})
    assert type(error) is RetrySoon
    assert error.code == code
    assert "A new thing" in str(error)


def test_a_code_written_as_text_counts():
    """`"2"` is code 2: a dead key must not be asked with again for a pair of quotes."""
    error = refused({"error": {"code": "2", "error": "Incorrect key"}})
    assert type(error) is StopKey
    assert error.code == 2


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"code": None, "error": "Hm"}},
        {"error": {"code": True, "error": "Hm"}},
        {"error": {"code": [2], "error": "Hm"}},
        {"error": {"code": -1, "error": "Hm"}},
        {"error": {"code": 2**70, "error": "Hm"}},
        {"error": {"code": "²", "error": "Hm"}},
        {"error": {"error": "Hm"}},
        {"error": "Hm"},
        {"error": {}},
        {"error": []},
        {"error": ""},
        {"error": "Hm", "code": "no number"},
    ],
)
def test_an_error_without_a_code_is_tried_again(body):
    """An error that says nothing usable is an error, and no crash."""
    error = refused(body)
    assert type(error) is RetrySoon
    assert error.code is None


def test_the_text_of_an_error_can_be_recorded():
    """Whatever the API's text holds, the error's is short and can be written anywhere."""
    body = b'{"error": {"code": 99, "error": "\\ud800 \\u0000 ' + b"x" * 5000 + b'"}}'
    text = str(refused(body))
    assert text.encode()
    assert "\0" not in text
    assert len(text) < 300


# Statuses


@pytest.mark.parametrize(
    ("headers", "after"), [({}, 60), ({"Retry_After": "7"}, 7), ({"Retry_After": "x"}, 60)]
)
def test_429_backs_off(headers, after):
    """As long as the header says, else a minute; this key alone."""
    error = refused(b"<html>", 429, **headers)
    assert type(error) is BackOff
    assert (error.after, error.everything) == (after, False)


def test_429_with_nothing_to_wait_for():
    """`Retry-After: 0` is taken at its word; the transport adds its own backoff."""
    assert refused(b"", 429, Retry_After="0").after == 0


def test_a_web_page_with_403_stops_everything():
    """The gatekeeper's challenge is about our address, not about a key."""
    error = refused(b"<!DOCTYPE html><title>Just a moment...</title>", 403)
    assert type(error) is BackOff
    assert error.everything
    assert error.after == 300


def test_json_with_403_is_about_the_request():
    """A 403 that speaks JSON and names no error is a mistake of ours."""
    assert type(refused({"detail": "no"}, 403)) is FixConfiguration


@pytest.mark.parametrize("body", [b"<h1>Not found</h1>", b"{}", b""])
@pytest.mark.parametrize("status", [400, 404, 405, 410])
def test_other_client_errors_are_mistakes_of_ours(body, status):
    """A path that is not there is not asked for again."""
    error = refused(body, status)
    assert type(error) is FixConfiguration
    assert str(status) in str(error)


@pytest.mark.parametrize("status", [500, 502, 503, 504, 520, 599, 408, 425])
def test_server_errors_are_tried_again(status):
    """Even when their body is fine JSON."""
    assert type(refused({"crimes": []}, status)) is RetrySoon


def test_a_server_error_may_say_when_to_come_back():
    """503 with Retry-After waits that long."""
    error = refused(b"busy", 503, Retry_After="12")
    assert type(error) is BackOff
    assert (error.after, error.everything) == (12, False)


# Bodies


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"  ",
        b"The city is resting.",
        b"<html></html>",
        b'{"crimes": [{"id": 1}, {"i',
        b'{"crimes": []',
        b"[]",
        b"null",
        b"17",
        b'"text"',
        b"[" * 300_000,
        b'{"a":' * 300_000,
    ],
    ids=lambda body: repr(body[:12]),
)
def test_what_is_no_json_object_is_asked_for_again(body):
    """Nothing, half of it, or something else altogether."""
    assert type(refused(body)) is RetrySoon


@pytest.mark.parametrize(
    "record",
    [
        b'"\\ud800"',
        b'"\xff\xfe"',
        str(2**70).encode(),
        b"-" + b"9" * 400,
        b"9" * 5000,
        b"1e999",
        b'"\\u0000"',
        b"{}",
    ],
    ids=["lone-surrogate", "invalid-utf8", "2**70", "400-digits", "5000-digits", "1e999", "nul", "empty"],
)
@pytest.mark.parametrize("end", [b"", b', "_metadata": {"links": {"next": "https://h/2", "prev": null}}'])
def test_one_bad_record_does_not_cost_its_page(record, end):
    """A page with a record that strict decoders refuse is accepted, and its next page found."""
    body = b'{"crimes": [{"id": 1}, {"id": ' + record + b"}]" + end + b"}"
    check(answer(body))
    if end:
        assert next_link(body) == "https://h/2"


def test_a_byte_order_mark_is_no_error():
    """JSON with a mark at its head is JSON."""
    check(answer(b'\xef\xbb\xbf{"crimes": []}'))


def test_records_may_have_fields_called_error_or_code():
    """Only what stands beside the records is an error of the API."""
    check(answer({"crimes": [{"error": {"code": 2}, "code": 2}], "error": None}))
    check(answer({"code": 17, "crimes": []}))


@pytest.mark.parametrize(
    "metadata", [[], 5, "x", None, {}, {"links": []}, {"links": None}, {"links": {}}, {"links": {"next": 5}}]
)
def test_metadata_that_changed_costs_no_page_that_needs_it_not(metadata):
    """The answer is accepted; only whoever asks for the next link is told that it is unknown."""
    body = {"crimes": [], "_metadata": metadata}
    check(answer(body))
    with pytest.raises(BrokenContract, match="next page"):
        next_link(json.dumps(body).encode())


@pytest.mark.parametrize(
    "body",
    [
        {"_metadata": {"links": {"next": None}}},
        {"_metadata": {"links": {"next": None, "prev": "https://h/1"}}},
        {"_metadata": {"links": {"next": ""}}},
    ],
)
def test_the_last_page_has_no_next_link(body):
    """Null, or an empty link, is the end."""
    assert next_link(json.dumps(body).encode()) is None


def test_the_next_link_is_returned_as_it_stands():
    """Whether it may be followed is the transport's matter."""
    link = "https://api.torn.com/v2/faction/crimes?offset=100&cat=all"
    body = {"crimes": [], "_metadata": {"links": {"next": link, "prev": None}, "total": 5}}
    assert next_link(json.dumps(body).encode()) == link


def test_checking_a_large_page_is_cheap():
    """1.4 MB that are in order cost a few milliseconds: they are skipped over, not built."""
    item = {"id": 1, "name": "A thing", "value": {"buy_price": 5, "vendor": None}, "description": "x" * 400}
    page = answer({"items": [item] * 2700})
    assert len(page.body) > 1_300_000
    best = 9.0
    for _ in range(5):
        began = time.perf_counter()
        check(page)
        best = min(best, time.perf_counter() - began)
    assert best < 0.02


# Calls


def test_the_key_goes_into_the_header():
    """As the API's description says: `Authorization: ApiKey …`."""
    request = Request("GET", "https://api.torn.com/v2/x", auth=KeyAuth("abc123")).prepare()
    assert request.headers["Authorization"] == "ApiKey abc123"
    assert "abc123" not in request.url


def test_what_adds_the_key_does_not_show_it():
    """Neither repr nor vars do."""
    auth = KeyAuth("Sup3rSecret")
    assert "Sup3rSecret" not in f"{auth} {auth!r} {vars(auth)}"


def stamp(url):
    (value,) = parse_qs(urlsplit(url).query)["timestamp"]
    return int(value)


def test_every_call_has_a_timestamp_of_its_own():
    """However fast calls follow each other, each timestamp is greater than the one before."""
    began = time.time_ns() // 1000 * 10**6
    stamps = [stamp(fresh("https://h/x?a=1")) for _ in range(500)]
    assert all(later > earlier for earlier, later in pairwise(stamps))
    assert began <= stamps[0] <= stamps[-1] <= (time.time_ns() // 1000 + 500) * 10**6


def test_processes_do_not_share_timestamps():
    """Runs of one second in several processes: none would be given the other's cached page."""
    code = "from shared.torn import fresh; print(*(fresh('/x') for _ in range(50)))"
    running = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    stamps = [url for process in running for url in process.communicate()[0].split()]
    assert len(set(stamps)) == len(stamps) == 200  # 4 in a microsecond share the rest once in 160,000 times


def test_forked_processes_do_not_share_timestamps():
    """Nor do those forked from one that has imported everything, were it in the very same microsecond."""
    code = """
import os, sys, time
time.time_ns = lambda: 1_700_000_000_000_000_000
from shared.torn import fresh
for _ in range(8):
    if not os.fork():
        os.write(1, f"{fresh('/x')} ".encode())
        os._exit(0)
while True:
    try:
        os.wait()
    except ChildProcessError:
        break
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    stamps = done.stdout.split()
    assert len(set(stamps)) == len(stamps) == 8


def test_a_timestamp_is_replaced_and_nothing_else_changed():
    """A link that carries an old timestamp gets a new one."""
    url = fresh("https://h/x?timestamp=1&cat=all&from=5")
    assert parse_qs(urlsplit(url).query) == {"cat": ["all"], "from": ["5"], "timestamp": [str(stamp(url))]}
    assert stamp(url) > 1


def test_threads_never_share_a_timestamp():
    """Calls of all threads differ."""
    stamps, lock = [], threading.Lock()

    def call():
        mine = [stamp(fresh("/x")) for _ in range(100)]
        with lock:
            stamps.extend(mine)

    threads = [threading.Thread(target=call) for _ in range(8)]
    patience = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(patience)
    assert len(set(stamps)) == 800

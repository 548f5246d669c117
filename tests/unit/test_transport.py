"""The transport, against a real server on this machine."""

from __future__ import annotations

import gzip
import os
import re
import socket
import subprocess
import sys
import threading
import time
import tracemalloc
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from requests.auth import AuthBase
from support.http import Answer, Server, cut, drip, redirect, reset, silence

from shared.breaker import Breaker
from shared.budget import Budget
from shared.errors import (
    BackOff,
    BrokenContract,
    CircuitOpen,
    CollectError,
    FixConfiguration,
    OutOfTime,
    RetrySoon,
    StopKey,
)
from shared.transport import Limits, Response, Transport, with_params

KEY = "Sup3rSecretKey42"


class Auth(AuthBase):
    def __init__(self, key=KEY):
        self._key = key

    def __call__(self, request):
        request.headers["Authorization"] = f"ApiKey {self._key}"
        return request


class Naps:
    """A sleep that only remembers, on a clock that it moves."""

    def __init__(self):
        self.slept = []
        self.ahead = 0.0

    def clock(self):
        return time.monotonic() + self.ahead

    def __call__(self, seconds):
        self.slept.append(seconds)
        self.ahead += seconds


def accept(_response):
    pass


def by_status(response):
    """Read an answer as an API's own module does."""
    if response.status == 429:
        raise BackOff("slow down", after=response.retry_after() or 60.0)
    if response.status == 403:
        raise BackOff("closed", after=300.0, everything=True)
    if response.status == 401:
        raise StopKey("dead")
    if response.status >= 500:
        raise BackOff("busy", after=response.retry_after()) if response.retry_after() else RetrySoon("down")


@pytest.fixture
def naps():
    return Naps()


@pytest.fixture
def opened(naps):
    """Make transports that are closed in the end."""
    made = []

    def make(url, **options):
        limits = Limits(**{"connect": 1.0, "read": 1.0, **options.pop("limits", {})})
        transport = Transport(
            url, user_agent="tests/1", limits=limits, clock=naps.clock, sleep=naps, **options
        )
        made.append(transport)
        return transport

    yield make
    for transport in made:
        transport.close()


@pytest.fixture
def serve():
    """Start servers that are stopped in the end."""
    servers = []

    def start(*answers):
        servers.append(Server(*answers).__enter__())
        return servers[-1]

    yield start
    for server in servers:
        server.__exit__()


def ask(transport, url="/x", *, within=100.0, check=by_status, auth=None, **more):
    return transport.get(
        url,
        auth=auth or Auth(),
        budget=Budget(1000),
        deadline=transport._clock() + within,
        check=check,
        **more,
    )


def closed_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def everything_said(error):
    """Return every text of an exception and of all that hangs on it."""
    texts, seen, todo = [], set(), [error]
    while todo:
        one = todo.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        texts += [str(one), repr(one), repr(one.args), repr(vars(one))]
        todo += [one.__cause__, one.__context__]
    return "\n".join(texts)


# What goes out and what comes in


def test_an_answer_is_whole_and_dated_before_it_was_asked_for(serve, opened):
    """Body, status and headers come as they were sent; asked_at is no later than the request."""
    server = serve(Answer(b'{"a": 1}', headers={"X-Made-Up": "yes"}))
    answer = ask(opened(server.url), "/faction/crimes?limit=100")
    assert answer.body == b'{"a": 1}'
    assert answer.status == 200
    assert answer.headers["x-made-up"] == "yes"
    assert answer.url == f"{server.url}/faction/crimes?limit=100"
    assert answer.asked_at.tzinfo is UTC
    assert answer.asked_at.timestamp() <= server.heard[0].at


def test_asked_at_is_that_of_the_try_that_succeeded(serve, opened):
    """After a retry the answer's time is the last request's, not the first one's."""
    server = serve(Answer(status=500), Answer())
    answer = ask(opened(server.url))
    assert server.heard[0].at <= answer.asked_at.timestamp() <= server.heard[1].at


def test_the_key_is_in_the_header_and_nowhere_else(serve, opened):
    """Neither the URL that the server sees nor the one that is recorded holds the key."""
    server = serve()
    answer = ask(opened(server.url), "/x?from=1")
    assert server.heard[0].headers["Authorization"] == f"ApiKey {KEY}"
    assert server.heard[0].headers["User-Agent"] == "tests/1"
    assert KEY not in server.heard[0].target
    assert KEY not in repr(answer)


def test_one_connection_serves_many_calls(serve, opened):
    """Connections are kept and used again."""
    server = serve(Answer(b"x" * 200_000))
    transport = opened(server.url)
    for _ in range(5):
        ask(transport)
    assert len(server.connections) == 1


def test_a_gzipped_and_chunked_body_is_unpacked_and_the_connection_kept(serve, opened):
    """Content and transfer encodings are undone, however small the chunks."""
    text = os.urandom(50_000).hex().encode()
    packed = gzip.compress(text)
    chunks = b"".join(
        b"%x\r\n%b\r\n" % (len(p), p) for p in (packed[i : i + 7] for i in range(0, len(packed), 7))
    )
    headers = {"Content-Encoding": "gzip", "Transfer-Encoding": "chunked"}
    server = serve(Answer(chunks + b"0\r\n\r\n", headers=headers))
    transport = opened(server.url)
    assert ask(transport).body == text
    assert ask(transport).body == text
    assert len(server.connections) == 1


def test_every_try_is_fresh_and_takes_a_token(serve, opened):
    """`fresh` rewrites the URL before each try, and each costs one call of the budget."""
    server = serve(Answer(status=500), Answer(status=500), Answer())
    counter = iter(range(100))
    taken = Budget(3)
    transport = opened(server.url)
    transport.get(
        "/x",
        auth=Auth(),
        budget=taken,
        deadline=transport._clock() + 50,
        check=by_status,
        fresh=lambda url: with_params(url, {"n": next(counter)}),
    )
    assert [h.target for h in server.heard] == ["/v2/x?n=0", "/v2/x?n=1", "/v2/x?n=2"]
    with pytest.raises(OutOfTime):
        taken.take(deadline=time.monotonic() + 1)


def test_a_netrc_file_does_not_replace_the_key(serve, tmp_path):
    """Credentials that the machine holds for the host are not sent in place of the key."""
    server = serve()
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    netrc.chmod(0o600)
    code = (
        "import sys, time; from shared.transport import Transport; from shared.budget import Budget;"
        "from shared.torn import KeyAuth; t = Transport(sys.argv[1], user_agent='t');"
        "t.get('/x', auth=KeyAuth('abc'), budget=Budget(9), deadline=time.monotonic() + 9,"
        " check=lambda r: None); t.close()"
    )
    subprocess.run(
        [sys.executable, "-W", "error", "-c", code, server.url],
        env={**os.environ, "NETRC": str(netrc)},
        check=True,
    )
    assert server.heard[0].headers["Authorization"] == "ApiKey abc"


# Retries


def test_waits_grow_and_jitter(serve, opened, naps):
    """Between tries the wait doubles, each somewhere between half and the whole of its ceiling."""
    server = serve(Answer(status=500))
    seen = set()
    for _ in range(3):
        naps.slept.clear()
        with pytest.raises(RetrySoon):
            ask(opened(server.url))
        first, second, third = naps.slept
        assert 0.25 <= first <= 0.5 <= second <= 1 <= third <= 2
        seen.add((first, second, third))
    assert len(seen) == 3
    assert len(server.heard) == 12


def test_the_wait_has_a_ceiling(serve, opened, naps):
    """However often it failed, no wait is longer than backoff_max."""
    server = serve(Answer(status=500))
    with pytest.raises(RetrySoon):
        ask(opened(server.url, limits={"attempts": 7, "backoff_max": 1.0}), within=1e6)
    assert len(naps.slept) == 6
    assert max(naps.slept) <= 1.0


def test_retry_after_in_seconds_wins_over_the_backoff(serve, opened, naps):
    """The server's own word on when to come again is kept to the second."""
    server = serve(Answer(status=429, headers={"Retry-After": "7"}), Answer())
    ask(opened(server.url))
    assert naps.slept == [7]


def test_retry_after_as_a_date_wins_over_the_backoff(serve, opened, naps):
    """An HTTP date is as good as seconds."""
    when = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    server = serve(Answer(status=503, headers={"Retry-After": when}), Answer())
    ask(opened(server.url))
    assert 28 <= naps.slept[0] <= 30


@pytest.mark.parametrize(
    "value", ["soon", "-5", "1.5", "", "9" * 5000, "Fri, 31 Dec 99999 23:59:59 GMT", "Mon, 99 Foo 2026"]
)
def test_a_retry_after_that_is_none_is_none(value):
    """Nonsense in the header is no error, and no wait of its own."""
    answer = Response(
        url="u", status=429, headers={"Retry-After": value}, body=b"", asked_at=datetime.now(UTC)
    )
    assert answer.retry_after() is None or answer.retry_after() > 1e4


def test_retry_after_zero_still_waits_a_little(serve, opened, naps):
    """`Retry-After: 0` is taken for no hurry of ours: the ordinary backoff applies."""

    def check(response):
        if response.status == 429:
            raise BackOff("slow down", after=response.retry_after())

    server = serve(Answer(status=429, headers={"Retry-After": "0"}), Answer())
    ask(opened(server.url), check=check)
    assert naps.slept[0] >= 0.25


def test_a_wait_that_is_too_long_is_raised_not_slept(serve, opened, naps):
    """Above longest_wait the next delivery waits in our place."""
    server = serve(Answer(status=429, headers={"Retry-After": "76"}))
    with pytest.raises(BackOff) as raised:
        ask(opened(server.url), within=1000)
    assert raised.value.after == 76
    assert naps.slept == []
    assert len(server.heard) == 1


def test_a_wait_beyond_the_deadline_is_raised_not_slept(serve, opened, naps):
    """Nothing is waited for beyond the run's time."""
    server = serve(Answer(status=429, headers={"Retry-After": "60"}))
    with pytest.raises(BackOff):
        ask(opened(server.url), within=59)
    assert naps.slept == []


def test_tries_are_bounded(serve, opened):
    """After the last try the error of that try is raised."""
    server = serve(*[Answer(status=500)] * 3, Answer(status=429, headers={"Retry-After": "1"}))
    with pytest.raises(BackOff):
        ask(opened(server.url))
    assert len(server.heard) == 4


def test_what_another_try_cannot_cure_is_not_tried_again(serve, opened):
    """A permanent error comes straight through."""
    server = serve(Answer(status=401))
    with pytest.raises(StopKey):
        ask(opened(server.url))
    assert len(server.heard) == 1


def test_a_run_whose_time_is_up_asks_nothing(serve, opened):
    """Past the deadline no request goes out."""
    server = serve()
    with pytest.raises(OutOfTime):
        ask(opened(server.url), within=-1)
    assert server.heard == []


# A network that fails


@pytest.mark.parametrize(
    "answer",
    [
        cut(b'{"a": ', 100),
        reset(),
        Answer(b"not gzip", headers={"Content-Encoding": "gzip"}),
        Answer(act=lambda h: h.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")),
        Answer(act=lambda h: h.wfile.write(b"SPAM" * 100 + b"\r\n\r\n")),
    ],
    ids=["cut", "reset", "not-gzip", "bad-chunk", "not-http"],
)
def test_a_broken_answer_is_asked_for_again(serve, opened, answer):
    """What broke off or cannot be read is asked for again, over a new connection."""
    server = serve(answer, Answer(b"whole"))
    assert ask(opened(server.url)).body == b"whole"
    assert len(server.heard) == 2


def test_a_refused_connection_says_so(opened, naps):
    """No server: bounded tries, and an error that names the host and the reason."""
    port = closed_port()
    with pytest.raises(RetrySoon, match=r"127\.0\.0\.1/v2/x cannot be reached.*[Rr]efused"):
        ask(opened(f"http://127.0.0.1:{port}/v2"))
    assert len(naps.slept) == 3


def test_an_unknown_host_says_so(opened):
    """No such name: the same."""
    with pytest.raises(RetrySoon, match=r"nowhere\.invalid/x cannot be reached"):
        ask(opened("http://nowhere.invalid"))


def test_a_silent_server_is_given_up(serve, opened):
    """The read timeout ends the wait for a first byte."""
    server = serve(silence())
    began = time.monotonic()
    with pytest.raises(RetrySoon, match="did not answer in time"):
        ask(opened(server.url, limits={"read": 0.1, "attempts": 2}))
    assert time.monotonic() - began < 1
    assert len(server.heard) == 2


def test_the_deadline_shortens_the_timeouts(serve, opened):
    """A silent server is waited for no longer than the run has left."""
    server = serve(silence())
    began = time.monotonic()
    with pytest.raises(RetrySoon):
        ask(opened(server.url, limits={"read": 30}), within=0.2)
    assert time.monotonic() - began < 1


@pytest.mark.parametrize("chunked", [False, True])
def test_a_slow_drip_ends_at_the_deadline(serve, opened, chunked):
    """A server that sends a byte before each timeout cannot hold a run beyond its time."""
    server = serve(drip(0.02, chunked=chunked))
    began = time.monotonic()
    with pytest.raises(OutOfTime, match="still answering"):
        ask(opened(server.url), within=0.3)
    assert 0.25 < time.monotonic() - began < 1.5


def test_a_body_is_bounded_while_it_comes(serve, opened):
    """An endless body is left as soon as it is too large."""
    server = serve(Answer(b"x" * 3_000_000))
    with pytest.raises(BrokenContract, match="more than 1,000,000 bytes"):
        ask(opened(server.url, limits={"body": 1_000_000}))
    assert ask(opened(server.url, limits={"body": 3_000_000})).body == b"x" * 3_000_000


def test_a_body_is_bounded_when_it_is_unpacked(serve, opened):
    """A small answer that unpacks to a huge one is left as soon as that is too large."""
    bomb = gzip.compress(bytes(50_000_000))
    assert len(bomb) < 250_000
    server = serve(Answer(bomb, headers={"Content-Encoding": "gzip"}))
    tracemalloc.start()
    try:
        with pytest.raises(BrokenContract, match="more than"):
            ask(opened(server.url, limits={"body": 1_000_000}))
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


# The breaker


def test_repeated_outages_open_the_breaker_and_one_call_closes_it(serve, opened):
    """A host that keeps failing is left alone, tried once, and used again when that goes well."""
    server = serve(*[Answer(status=500)] * 9, Answer())
    circuit = Breaker("x")._circuit
    circuit.reset_timeout = 0.2
    transport = opened(server.url, breaker=circuit)
    for _ in range(2):
        with pytest.raises(RetrySoon):
            ask(transport)
    assert len(server.heard) == 8
    with pytest.raises(CircuitOpen, match="left alone"):
        ask(transport)
    assert len(server.heard) == 8
    time.sleep(0.25)
    with pytest.raises(RetrySoon) as raised:  # half open: one call goes out, fails, and opens it again
        ask(transport)
    assert len(server.heard) == 9
    assert KEY not in everything_said(raised.value)
    time.sleep(0.25)
    ask(transport)
    ask(transport)
    assert len(server.heard) == 11


def test_limits_are_no_outage(serve, opened):
    """Being told to slow down, however often, does not open the breaker."""
    server = serve(Answer(status=429, headers={"Retry-After": "1"}))
    transport = opened(server.url)
    for _ in range(5):
        with pytest.raises(BackOff):
            ask(transport)
    assert len(server.heard) == 20


def test_a_dead_key_is_no_outage(serve, opened):
    """The host is well, whatever it thinks of the key."""
    server = serve(Answer(status=401))
    transport = opened(server.url)
    for _ in range(10):
        with pytest.raises(StopKey):
            ask(transport)
    assert len(server.heard) == 10


def test_our_own_time_being_up_is_no_outage(serve, opened):
    """Runs that end in the middle of slow answers say nothing against the host."""
    server = serve(*[drip(0.01)] * 10, Answer())
    transport = opened(server.url)
    for _ in range(10):
        with pytest.raises(OutOfTime):
            ask(transport, within=0.03)
    ask(transport)


def test_a_closed_host_is_left_alone_at_once_for_as_long_as_it_said(serve, opened, naps):
    """An address that is refused altogether asks nothing more for the whole time, with any key."""
    server = serve(Answer(status=403), Answer())
    circuit = Breaker("x")._circuit
    circuit.reset_timeout = 0
    transport = opened(server.url, breaker=circuit)
    with pytest.raises(BackOff):
        ask(transport)
    naps.ahead += 299
    with pytest.raises(CircuitOpen, match="closed to us"):
        ask(transport, auth=Auth("another"))
    assert len(server.heard) == 1
    naps.ahead += 1.5
    ask(transport)
    assert len(server.heard) == 2


def test_a_host_that_was_closed_is_tried_with_one_call(serve, opened, naps):
    """After the time that it said, a single failure is enough to leave it alone again."""
    server = serve(Answer(status=403), Answer(status=500))
    circuit = Breaker("x")._circuit
    circuit.reset_timeout = 0.2
    transport = opened(server.url, breaker=circuit)
    with pytest.raises(BackOff):
        ask(transport)
    naps.ahead += 301
    time.sleep(0.25)
    with pytest.raises(RetrySoon):
        ask(transport)
    assert len(server.heard) == 2
    assert circuit.current_state == "open"


# Where it goes


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/v2/x",
        "//evil.example/x",
        "http://127.0.0.1:1/x",
        "http://127.0.0.1/x",
        "https://127.0.0.1:PORT/v2/x",
        "http://127.0.0.1:PORT@evil.example/x",
        "http://user:pw@127.0.0.1:PORT/v2/x",
        "http://@127.0.0.1:PORT/v2/x",
        "http://127.0.0.1:PORT.evil.example/x",
        "http://127.0.0.1:PORT\\@evil.example/x",
        "http://evil.example\\@127.0.0.1:PORT/x",
        "\\\\evil.example\\x",
        "/\\evil.example/x",
        "ht\ntp://evil.example/x",
        "/v2/../../x",
        "http://127.0.0.1:PORT/v2/../x",
        "http://127.0.0.1:PORT/v2/%2e%2E/x",
        "http://[::1",
        "http://127.0.0.1:99999999/x",
        "http://127.0.0.1:port/x",
        "ftp://127.0.0.1:PORT/x",
        "file:///etc/passwd",
        "javascript:alert(1)",
    ],
)
def test_a_link_that_leads_elsewhere_is_refused(serve, opened, link):
    """No request goes out to another host, port or scheme, whatever tricks the link plays."""
    server = serve()
    with pytest.raises(BrokenContract, match="not followed"):
        ask(opened(server.url), link.replace("PORT", str(server.server_port)))
    assert server.heard == []


def test_links_on_the_same_host_are_followed(serve, opened):
    """Whole URLs, paths, and another spelling of the same host are the same place."""
    transport = opened("https://api.example/v2")
    assert transport.resolve("/a?b=c") == "https://api.example/v2/a?b=c"
    assert transport.resolve("https://api.example/v2/a?b=c") == "https://api.example/v2/a?b=c"
    assert transport.resolve("https://API.example:443/v2/a").lower() == "https://api.example:443/v2/a"
    assert transport.resolve("/a/..b/c...d") == "https://api.example/v2/a/..b/c...d"


def test_a_redirect_is_refused_and_the_key_stays(serve, opened):
    """A redirect is not followed, to no host, and is not tried again."""
    thief = serve()
    server = serve(redirect(f"{thief.url}/steal"))
    with pytest.raises(BrokenContract, match="redirect"):
        ask(opened(server.url))
    assert thief.heard == []
    assert len(server.heard) == 1


# What is never said


@pytest.mark.parametrize("key", [f"{KEY}\nX: y", f"{KEY}\u4e2d", f"{KEY}\ud800"])
def test_an_impossible_key_is_not_shown(serve, opened, key):
    """A key that no header can hold ends in an error that does not repeat it."""
    server = serve()
    with pytest.raises(FixConfiguration) as raised:
        ask(opened(server.url), auth=Auth(key))
    assert KEY not in everything_said(raised.value)
    assert server.heard == []


def test_no_error_holds_the_key(serve, opened):
    """Neither text nor cause nor context of any failure has the key, nor the request that had it."""
    cases = [cut(b"x", 9), reset(), silence(), redirect("/y"), Answer(status=500), Answer(status=429)]
    for answer in cases:
        server = serve(answer)
        with pytest.raises(CollectError) as raised:
            ask(opened(server.url, limits={"read": 0.05, "attempts": 2}))
        said = everything_said(raised.value)
        assert KEY not in said
        assert not re.search("PreparedRequest|Authorization", said)
    with pytest.raises(CollectError) as raised:
        ask(opened(f"http://127.0.0.1:{closed_port()}"))
    assert raised.value.__cause__ is raised.value.__context__ is None


# Threads


def test_threads_take_turns(serve, opened):
    """Threads that share a transport never have two requests under way, and share one connection."""
    under_way, most, lock = [0], [0], threading.Lock()

    def act(handler):
        with lock:
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
        time.sleep(0.005)
        with lock:
            under_way[0] -= 1
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    server = serve(Answer(act=act))
    transport = opened(server.url)
    bodies = []
    threads = [
        threading.Thread(target=lambda: bodies.extend(ask(transport).body for _ in range(5)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert bodies == [b"ok"] * 40
    assert most == [1]
    assert len(server.connections) == 1


def test_a_thread_waits_for_its_turn_no_longer_than_it_has(serve, opened):
    """A slow call of one thread does not hold another one beyond its own deadline."""
    server = serve(silence())
    transport = opened(server.url, limits={"read": 5, "attempts": 1})

    def first():
        with pytest.raises(RetrySoon):
            ask(transport)

    thread = threading.Thread(target=first)
    thread.start()
    while not server.heard:
        time.sleep(0.001)
    began = time.monotonic()
    with pytest.raises(OutOfTime):
        ask(transport, within=0.1)
    assert time.monotonic() - began < 1
    server.gate.set()
    thread.join()


def test_parameters_are_set_and_others_kept():
    """Those of the same name are replaced, all of them; others stay, also when given twice."""
    url = "https://h/p?a=1&b=&c=x%26y&c=2&t=1&t=2"
    assert with_params(url, {"t": 3, "d": True}) == "https://h/p?a=1&b=&c=x%26y&c=2&t=3&d=true"
    assert with_params("/p", {}) == "/p"

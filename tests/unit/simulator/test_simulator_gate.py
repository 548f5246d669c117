"""Keys, budget and cache stand before the data as they do at Torn."""

from __future__ import annotations

import hashlib
import http.client
from typing import TYPE_CHECKING, Any

import pytest

from shared.simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Callable

PATH = "/faction/crimes"


def code(reply: Any) -> int | None:
    assert reply.status == 200
    found: int | None = reply.json.get("error", {}).get("code")
    return found


def test_a_key_is_needed(clock: Any, ask: Callable[..., Any]) -> None:
    """No key is error 1; one of the wrong form error 2; any 16 letters and digits are good."""
    with Simulator(clock=clock) as sim:
        assert ask(sim, PATH, key="").json == {"error": {"code": 1, "error": "Key is empty"}}
        assert ask(sim, PATH, key="short").json == {"error": {"code": 2, "error": "Incorrect key"}}
        assert code(ask(sim, PATH, key="abcdefgh-2345678")) == 2
        assert code(ask(sim, PATH, key="abcdefgh12345678")) is None
        assert code(ask(sim, PATH)) is None


def test_only_the_keys_given_are_good(clock: Any, ask: Callable[..., Any]) -> None:
    """With a list of keys any other is error 2."""
    with Simulator(clock=clock, keys={"AAAAbbbbCCCCdddd"}) as sim:
        assert sim.key == "AAAAbbbbCCCCdddd"
        assert code(ask(sim, PATH)) is None
        assert code(ask(sim, PATH, key="abcdefgh12345678")) == 2


@pytest.mark.parametrize("header", ["", "abcdefgh12345678"])
def test_a_key_in_the_url_is_refused_and_shown(clock: Any, ask: Callable[..., Any], header: str) -> None:
    """A key in the URL is error 2 even beside a good header, is noted in the log, and its text is nowhere."""
    with Simulator(clock=clock) as sim:
        assert code(ask(sim, f"{PATH}?key=ZZZZyyyyXXXXwwww&limit=3", key=header)) == 2
        (request,) = sim.requests
        assert request.key_in_url
        assert request.query == "limit=3"
        assert "ZZZZyyyyXXXXwwww" not in repr(sim.requests)
        assert b"ZZZZyyyyXXXXwwww" not in ask(sim, "/__log__").body


def test_the_log_tells_the_key_by_its_fingerprint(clock: Any, ask: Callable[..., Any]) -> None:
    """Method, path, query, status, error and the key's first 8 hex of SHA-256; the key itself never."""
    with Simulator(clock=clock) as sim:
        ask(sim, f"{PATH}?limit=2", key="abcdefgh12345678")
        ask(sim, PATH, key="")
        (request, keyless) = ask(sim, "/__log__").json["requests"]
        assert request | {"at": 0, "user_agent": None} == {
            "at": 0,
            "method": "GET",
            "path": "/v2/faction/crimes",
            "query": "limit=2",
            "key_in_url": False,
            "key": hashlib.sha256(b"abcdefgh12345678").hexdigest()[:8],
            "status": 200,
            "error": None,
            "cached": False,
            "fault": None,
            "user_agent": None,
        }
        assert (keyless["key"], keyless["error"]) == (None, 1)
        assert b"abcdefgh12345678" not in ask(sim, "/__log__").body
        assert len(sim.requests) == 2


def test_the_budget_is_rolling_and_per_key(clock: Any, ask: Callable[..., Any]) -> None:
    """The call after the last is error 5, until the first is a minute old; another key has its own budget."""
    with Simulator(clock=clock, calls_per_minute=3, cache_seconds=0) as sim:
        for _ in range(3):
            assert code(ask(sim, PATH)) is None
            clock.now += 10
        assert ask(sim, PATH).json == {"error": {"code": 5, "error": "Too many requests"}}
        assert code(ask(sim, PATH, key="abcdefgh12345678")) is None
        clock.now += 29
        assert code(ask(sim, PATH)) == 5
        clock.now += 1
        assert code(ask(sim, PATH)) is None
        assert code(ask(sim, PATH)) == 5


def test_the_default_budget_is_a_hundred(clock: Any, ask: Callable[..., Any]) -> None:
    """A hundred calls a minute, cached ones too."""
    with Simulator(clock=clock) as sim:
        assert [code(ask(sim, "/faction/none")) for _ in range(101)] == [4] * 100 + [5]


def test_page_two_without_a_fresh_timestamp_is_page_one_again(clock: Any, ask: Callable[..., Any]) -> None:
    """The cache looks at path and key alone: offset, from, cat get no new answer for 29 seconds."""
    with Simulator(clock=clock) as sim:
        first = ask(sim, f"{PATH}?limit=10&timestamp=1").body
        for query in ("limit=10&offset=10", "from=1", "cat=expired", "limit=10&offset=10&timestamp=1"):
            assert ask(sim, f"{PATH}?{query}").body == first
        clock.now += 28.9
        assert ask(sim, f"{PATH}?limit=10&offset=10").body == first
        clock.now += 0.2
        assert ask(sim, f"{PATH}?limit=10&offset=10").body != first
        assert [request.cached for request in sim.requests] == [False, True, True, True, True, True, False]


def test_a_fresh_timestamp_gets_a_new_answer(clock: Any, ask: Callable[..., Any]) -> None:
    """Only a timestamp not seen in these 29 seconds does; what it got is what others get from then on."""
    with Simulator(clock=clock) as sim:
        one = ask(sim, f"{PATH}?limit=10&timestamp=1").json["crimes"]
        two = ask(sim, f"{PATH}?limit=10&offset=10&timestamp=2").json["crimes"]
        assert not {crime["id"] for crime in one} & {crime["id"] for crime in two}
        assert ask(sim, f"{PATH}?limit=10&timestamp=1").json["crimes"] == two
        assert ask(sim, PATH).json["crimes"] == two


def test_the_cache_keeps_paths_and_keys_apart(clock: Any, ask: Callable[..., Any]) -> None:
    """Another path or another key has its own answer; a refusal is not kept."""
    with Simulator(clock=clock) as sim:
        assert code(ask(sim, f"{PATH}?limit=1000")) == 4
        first = ask(sim, f"{PATH}?limit=5").json
        assert len(first["crimes"]) == 5
        assert len(ask(sim, f"{PATH}?limit=6", key="abcdefgh12345678").json["crimes"]) == 6
        assert "items" in ask(sim, "/torn/items").json


def test_a_connection_is_kept_alive(clock: Any) -> None:
    """Several requests go over one connection, and stopping the server closes it."""
    with Simulator(clock=clock) as sim:
        connection = http.client.HTTPConnection(sim.address, timeout=5)
        for _ in range(3):
            connection.request("GET", "/v2/torn/items", headers={"Authorization": f"ApiKey {sim.key}"})
            with connection.getresponse() as response:
                assert response.version == 11
                assert not response.will_close
                response.read()
        kept = connection.sock
        assert kept is not None
    assert kept.recv(1) == b""
    connection.close()


def test_a_server_stops_twice_and_starts_again(clock: Any, ask: Callable[..., Any]) -> None:
    """Stopping is idempotent; the same simulator can serve again."""
    sim = Simulator(clock=clock)
    for _ in range(2):
        with sim:
            assert code(ask(sim, PATH)) is None
        sim.stop()
    url = sim.start().url
    sim.stop()
    with pytest.raises(ConnectionRefusedError):
        ask(sim, f"{url}{PATH}")

"""Each fault does over a real socket what its name says, as often as planned, and nothing else."""

from __future__ import annotations

import http.client
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from shared.simulator import FAULTS, FOREVER, Fault, Faults, Simulator
from shared.simulator.refusals import TEXTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CRIMES = "/faction/crimes?limit=30&cat=completed"


@pytest.fixture
def sim(clock: Callable[[], float]) -> Iterator[Simulator]:
    with Simulator(clock=clock, cache_seconds=0, calls_per_minute=10_000) as running:
        yield running


def struck(sim: Simulator, ask: Callable[..., Any], name: str, path: str = CRIMES, **options: Any) -> Any:
    """Ask once with the fault and once more: the second answer must be the true one again."""
    truth = ask(sim, path)
    sim.faults.add("*", Fault.named(name, **options), times=1)
    try:
        reply = ask(sim, path)
    finally:
        assert ask(sim, path).body == truth.body
        assert [request.fault for request in sim.requests[-2:]] == [name, None]
    return reply


@pytest.mark.parametrize("code", TEXTS)
def test_errors_come_in_both_forms(sim: Simulator, ask: Callable[..., Any], code: int) -> None:
    """``error-N`` is Torn's nested form, ``flat-N`` the flat one; both with HTTP 200."""
    inner = {"code": code, "error": TEXTS[code]}
    nested, flat = struck(sim, ask, f"error-{code}"), struck(sim, ask, f"flat-{code}")
    assert (nested.status, nested.json) == (200, {"error": inner})
    assert (flat.status, flat.json) == (200, inner)
    assert Fault.error(code).name == f"error-{code}"
    assert Fault.error(code, flat=True).name == f"flat-{code}"


@pytest.mark.parametrize("code", [500, 503])
def test_http_errors(sim: Simulator, ask: Callable[..., Any], code: int) -> None:
    """``http-500`` and ``http-503`` have that status and no JSON."""
    reply = struck(sim, ask, f"http-{code}")
    assert reply.status == code
    assert "html" in reply.headers["Content-Type"]


def test_http_429_says_how_long(sim: Simulator, ask: Callable[..., Any]) -> None:
    """``http-429`` carries Retry-After: one second, or what is wanted."""
    assert struck(sim, ask, "http-429").headers["Retry-After"] == "1"
    reply = struck(sim, ask, "http-429", amount=30)
    assert (reply.status, reply.headers["Retry-After"]) == (429, "30")


def test_html_403_is_a_challenge(sim: Simulator, ask: Callable[..., Any]) -> None:
    """``html-403`` is Cloudflare's page."""
    reply = struck(sim, ask, "html-403")
    assert reply.status == 403
    assert reply.headers["Content-Type"].startswith("text/html")
    assert b"Just a moment" in reply.body


def test_redirect_leads_to_another_host(sim: Simulator, ask: Callable[..., Any]) -> None:
    """``redirect`` is a 302 to a host that is not ours."""
    reply = struck(sim, ask, "redirect")
    assert reply.status == 302
    assert urlsplit(reply.headers["Location"]).hostname == "evil.example"


def test_timeout_never_answers(sim: Simulator, ask: Callable[..., Any]) -> None:
    """``timeout`` keeps the client waiting; the client gives up first."""
    sim.faults.add("crimes", "timeout")
    with pytest.raises(TimeoutError):
        ask(sim, CRIMES, timeout=0.2)
    assert sim.requests[-1].fault == "timeout"


def test_timeout_hangs_up_in_the_end(sim: Simulator, ask: Callable[..., Any]) -> None:
    """With an amount, ``timeout`` closes the connection after so many seconds."""
    began = time.monotonic()
    with pytest.raises(http.client.RemoteDisconnected):
        struck(sim, ask, "timeout", amount=0.2)
    assert 0.2 <= time.monotonic() - began < 2


def test_stopping_ends_a_timeout(clock: Any) -> None:
    """A server that is being silent stops at once when told to."""
    sim = Simulator(clock=clock).start()
    sim.faults.add("*", "timeout")
    connection = http.client.HTTPConnection(sim.address, timeout=5)
    try:
        connection.request("GET", "/v2/torn/items", headers={"Authorization": f"ApiKey {sim.key}"})
        while not sim.requests:
            time.sleep(0.005)
        began = time.monotonic()
        sim.stop()
        assert time.monotonic() - began < 2
        with pytest.raises(http.client.RemoteDisconnected):
            connection.getresponse()
    finally:
        connection.close()


def test_slow_drips(sim: Simulator, ask: Callable[..., Any]) -> None:
    """``slow`` sends the true body, whole, over so many seconds."""
    truth = ask(sim, CRIMES).body
    began = time.monotonic()
    assert struck(sim, ask, "slow", amount=0.3).body == truth
    assert 0.25 <= time.monotonic() - began < 3


def test_cut_ends_in_the_middle(sim: Simulator, ask: Callable[..., Any]) -> None:
    """``cut`` promises more than it sends."""
    with pytest.raises(http.client.IncompleteRead) as caught:
        struck(sim, ask, "cut")
    truth = ask(sim, CRIMES).body
    assert caught.value.partial == truth[: len(truth) // 2]
    assert caught.value.expected


def test_reset_sends_nothing(sim: Simulator, ask: Callable[..., Any]) -> None:
    """``reset`` breaks the connection before the first byte."""
    with pytest.raises(ConnectionResetError) as caught:
        struck(sim, ask, "reset")
    # An orderly end without an answer would be a RemoteDisconnected, which is a ConnectionResetError too.
    assert caught.type is ConnectionResetError


def test_truncated_is_complete_http_and_broken_json(sim: Simulator, ask: Callable[..., Any]) -> None:
    """``truncated`` arrives whole and cannot be read."""
    reply = struck(sim, ask, "truncated")
    assert reply.status == 200
    assert int(reply.headers["Content-Length"]) == len(reply.body)
    assert ask(sim, CRIMES).body.startswith(reply.body)
    with pytest.raises(json.JSONDecodeError):
        _ = reply.json


def test_non_json_and_empty_body(sim: Simulator, ask: Callable[..., Any]) -> None:
    """Both have HTTP 200; one has words, the other nothing."""
    words, nothing = struck(sim, ask, "non-json"), struck(sim, ask, "empty-body")
    assert (words.status, nothing.status, nothing.body) == (200, 200, b"")
    with pytest.raises(json.JSONDecodeError):
        _ = words.json


def test_huge_body_does_not_announce_itself(sim: Simulator, ask: Callable[..., Any]) -> None:
    """``huge-body`` is valid JSON, larger than the amount of megabytes, without a length in the headers."""
    truth = ask(sim, CRIMES).json
    reply = struck(sim, ask, "huge-body", amount=3)
    assert len(reply.body) > 3 << 20
    assert "Content-Length" not in reply.headers
    assert reply.json == truth
    assert FAULTS["huge-body"].amount == 64


def changed(
    sim: Simulator, ask: Callable[..., Any], name: str, path: str = CRIMES, records: str = "crimes"
) -> Any:
    """Give the records that a fault changed, before and after, as (place, before, after)."""
    truth, spoiled = ask(sim, path).json[records], struck(sim, ask, name, path).json[records]
    assert len(truth) == len(spoiled)
    return [(n, old, new) for n, (old, new) in enumerate(zip(truth, spoiled, strict=True)) if old != new]


def test_wrong_type_spoils_one_record(sim: Simulator, ask: Callable[..., Any]) -> None:
    """``wrong-type`` makes the second record's difficulty a text."""
    ((place, old, new),) = changed(sim, ask, "wrong-type")
    assert place == 1
    assert new == {**old, "difficulty": str(old["difficulty"])}


def test_wrong_type_id_spoils_one_record(sim: Simulator, ask: Callable[..., Any]) -> None:
    """``wrong-type-id`` gives the second record's id a fraction."""
    ((place, old, new),) = changed(sim, ask, "wrong-type-id")
    assert place == 1
    assert new == {**old, "id": old["id"] + 0.5}


def test_wrong_type_nested_spoils_one_record(sim: Simulator, ask: Callable[..., Any]) -> None:
    """``wrong-type-nested`` makes one payout's percentage a text."""
    ((_, old, new),) = changed(sim, ask, "wrong-type-nested")
    payout = old["rewards"]["payout"]
    assert new["rewards"]["payout"] == {**payout, "percentage": str(payout["percentage"])}
    assert {**new, "rewards": None} == {**old, "rewards": None}


def test_surrogate_spoils_one_name(sim: Simulator, ask: Callable[..., Any]) -> None:
    r"""``surrogate`` puts a lone \ud800 into the second record's name, as an escape in clean bytes."""
    ((place, old, new),) = changed(sim, ask, "surrogate")
    assert place == 1
    assert new == {**old, "name": f"{old['name']} \ud800"}
    assert rb"\ud800" in struck(sim, ask, "surrogate").body


def test_huge_int_exceeds_64_bits(sim: Simulator, ask: Callable[..., Any]) -> None:
    """``huge-int`` makes the second record's previous_crime_id 2**63."""
    ((place, old, new),) = changed(sim, ask, "huge-int")
    assert place == 1
    assert new == {**old, "previous_crime_id": 2**63}


def test_missing_key_takes_one_id(sim: Simulator, ask: Callable[..., Any]) -> None:
    """``missing-key`` takes the second record's id."""
    ((place, old, new),) = changed(sim, ask, "missing-key")
    assert place == 1
    assert new == {name: value for name, value in old.items() if name != "id"}


def test_unknown_field_adds_at_three_depths(sim: Simulator, ask: Callable[..., Any]) -> None:
    """``unknown-field`` adds at the top, in the second record and in its users; it changes nothing else."""
    ((place, old, new),) = changed(sim, ask, "unknown-field")
    assert place == 1
    assert set(new) - set(old) == {"heat"}
    assert all(slot["user"].pop("reputation") == 12 for slot in new["slots"])
    assert {name: value for name, value in new.items() if name != "heat"} == old
    assert set(struck(sim, ask, "unknown-field").json) == {"crimes", "_metadata", "api_notice"}


def test_null_list_spoils_two_records(sim: Simulator, ask: Callable[..., Any]) -> None:
    """``null-list`` nulls the second record's slots and takes another's rewards.items."""
    one, other = sorted(changed(sim, ask, "null-list"), key=lambda change: change[2]["slots"] is not None)
    assert one[0] == 1
    assert one[2] == {**one[1], "slots": None}
    assert "items" in other[1]["rewards"]
    assert "items" not in other[2]["rewards"]


@pytest.mark.parametrize(
    "name", ["wrong-type", "wrong-type-id", "wrong-type-nested", "surrogate", "huge-int", "missing-key"]
)
def test_items_are_spoiled_too(sim: Simulator, ask: Callable[..., Any], name: str) -> None:
    """Faults of records work on any page of records."""
    ((place, _, _),) = changed(sim, ask, name, "/torn/items", "items")
    assert place == 1


def test_a_single_record_is_spoiled(sim: Simulator, ask: Callable[..., Any]) -> None:
    """A page of one record has no second: its only one is spoiled."""
    ((place, _, _),) = changed(sim, ask, "wrong-type", "/faction/crimes?limit=1")
    assert place == 0


def test_other_host_changes_the_link_alone(sim: Simulator, ask: Callable[..., Any]) -> None:
    """``other-host`` leads the next link to evil.example."""
    truth, reply = ask(sim, CRIMES).json, struck(sim, ask, "other-host").json
    assert urlsplit(reply["_metadata"]["links"]["next"]).hostname == "evil.example"
    assert reply["crimes"] == truth["crimes"]


def walk(sim: Simulator, ask: Callable[..., Any], steps: int) -> list[list[int]]:
    found: list[list[int]] = []
    link = "/faction/crimes?limit=100"
    while link and len(found) < steps:
        body = ask(sim, link).json
        found.append([crime["id"] for crime in body["crimes"]])
        link = body["_metadata"]["links"]["next"]
    return found


def test_endless_same_repeats_the_first_page(sim: Simulator, ask: Callable[..., Any]) -> None:
    """``endless-same`` never ends and never says anything new; it strikes without being renewed."""
    truth = walk(sim, ask, 12)
    sim.faults.add("crimes", "endless-same")
    assert walk(sim, ask, 12) == [truth[0]] * 12


def test_endless_new_never_repeats(sim: Simulator, ask: Callable[..., Any]) -> None:
    """``endless-new`` never ends and every id is new."""
    assert len(walk(sim, ask, 12)) == 4
    sim.faults.add("crimes", "endless-new")
    pages = walk(sim, ask, 12)
    ids = [number for page in pages for number in page]
    assert (len(pages), len(ids), len(set(ids))) == (12, 1200, 1200)


def test_repeat_page_shows_its_predecessor(sim: Simulator, ask: Callable[..., Any]) -> None:
    """``repeat-page`` leaves the links alone and shows each page's predecessor."""
    one, two, three, four = walk(sim, ask, 12)
    sim.faults.add("crimes", "repeat-page")
    assert walk(sim, ask, 12) == [one, one, two, three]
    assert four not in walk(sim, ask, 12)


def test_every_fault_is_tried_here() -> None:
    """A fault added to the table without a test fails this one."""
    named = {name for name in FAULTS if not name.startswith(("error-", "flat-"))}
    source = Path(__file__).read_text(encoding="utf-8")
    missing = {name for name in named if f'"{name}"' not in source and f"``{name}``" not in source}
    assert not missing
    assert {f"{form}-{code}" for form in ("error", "flat") for code in range(31)} == set(FAULTS) - named
    assert all(name == fault.name and fault.description for name, fault in FAULTS.items())


def test_faults_wait_for_their_path_and_their_turn(sim: Simulator, ask: Callable[..., Any]) -> None:
    """``after`` lets requests pass, ``times`` ends it, other paths are left alone."""
    sim.faults.add("crimes", Fault.error(17), times=2, after=1)
    assert "items" in ask(sim, "/torn/items").json
    codes = [ask(sim, CRIMES).json.get("error", {}).get("code") for _ in range(4)]
    assert codes == [None, 17, 17, None]
    assert sim.faults.waiting() == []


def test_the_first_fault_added_strikes_first(sim: Simulator, ask: Callable[..., Any]) -> None:
    """Faults for the same path strike one at a time."""
    sim.faults.add("crimes", "error-5")
    sim.faults.add("*", "error-17")
    assert [ask(sim, CRIMES).json.get("error", {}).get("code") for _ in range(3)] == [5, 17, None]


def test_a_refused_key_uses_up_no_fault(sim: Simulator, ask: Callable[..., Any]) -> None:
    """Faults wait for requests that get past the door."""
    sim.faults.add("*", "error-17")
    assert ask(sim, CRIMES, key="").json["error"]["code"] == 1
    assert ask(sim, CRIMES).json["error"]["code"] == 17


@pytest.mark.parametrize(
    ("text", "plan"),
    [
        ("error-5", {"fault": "error-5", "where": "*", "times": 1, "after": 0}),
        ("error-5:3", {"fault": "error-5", "where": "*", "times": 3, "after": 0}),
        ("http-429=30@crimes:3:2", {"fault": "http-429", "where": "crimes", "times": 3, "after": 2}),
        ("cut@items:*", {"fault": "cut", "where": "items", "times": FOREVER, "after": 0}),
        ("endless-new", {"fault": "endless-new", "where": "*", "times": FOREVER, "after": 0}),
    ],
)
def test_faults_are_written_as_texts(text: str, plan: dict[str, Any]) -> None:
    """NAME[=AMOUNT][@WHERE][:TIMES[:AFTER]]."""
    faults = Faults()
    faults.add_text(text)
    assert faults.waiting() == [plan]


@pytest.mark.parametrize(
    "text", ["", "nonsense", "error-5:", "error-5:x", "error-5:1:2:3", "error-31", "cut=x", "cut=1.2.3"]
)
def test_texts_that_mean_nothing_are_refused(text: str) -> None:
    """A mistake on the command line is told, not ignored."""
    faults = Faults()
    with pytest.raises(ValueError, match=r".+"):
        faults.add_text(text)
    assert faults.waiting() == []


def test_faults_are_planned_over_http(sim: Simulator, ask: Callable[..., Any]) -> None:
    """POST plans, GET shows, DELETE forgets; none of them needs a key or is in the log."""
    wish = {"fault": "http-429", "where": "crimes", "times": 2, "after": 1, "amount": 9}
    reply = ask(sim, "/__faults__", method="POST", body=json.dumps(wish).encode(), key="")
    assert reply.json["waiting"] == [{"fault": "http-429", "where": "crimes", "times": 2, "after": 1}]
    ask(sim, "/__faults__", method="POST", body=b'{"text": "cut@items:*"}')
    assert [plan["fault"] for plan in ask(sim, "/__faults__").json["waiting"]] == ["http-429", "cut"]
    assert set(ask(sim, "/__faults__").json["known"]) == set(FAULTS)
    assert ask(sim, CRIMES).status == 200
    assert ask(sim, CRIMES).headers["Retry-After"] == "9"
    assert ask(sim, "/__faults__", method="DELETE").json == {"waiting": []}
    assert ask(sim, CRIMES).status == 200
    assert [request.path for request in sim.requests] == ["/v2/faction/crimes"] * 3


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"no json", b"{}", b'{"fault": "nonsense"}', b'{"text": "nonsense"}']
)
def test_wishes_that_mean_nothing_are_refused(sim: Simulator, ask: Callable[..., Any], body: bytes) -> None:
    """A fault that does not exist is HTTP 400 with the reason."""
    reply = ask(sim, "/__faults__", method="POST", body=body)
    assert reply.status == 400
    assert reply.json["error"]
    assert sim.faults.waiting() == []

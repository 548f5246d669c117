"""Crimes are paged, filtered and ordered as the API's documentation says."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from shared.simulator import FactionSize, Simulator
from shared.simulator.paging import Ask, links

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STATUSES = {
    "all": {"Recruiting", "Planning", "Successful", "Failure", "Expired"},
    "available": {"Recruiting", "Planning"},
    "completed": {"Successful", "Failure"},
    "expired": {"Expired"},
    "failure": {"Failure"},
    "planning": {"Planning"},
    "recruiting": {"Recruiting"},
    "successful": {"Successful"},
}
FIELDS = {
    "all": "created_at",
    "available": "created_at",
    "completed": "executed_at",
    "expired": "expired_at",
    "failure": "executed_at",
    "planning": "ready_at",
    "recruiting": "expired_at",
    "successful": "executed_at",
}


@pytest.fixture
def sim(clock: Callable[[], float]) -> Iterator[Simulator]:
    with Simulator(clock=clock, calls_per_minute=10_000, cache_seconds=0) as running:
        yield running


def walk(sim: Simulator, ask: Callable[..., Any], path: str) -> list[list[dict[str, Any]]]:
    pages, link = [], path
    while link:
        body = ask(sim, link).json
        pages.append(body["crimes"])
        link = body["_metadata"]["links"]["next"]
    return pages


def flat(pages: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    return [crime for page in pages for crime in page]


@pytest.mark.parametrize("sort", ["", "&sort=ASC", "&sort=DESC"])
@pytest.mark.parametrize("category", STATUSES)
def test_walking_the_pages_shows_every_crime_once_in_order(
    sim: Simulator, ask: Callable[..., Any], category: str, sort: str
) -> None:
    """All pages together hold exactly the category's crimes, in its order, newest first by default."""
    pages = walk(sim, ask, f"/faction/crimes?cat={category}&limit=37{sort}")
    crimes = flat(pages)
    everything = flat(walk(sim, ask, "/faction/crimes?limit=100"))
    wanted = {crime["id"] for crime in everything if crime["status"] in STATUSES[category]}
    ids = [crime["id"] for crime in crimes]
    assert len(everything) == 320
    assert wanted
    assert len(ids) == len(set(ids))
    assert set(ids) == wanted
    assert all(len(page) == 37 for page in pages[:-1])
    times = [crime[FIELDS[category]] for crime in crimes]
    assert times == sorted(times, reverse=sort != "&sort=ASC")


@pytest.mark.parametrize("category", ["all", "completed", "recruiting", "planning"])
def test_from_is_exclusive_and_to_is_inclusive(
    sim: Simulator, ask: Callable[..., Any], category: str
) -> None:
    """A range between two crimes' own times holds the later and not the earlier one."""
    field = FIELDS[category]
    crimes = flat(walk(sim, ask, f"/faction/crimes?cat={category}&sort=ASC&limit=100"))
    low, high = crimes[1][field], crimes[-2][field]
    found = flat(walk(sim, ask, f"/faction/crimes?cat={category}&sort=ASC&limit=100&from={low}&to={high}"))
    assert found == [crime for crime in crimes if low < crime[field] <= high]
    assert crimes[1] not in found
    assert crimes[-2] in found
    assert flat(walk(sim, ask, f"/faction/crimes?cat={category}&from={high}&to={low}")) == []


@pytest.mark.parametrize("field", ["created_at", "executed_at", "ready_at", "expired_at"])
def test_filters_choose_the_time_that_from_to_and_sort_mean(
    sim: Simulator, ask: Callable[..., Any], field: str
) -> None:
    """``filters`` says what from, to and sort mean; crimes without it are in no range and last."""
    crimes = flat(walk(sim, ask, f"/faction/crimes?filters={field}&limit=100"))
    times = [crime[field] for crime in crimes]
    known = [time for time in times if time is not None]
    assert len(crimes) == 320
    assert known == sorted(known, reverse=True)
    assert times == known + [None] * (len(times) - len(known))
    middle = known[len(known) // 2]
    found = flat(walk(sim, ask, f"/faction/crimes?filters={field}&limit=100&from={middle}"))
    assert [crime[field] for crime in found] == [time for time in known if time > middle]


def test_a_page_has_twenty_crimes_unless_told(sim: Simulator, ask: Callable[..., Any]) -> None:
    """The default limit is 20, the offset skips, the largest limit is 100."""
    assert len(ask(sim, "/faction/crimes").json["crimes"]) == 20
    first = ask(sim, "/faction/crimes?limit=100").json["crimes"]
    assert len(first) == 100
    assert ask(sim, "/faction/crimes?limit=5&offset=10").json["crimes"] == first[10:15]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("limit=101", 4),
        ("limit=0", 4),
        ("limit=many", 4),
        ("limit=²", 4),
        ("offset=-1", 4),
        ("from=2025-01-01", 4),
        ("to=99999999999999999999", 4),
        ("sort=UP", 4),
        ("filters=planning_at", 4),
        ("cat=failed", 21),
    ],
)
def test_parameters_that_do_not_fit_are_refused(
    sim: Simulator, ask: Callable[..., Any], query: str, code: int
) -> None:
    """A wrong parameter is Torn's error, with HTTP 200."""
    reply = ask(sim, f"/faction/crimes?{quote(query, safe='=')}")
    assert reply.status == 200
    assert reply.json["error"]["code"] == code


def test_links_are_whole_and_carry_the_parameters_but_no_key(sim: Simulator, ask: Callable[..., Any]) -> None:
    """Next and previous page are URLs of the host that was reached, with the request's own parameters."""
    query = "cat=completed&sort=ASC&limit=50&filters=created_at&from=1000&timestamp=77&comment=a%26b"
    first = ask(sim, f"/faction/crimes?{query}").json["_metadata"]["links"]
    assert first["prev"] is None
    second = ask(sim, first["next"]).json["_metadata"]["links"]
    for link, offset in ((first["next"], "50"), (second["prev"], "0"), (second["next"], "100")):
        assert link.startswith(f"{sim.url}/faction/crimes?")
        assert {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()} == {
            "cat": "completed",
            "sort": "ASC",
            "limit": "50",
            "filters": "created_at",
            "from": "1000",
            "timestamp": "77",
            "comment": "a&b",
            "offset": offset,
        }
        assert sim.key not in link
        assert "key" not in parse_qs(urlsplit(link).query)


def test_a_link_would_not_carry_a_key_even_if_it_were_let_in() -> None:
    """Links leave the key out themselves; that the door takes it away first is not what protects it."""
    ask = Ask(
        path="/faction/crimes", params={"key": "ZZZZyyyyXXXXwwww", "cat": "all"}, base="http://127.0.0.1/v2"
    )
    found = links(ask, offset=20, limit=20, more=True)
    assert found == {
        "next": "http://127.0.0.1/v2/faction/crimes?cat=all&limit=20&offset=40",
        "prev": "http://127.0.0.1/v2/faction/crimes?cat=all&limit=20&offset=0",
    }


def test_links_name_the_host_the_client_used(sim: Simulator, ask: Callable[..., Any]) -> None:
    """A simulator reached as "localhost" links to "localhost"."""
    url = sim.url.replace("127.0.0.1", "localhost")
    link = ask(sim, f"{url}/faction/crimes").json["_metadata"]["links"]["next"]
    assert link.startswith(f"{url}/faction/crimes?")


def test_a_page_beyond_the_end_is_empty(sim: Simulator, ask: Callable[..., Any]) -> None:
    """No crimes, no next page, a way back."""
    body = ask(sim, "/faction/crimes?offset=5000&limit=100").json
    assert body["crimes"] == []
    assert body["_metadata"]["links"]["next"] is None
    assert body["_metadata"]["links"]["prev"]


def test_an_empty_faction_has_an_empty_page(clock: Callable[[], float], ask: Callable[..., Any]) -> None:
    """A faction without crimes answers with an empty list."""
    with Simulator(clock=clock, faction=FactionSize(crimes=0)) as sim:
        assert ask(sim, "/faction/crimes").json == {
            "crimes": [],
            "_metadata": {"links": {"next": None, "prev": None}},
        }


def test_new_crimes_appear_as_the_clock_goes(sim: Simulator, ask: Callable[..., Any], clock: Any) -> None:
    """The list grows at its head."""
    before = ask(sim, "/faction/crimes?limit=100").json["crimes"]
    clock.now += 2 * 86_400
    after = ask(sim, "/faction/crimes?limit=100").json["crimes"]
    new = [crime["id"] for crime in after if crime["created_at"] > clock.now - 2 * 86_400]
    assert len(new) in {7, 8, 9}
    assert [crime["id"] for crime in after] == new + [crime["id"] for crime in before[: -len(new)]]
    assert all(newer["created_at"] > older["created_at"] for newer, older in pairwise(after))


def test_items_are_chosen_and_ordered(sim: Simulator, ask: Callable[..., Any]) -> None:
    """Items come by id, ascending by default; of a category, or by id with details."""
    ids = [item["id"] for item in ask(sim, "/torn/items").json["items"]]
    assert ids == sorted(ids)
    assert [item["id"] for item in ask(sim, "/torn/items?sort=DESC").json["items"]] == ids[::-1]
    assert {item["type"] for item in ask(sim, "/torn/items?cat=Tool").json["items"]} == {"Tool"}
    assert ask(sim, "/torn/items?cat=Nothing").json["error"]["code"] == 21
    assert [item["id"] for item in ask(sim, f"/torn/{ids[3]},{ids[0]}/items").json["items"]] == [
        ids[0],
        ids[3],
    ]
    assert ask(sim, "/torn/999999/items").json["error"]["code"] == 6


def test_paths_that_do_not_exist_are_refused(sim: Simulator, ask: Callable[..., Any]) -> None:
    """An unknown selection is error 4, an unknown section error 3; outside /v2 there is nothing."""
    assert ask(sim, "/faction/secrets").json["error"]["code"] == 4
    assert ask(sim, "/nowhere/at/all").json["error"]["code"] == 3
    assert ask(sim, "/").json["error"]["code"] == 3
    assert ask(sim, f"http://{sim.address}/v1/faction").status == 404
    assert ask(sim, "/faction/crimes", method="POST").status == 405

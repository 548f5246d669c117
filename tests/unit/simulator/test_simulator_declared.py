"""A path that only an endpoint.yaml declares is answered with a body as it declares it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import yaml

from shared.cli.hooks import derive_of
from shared.endpoint_file import find_endpoints, load_endpoint
from shared.flattening import Flattening
from shared.simulator import FAULTS, Simulator
from shared.simulator.answer import Answer
from shared.simulator.declared import Declared, declared
from shared.simulator.mischief import Exchange
from shared.simulator.paging import Ask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from shared.endpoint import Endpoint

    Make = Callable[..., Endpoint]

NOW = 1_777_308_831
BASE = "https://api.example/v2"
READ = {"type": "TIMESTAMP", "mode": "REQUIRED", "from": "$fetched_at"}
ID = {"type": "INTEGER", "mode": "REQUIRED", "from": "id"}


@pytest.fixture
def made(tmp_path: Path) -> Make:
    """Give what writes an endpoint.yaml and reads it."""

    def make(requests: dict[str, Any], tables: dict[str, Any], **more: Any) -> Endpoint:
        folder = tmp_path / "made"
        folder.mkdir(exist_ok=True)
        written = {
            "name": "made",
            "description": "Made up.",
            "source": "torn",
            "requests": requests,
            "every": "PT1H",
            "key": "torn-api-key",
            "calls_per_minute": 10,
            "tables": tables,
            **more,
        }
        file = folder / "endpoint.yaml"
        file.write_text(yaml.safe_dump(written, sort_keys=False), encoding="utf-8")
        load_endpoint.cache_clear()
        return load_endpoint(file)

    return make


def show(endpoint: Endpoint, request: str, *, seed: int = 7, now: int = NOW, **params: Any) -> dict[str, Any]:
    path = endpoint.requests[request].path
    ask = Ask(path=path, params={n.rstrip("_"): str(v) for n, v in params.items()}, base=BASE)
    return json.loads(json.dumps(Declared(endpoint, request).show(seed, ask, now)))


def pages(endpoint: Endpoint, request: str, **how: Any) -> Iterator[dict[str, Any]]:
    """Follow the links to the end."""
    params: dict[str, str] = {}
    while True:
        body = show(endpoint, request, **how, **params)
        yield body
        following = body.get("_metadata", {}).get("links", {}).get("next")
        if following is None:
            return
        assert following.startswith(BASE + endpoint.requests[request].path)
        params = dict(parse_qsl(urlsplit(following).query))


def flattened(endpoint: Endpoint, **how: Any) -> Flattening:
    """Flatten every page of every request as a run does."""
    found = Flattening(
        endpoint, {"$run_id": "r", "$account": "a", "$faction_id": 7}, derive=derive_of(endpoint)
    )
    moment = datetime.fromtimestamp(NOW, UTC)
    read = [(name, body) for name in endpoint.requests for body in pages(endpoint, name, **how)]
    for _ in found.pages((name, json.dumps(body).encode(), moment) for name, body in read):
        pass
    return found


def assert_as_declared(endpoint: Endpoint, **how: Any) -> None:
    found = flattened(endpoint, **how)
    quality = found.quality
    assert not found.rejected
    assert not found.drift
    assert not any(quality.warnings.values())
    assert not quality.duplicates
    assert [table for table in endpoint.tables if not quality.rows.get(table)] == []


@pytest.mark.parametrize("seed", [1, 7, 12_345])
@pytest.mark.parametrize("name", sorted(find_endpoints()))
def test_every_endpoint_takes_what_is_invented_for_it(name: str, seed: int) -> None:
    """Nothing rejected, new, out of range or twice, and rows in every table, at several moments."""
    endpoint = load_endpoint(find_endpoints()[name])
    for moment in (NOW, NOW + 4_321, NOW + 200 * 86_400):
        assert_as_declared(endpoint, seed=seed, now=moment)


@pytest.mark.parametrize("name", sorted(find_endpoints()))
def test_pages_have_nothing_in_common(name: str) -> None:
    """Where pages are declared there are two at least, full, and no record is on two of them."""
    endpoint = load_endpoint(find_endpoints()[name])
    for request, declared_request in endpoint.requests.items():
        found = list(pages(endpoint, request))
        if declared_request.pages == "none":
            assert len(found) == 1
            assert "_metadata" not in found[0]
            continue
        assert len(found) >= 2
        ids = [record["id"] for body in found for record in body[declared_request.records]]
        assert len(ids) == len(set(ids)) > 20


COLUMNS = {
    "text": {"type": "STRING", "from": "text"},
    "whole": {"type": "INTEGER", "from": "deep.whole", "check": {"min": 3, "max": 5}},
    "part": {"type": "FLOAT", "from": "deep.er.part", "check": {"min": -0.5, "max": 0.25}},
    "below": {"type": "INTEGER", "from": "below", "check": {"max": -7}},
    "sure": {"type": "BOOLEAN", "from": "sure"},
    "always": {"type": "BOOLEAN", "from": "always", "check": {"enum": [True]}},
    "word": {"type": "STRING", "from": "word", "check": {"enum": ["a", "b"]}},
    "again": {"type": "STRING", "from": "word", "check": {"enum": ["b", "c"]}},
    "few": {"type": "INTEGER", "from": "few", "check": {"enum": [1, 5, 9], "max": 6}},
    "at": {"type": "TIMESTAMP", "from": "at"},
    "at_ms": {"type": "TIMESTAMP", "from": "at_ms", "unit": "ms"},
    "at_iso": {"type": "TIMESTAMP", "from": "at_iso", "unit": "iso"},
    "day": {"type": "DATE", "from": "day"},
    "any": {"type": "JSON", "from": "any"},
}


def values(records: list[dict[str, Any]], path: str) -> list[Any]:
    """Give what stands at a path of those records that have something there."""
    found: list[Any] = records
    for key in path.split("."):
        found = [each.get(key) for each in found if each]
    return [each for each in found if each is not None]


def test_values_are_of_their_types_and_within_their_checks(made: Make) -> None:
    """Every type is written as declared, several checks of one place all hold, and values differ."""
    table = {"key": ["id"], "columns": {"id": ID, **COLUMNS}}
    endpoint = made({"things": {"path": "/faction/things", "records": "things"}}, {"made": table})
    things = show(endpoint, "things")["things"]
    got = {name: values(things, str(column["from"])) for name, column in COLUMNS.items()}
    assert all(len(found) > 5 for found in got.values())
    assert set(got["whole"]) == {3, 4, 5}
    assert all(isinstance(each, float) and -0.5 <= each <= 0.25 for each in got["part"])
    assert max(got["below"]) <= -7
    assert set(got["sure"]) == {True, False}
    assert set(got["always"]) == {True}
    assert set(got["word"]) == {"b"}
    assert set(got["few"]) == {1, 5}
    assert all(NOW - 100 * 86_400 < each <= NOW for each in got["at"])
    assert all(NOW - 100 * 86_400 < each / 1_000 <= NOW for each in got["at_ms"])
    assert all(datetime.fromisoformat(each).tzinfo for each in got["at_iso"])
    assert all(datetime.fromisoformat(each) for each in got["day"])
    assert len(set(got["text"])) > 10
    assert all(isinstance(each, dict) for each in got["any"])
    assert_as_declared(endpoint)


def test_what_may_be_missing_is_missing_now_and_then(made: Make) -> None:
    """A NULLABLE value is there, null and absent; a REQUIRED one is always there."""
    table = {"key": ["id"], "columns": {"id": {**ID, "from": "core.id"}, **COLUMNS}}
    endpoint = made({"things": {"path": "/faction/things", "records": "things"}}, {"made": table})
    things = [thing for seed in range(5) for thing in show(endpoint, "things", seed=seed)["things"]]
    for name in ("text", "deep", "at", "any"):
        states = {"absent" if name not in thing else thing[name] is None for thing in things}
        assert states == {"absent", True, False}
    assert all(type(thing["core"]["id"]) is int for thing in things)


@pytest.mark.parametrize(
    ("records", "key", "shape"),
    [
        ("things", ["id"], list),
        ("a.b", ["id"], list),
        ("thing", [], dict),
        ("$", ["id"], dict),
        ("a.thing", [], dict),
    ],
)
@pytest.mark.parametrize("paged", ["none", "links"])
def test_records_stand_where_they_are_declared(
    made: Make, records: str, key: list[str], shape: type, paged: str
) -> None:
    """A list with a key, or with pages; one object without; the body itself for $."""
    request = {"path": "/faction/things", "records": records, "pages": paged}
    table = {"key": key, "columns": {"id": ID, "text": COLUMNS["text"]}}
    endpoint = made({"things": request}, {"made": table})
    body: Any = show(endpoint, "things")
    for name in () if records == "$" else records.split("."):
        body = body[name]
    assert type(body) is (list if paged == "links" and records != "$" else shape)
    assert len(list(pages(endpoint, "things"))) >= (2 if paged == "links" else 1)
    assert_as_declared(endpoint)


def test_a_map_has_its_records_by_name(made: Make) -> None:
    """$key in the records' own table makes them a map, over pages too."""
    named = {"type": "STRING", "mode": "REQUIRED", "from": "$key"}
    table = {"key": ["name"], "columns": {"name": named, "text": COLUMNS["text"]}}
    request = {"path": "/faction/things", "records": "things", "pages": "links"}
    endpoint = made({"things": request}, {"made": table})
    found = [body["things"] for body in pages(endpoint, "things")]
    assert len(found) >= 2
    assert not set(found[0]) & set(found[1])
    assert_as_declared(endpoint)


INSIDE = {
    "made": {"key": ["id"], "columns": {"id": ID}},
    "rows": {"each": "rows", "key": ["id", "at"], "parent": {"id": "id"}, "columns": {
        "at": {"type": "INTEGER", "mode": "REQUIRED", "from": "$index"},
        "number": {"type": "INTEGER", "from": "number"}}},
    "words": {"each": "deep.words", "columns": {"word": {"type": "STRING", "from": "$value"}}},
    "by_name": {"each": "by_name", "key": ["name"], "columns": {
        "name": {"type": "STRING", "mode": "REQUIRED", "from": "$key"},
        "amount": {"type": "INTEGER", "from": "amount"}}},
    "counts": {"each": "counts", "columns": {
        "name": {"type": "STRING", "from": "$key"}, "count": {"type": "INTEGER", "from": "$value"}}},
    "grid": {"each": "grid", "columns": {"y": {"type": "INTEGER", "from": "$index"}}},
    "cells": {"of": "grid", "each": "$value", "columns": {"cell": {"type": "FLOAT", "from": "$value"}}},
    "own": {"each": "own", "key": ["own_id"], "columns": {"own_id": {**ID, "from": "own_id"}}},
}  # fmt: skip


def test_lists_and_maps_inside_records(made: Make) -> None:
    """Lists of objects, values and lists, maps of objects and values: up to three in each, in some none."""
    endpoint = made({"things": {"path": "/faction/things", "records": "things"}}, INSIDE)
    things = show(endpoint, "things")["things"]
    places = ("rows", "deep.words", "by_name", "counts", "grid")
    lengths = {path: {len(found) for found in values(things, path)} for path in places}
    assert all(found == {0, 1, 2, 3} for found in lengths.values())
    assert all(isinstance(word, str | None) for found in values(things, "deep.words") for word in found)
    assert all(isinstance(row, list) for found in values(things, "grid") for row in found)
    assert all(isinstance(found, dict) for found in values(things, "by_name") + values(things, "counts"))
    ids = [each["own_id"] for found in values(things, "own") for each in found]
    assert len(ids) == len(set(ids)), "a key without the parent's is one of its own over all parents"
    assert_as_declared(endpoint)


def test_a_key_of_few_values_makes_few_records(made: Make) -> None:
    """As many records as an enumeration and a range can tell apart, each once."""
    columns = {
        "kind": {**COLUMNS["word"], "mode": "REQUIRED"},
        "level": {**COLUMNS["whole"], "mode": "REQUIRED"},
        "text": COLUMNS["text"],
    }
    table = {"key": ["kind", "level"], "columns": columns}
    endpoint = made({"things": {"path": "/faction/things", "records": "things"}}, {"made": table})
    things = show(endpoint, "things")["things"]
    assert {(thing["word"], thing["deep"]["whole"]) for thing in things} == {
        (word, level) for word in "ab" for level in (3, 4, 5)
    }
    assert len(things) == 6
    assert_as_declared(endpoint)


@pytest.mark.parametrize("own", [True, False])
def test_a_key_of_few_values_makes_few_elements(made: Make, own: bool) -> None:  # noqa: FBT001
    """With its parent's key a value comes once in each list, without it once in all."""
    kind = {**COLUMNS["word"], "mode": "REQUIRED"}
    parts = {"each": "parts", "parent": {"id": "id"}, "columns": {"kind": kind}}
    tables = {
        "made": {"key": ["id"], "columns": {"id": ID}},
        "parts": {**parts, "key": ["kind"] if own else ["id", "kind"]},
    }
    endpoint = made({"things": {"path": "/faction/things", "records": "things"}}, tables)
    lists = [
        [part["word"] for part in found] for found in values(show(endpoint, "things")["things"], "parts")
    ]
    assert all(len(found) == len(set(found)) for found in lists)
    every = [word for found in lists for word in found]
    assert (len(every) == len(set(every))) is own
    assert set(every) <= {"a", "b"}
    assert_as_declared(endpoint)


def test_it_is_decided_by_seed_path_and_clock_alone(made: Make) -> None:
    """The same again is the same; another seed or path is another; with time values move and keys stay."""
    table = {"key": ["id"], "columns": {"id": ID, **COLUMNS}}
    request = {"path": "/faction/{group}/things", "params": {"group": "north"}, "records": "things"}
    endpoint = made({"things": request}, {"made": table})
    declared_ = Declared(endpoint, "things")

    def things(path: str = "/faction/north/things", seed: int = 7, now: int = NOW, **params: str) -> Any:
        return declared_.show(seed, Ask(path=path, params=params, base=BASE), now)["things"]

    first = things()
    assert things() == first
    assert things(from_="1", to="2", sort="ASC", limit="5") == first
    assert things(seed=8) != first
    other = things(path="/faction/south/things")
    assert not {thing["id"] for thing in first} & {thing["id"] for thing in other}
    soon, later = things(now=NOW + 3_600), things(now=NOW + 40 * 86_400)
    assert values(soon, "below") != values(first, "below")
    assert values(soon, "at") == values(first, "at") != values(later, "at")
    assert [thing["id"] for thing in later] == [thing["id"] for thing in first]
    assert [thing.keys() for thing in later] == [thing.keys() for thing in first]


def write(folder: Path, name: str, path: str, **request: Any) -> Path:
    """Write an endpoint of one table whose column tells whose it is."""
    (folder / name).mkdir(parents=True, exist_ok=True)
    file = folder / name / "endpoint.yaml"
    table = {"columns": {"read_at": READ, "text": {"type": "STRING", "from": f"text_of_{name}"}}}
    written = {
        "name": name, "description": "One.", "source": "torn", "every": "PT1H", "key": "torn-api-key",
        "calls_per_minute": 1, "requests": {"one": {"path": path, **request}}, "tables": {name: table},
    }  # fmt: skip
    file.write_text(yaml.safe_dump(written, sort_keys=False), encoding="utf-8")
    return file


def whose(folder: Path, path: str, **params: str) -> str | None:
    found = declared(Ask(path=path, params=params, base=BASE), folder)
    return found and found.endpoint.name


def test_the_declaration_that_says_most_of_a_request_answers_it(tmp_path: Path) -> None:
    """A path with fewer placeholders, then parameters that were sent; one segment stands for a name."""
    write(tmp_path, "any", "/faction/{id}/hunts", params={"id": "1"})
    write(tmp_path, "mine", "/faction/mine/hunts")
    write(tmp_path, "won", "/faction/mine/hunts", params={"cat": "won", "tidy": True})
    assert whose(tmp_path, "/faction/17/hunts") == "any"
    assert whose(tmp_path, "/faction/mine/hunts") == "mine"
    assert whose(tmp_path, "/faction/mine/hunts", cat="won", tidy="true") == "won"
    for path in ("/faction/hunts", "/faction/1/2/hunts", "/faction/1/hunts/2", "/faction//hunts"):
        assert whose(tmp_path, path) is None


def test_a_file_with_mistakes_is_passed_over_until_it_is_mended(tmp_path: Path) -> None:
    """It takes nothing down, and what is written while the simulator runs counts at once."""
    write(tmp_path, "good", "/faction/good")
    bad = write(tmp_path, "bad", "/faction/bad")
    right = bad.read_text(encoding="utf-8")
    bad.write_text(right.replace("every: PT1H", "evry: PT7M"), encoding="utf-8")
    assert whose(tmp_path, "/faction/good") == "good"
    assert whose(tmp_path, "/faction/bad") is None
    bad.write_text(right, encoding="utf-8")
    assert whose(tmp_path, "/faction/bad") == "bad"


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_strikes_what_is_invented(made: Make, fault: str) -> None:
    """Lists, maps, single objects and odd fields of known names: an answer comes of each."""
    odd = {
        "slots": {"type": "INTEGER", "from": "slots"},
        "rewards": {"type": "STRING", "from": "rewards"},
        "name": {"type": "STRING", "from": "name"},
    }
    text_id = {"type": "STRING", "mode": "REQUIRED", "from": "id"}
    named = {"type": "STRING", "mode": "REQUIRED", "from": "$key"}
    paged = {"path": "/faction/things", "records": "things", "pages": "links"}
    requests = {
        "listed": paged,
        "mapped": paged,
        "single": {"path": "/faction/single", "records": "$"},
        "nested": {"path": "/faction/nested", "records": "a.b", "pages": "links"},
    }
    tables = {
        "listed": {"request": "listed", "key": ["id"], "columns": {"id": text_id, **odd}},
        "mapped": {"request": "mapped", "columns": {"key": named, **odd}},
        "single": {"request": "single", "columns": odd},
        "words": {
            "request": "single",
            "each": "words",
            "columns": {"word": {"type": "STRING", "from": "$value"}},
        },
        "nested": {"request": "nested", "key": ["id"], "columns": {"id": ID, "level": COLUMNS["whole"]}},
    }
    endpoint = made(requests, tables)
    chosen = FAULTS[fault]
    for request in requests:
        params = {"offset": "1", "limit": "1"} if endpoint.requests[request].pages == "links" else {}
        ask = Ask(path=endpoint.requests[request].path, params=params, base=BASE)

        def again(changed: Ask, request: str = request) -> bytes:
            return json.dumps(Declared(endpoint, request).show(7, changed, NOW)).encode()

        true = Answer(body=again(ask))
        answer = chosen.act(chosen.amount, true, Exchange(ask=ask, again=again))
        assert isinstance(answer, Answer)
        if fault in {"endless-new", "endless-same", "other-host"} and params:
            assert json.loads(answer.body)["_metadata"]["links"]["next"]
        if fault in {"unknown-field", "lone-surrogate"}:
            assert answer.body != true.body


def test_a_path_that_nobody_declares_is_refused(ask: Callable[..., Any]) -> None:
    """What neither the world nor an endpoint.yaml has is Torn's error 4."""
    with Simulator() as sim:
        assert ask(sim, "/faction/never").json["error"]["code"] == 4

"""What an API's document says against what an endpoint declares."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
from fixtures.flat import declare
from msgspec.structs import replace

from shared.openapi import Document
from shared.openapi.request_drift import endpoint_findings

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.endpoint import Endpoint
    from shared.openapi.finding import Finding

TABLES = """
things:
  key: [id]
  ignore: [big]
  columns:
    at: {type: TIMESTAMP, mode: REQUIRED, from: $fetched_at}
    id: {type: INTEGER, mode: REQUIRED, from: id}
    price: {type: INTEGER, from: value.price}
    share: {type: FLOAT, from: value.share}
    state: {type: STRING, from: state, check: {enum: [new, old]}}
    mood: {type: STRING, from: mood, check: {enum: [good, bad], severity: reject}}
    made: {type: TIMESTAMP, from: made, unit: s}
    seen: {type: TIMESTAMP, from: seen, unit: iso}
    day: {type: DATE, from: day}
    good: {type: BOOLEAN, from: good}
    more: {type: JSON, from: more}
    made_up: {type: INTEGER, from: $derived}
    gone: {type: STRING}
parts:
  each: parts
  parent: {thing: id}
  key: [thing, place]
  columns:
    place: {type: INTEGER, mode: REQUIRED, from: $index}
    name: {type: STRING, from: maker.name}
    size: {type: INTEGER, from: size}
words:
  each: words
  columns:
    lang: {type: STRING, from: $key}
    word: {type: STRING, from: $value}
"""
REQUESTS = """
things:
  path: /things
  params: {cat: all, limit: 50, wanted: "a,b"}
  records: things
  pages: links
  window: {from: from, to: to}
"""


def scalar(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, **more}


def fields(required: bool = True, **properties: Any) -> dict[str, Any]:  # noqa: FBT001, FBT002
    return {"type": "object", "properties": properties, "required": list(properties) if required else []}


def without(schema: dict[str, Any], name: str) -> dict[str, Any]:
    """Take a field out of an object; return the field."""
    if name in schema["required"]:
        schema["required"].remove(name)
    found: dict[str, Any] = schema["properties"].pop(name)
    return found


def listed(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


THING = fields(
    id=scalar("integer"),
    value=fields(price=scalar("integer"), share=scalar("number")),
    state=scalar("string", enum=["new", "old"]),
    mood=scalar("string", enum=["good", "bad"]),
    made=scalar("integer"),
    seen=scalar("string"),
    day=scalar("string"),
    good=scalar("boolean"),
    more=fields(a=listed(scalar("string"))),
    big=fields(x=scalar("string"), y=scalar("string")),
    parts=listed(fields(maker=fields(name=scalar("string")), size=scalar("integer"))),
    words={"type": "object", "additionalProperties": scalar("string")},
)
PARAMS = [
    {"name": "cat", "in": "query", "schema": scalar("string", enum=["all", "none"])},
    {"name": "limit", "in": "query", "schema": scalar("integer", maximum=50)},
    {"name": "wanted", "in": "query", "schema": listed(scalar("string", enum=["a", "b", "c"]))},
    {"name": "from", "in": "query", "schema": scalar("integer")},
    {"name": "to", "in": "query", "schema": scalar("integer")},
    {"name": "key", "in": "query", "required": True, "schema": scalar("string")},
]
LINKS = fields(next={"anyOf": [scalar("string"), scalar("null")]})


class Api:
    """A document of one path, and the places in it that a test changes."""

    def __init__(self) -> None:
        self.params = copy.deepcopy(PARAMS)
        self.thing: dict[str, Any] = copy.deepcopy(THING)
        self.body = fields(things=listed(self.thing), _metadata=fields(links=copy.deepcopy(LINKS)))
        self.path = "/things"
        self.kind = "application/json"

    @property
    def fields(self) -> dict[str, Any]:
        found: dict[str, Any] = self.thing["properties"]
        return found

    def document(self) -> Document:
        answer = {"content": {self.kind: {"schema": self.body}}}
        get = {"parameters": self.params, "responses": {"200": answer}}
        return Document({"openapi": "3.0.0", "paths": {self.path: {"get": get}}}, "made.json")


def made() -> Endpoint:
    return declare(TABLES, requests=REQUESTS)


def findings(change: Callable[[Api], object], endpoint: Endpoint | None = None) -> list[Finding]:
    api = Api()
    change(api)
    return endpoint_findings(endpoint or made(), api.document())


def told(finding: Finding) -> tuple[str, str, str, str, str]:
    place = ".".join(part for part in (finding.table, finding.column) if part)
    return place, finding.path, finding.what, finding.was, finding.is_


def _as_it_is(_: Api) -> None:
    pass


def test_what_is_as_declared_is_not_told() -> None:
    """Every kind of column, list, map, parameter and page, and nothing to say."""
    assert findings(_as_it_is) == []


def _set(place: str, node: dict[str, Any]) -> Callable[[Api], object]:
    """Return a change of what stands at a place of a thing."""

    def change(api: Api) -> None:
        *path, last = place.split(".")
        at = api.thing
        for key in path:
            at = at["properties"][key]
        at["properties"][last] = node

    return change


def _optional(name: str) -> Callable[[Api], object]:
    return lambda api: api.thing["required"].remove(name)


NULL = scalar("null")


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (
            lambda api: without(api.fields["value"], "price"),
            ("things.price", "things[].value.price", "the source is gone", "INTEGER", ""),
        ),
        (
            lambda api: without(api.fields["parts"]["items"], "maker"),
            ("parts.name", "things[].parts[].maker.name", "the source is gone", "STRING", ""),
        ),
        (
            _set("value.price", scalar("number")),
            ("things.price", "things[].value.price", "the type changed", "INTEGER", "number"),
        ),
        (
            _set("value.share", scalar("string")),
            ("things.share", "things[].value.share", "the type changed", "FLOAT", "string"),
        ),
        (
            _set("good", scalar("integer")),
            ("things.good", "things[].good", "the type changed", "BOOLEAN", "integer"),
        ),
        (
            _set("made", scalar("string")),
            ("things.made", "things[].made", "the type changed", "TIMESTAMP", "string"),
        ),
        (
            _set("seen", scalar("integer")),
            ("things.seen", "things[].seen", "the type changed", "TIMESTAMP", "integer"),
        ),
        (
            _set("state", fields(now=scalar("string"))),
            ("things.state", "things[].state", "the type changed", "STRING", "object"),
        ),
        (
            _set("day", {"oneOf": [scalar("string"), scalar("integer")]}),
            ("things.day", "things[].day", "the type changed", "DATE", "string or integer"),
        ),
        (
            _set("words", {"type": "object", "additionalProperties": scalar("integer")}),
            ("words.word", "things[].words[]", "the type changed", "STRING", "integer"),
        ),
        (
            _optional("id"),
            ("things.id", "things[].id", "a REQUIRED value may be missing", "REQUIRED", "id may be missing"),
        ),
        (
            _set("id", {"oneOf": [scalar("integer"), NULL]}),
            ("things.id", "things[].id", "a REQUIRED value may be missing", "REQUIRED", "id may be null"),
        ),
        (_set("id", NULL), ("things.id", "things[].id", "always null", "INTEGER", "null")),
        (
            _set("mood", scalar("string", enum=["good", "bad", "ugly"])),
            ("things.mood", "things[].mood", "values that the check does not know", "good, bad", "ugly"),
        ),
        (
            lambda api: without(api.thing, "parts"),
            ("parts", "things[].parts", "the list is gone", "list", ""),
        ),
        (
            _set("parts", {"type": "object", "additionalProperties": fields(name=scalar("string"))}),
            ("parts", "things[].parts", "the list is something else", "list", "map"),
        ),
        (
            _set("words", listed(scalar("string"))),
            ("words", "things[].words", "the list is something else", "map", "list"),
        ),
        (lambda api: setattr(api, "path", "/thing"), ("", "", "the path is gone", "/things", "")),
        (lambda api: api.params.pop(0), ("", "cat", "the parameter is gone", "all", "")),
        (lambda api: api.params.pop(4), ("", "to", "the parameter is gone", "set by a backfill", "")),
        (
            lambda api: api.params[0]["schema"].update(enum=["every", "none"]),
            ("", "cat", "the parameter's value is gone", "all", "every, none"),
        ),
        (
            lambda api: api.params[2]["schema"]["items"].update(enum=["b", "c"]),
            ("", "wanted", "the parameter's value is gone", "a", "b, c"),
        ),
        (
            lambda api: api.params[1]["schema"].update(maximum=20),
            ("", "limit", "the parameter's value is above its maximum", "50", "at most 20"),
        ),
        (
            lambda api: api.params.append({"name": "must", "in": "query", "required": True, "schema": NULL}),
            ("", "must", "the parameter is required", "", "null"),
        ),
        (
            lambda api: without(api.body, "_metadata"),
            ("", "_metadata.links.next", "paging is gone", "pages: links", "one answer"),
        ),
    ],
)  # fmt: skip
def test_what_would_break_runs(change: Callable[[Api], object], wanted: tuple[str, ...]) -> None:
    """It is named with table, column, place, what was and what is, and the next step; nothing else breaks."""
    [breaking] = [finding for finding in findings(change) if finding.breaks]
    assert told(breaking) == wanted
    assert breaking.next_step


def test_records_that_moved_or_changed_their_form() -> None:
    """Without records there is no word on their columns, nor when they are a map that nothing takes."""

    def move(api: Api) -> None:
        api.body["properties"]["all"] = fields(things=without(api.body, "things"))

    [moved] = findings(move)
    assert told(moved)[1:] == ("things", "the records are gone", "records", "_metadata, all")

    def change(api: Api) -> None:
        api.body["properties"]["things"] = {"type": "object", "additionalProperties": api.thing}

    [changed] = findings(change)
    wanted = ("things", "things", "the records are something else", "list or object", "map")
    assert (told(changed), changed.breaks) == (wanted, True)


def test_records_that_are_a_list_or_a_single_one_are_both_taken() -> None:
    """A run takes either, so either's fields count; what only one of them has may be missing."""

    def either(api: Api) -> None:
        single = fields(id=scalar("integer"), alone=scalar("string"))
        api.body["properties"]["things"] = {"oneOf": [listed(api.thing), single]}

    def neither(api: Api) -> None:
        either(api)
        without(api.body["properties"]["things"]["oneOf"][1], "id")

    [breaking] = [finding for finding in findings(neither) if finding.breaks]
    assert told(breaking)[2:] == ("a REQUIRED value may be missing", "REQUIRED", "id may be missing")
    found = {told(finding) for finding in findings(either)}
    assert found == {("things", "things.alone", "not taken", "", "string")}


def test_pages_that_only_some_answers_have_break_nothing() -> None:
    """A document that describes several answers as one says that the links may be missing."""
    endpoint = declare(TABLES, requests=REQUESTS.replace("  pages: links\n", "").replace("limit: 50, ", ""))
    [finding] = findings(lambda api: api.body["required"].remove("_metadata"), endpoint)
    assert (finding.what, finding.breaks) == ("there are pages", False)


def test_an_answer_that_is_no_json_any_more() -> None:
    """The document's own words are told, and it breaks."""
    [finding] = findings(lambda api: setattr(api, "kind", "text/csv"))
    assert (finding.what, finding.breaks) == ("the answer cannot be told", True)
    assert "text/csv" in finding.is_


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (_set("new", scalar("string")), ("things", "things[].new", "not taken", "", "string")),
        (_set("value.tax", scalar("integer")), ("things", "things[].value.tax", "not taken", "", "integer")),
        (
            _set("new", fields(a=scalar("string"), b=scalar("string"))),
            ("things", "things[].new", "not taken", "", "object"),
        ),
        (
            _set("tags", {"oneOf": [listed(scalar("string")), NULL]}),
            ("things", "things[].tags", "not taken", "", "list or null"),
        ),
        (
            lambda api: api.fields["parts"]["items"]["properties"].update(weight=scalar("integer")),
            ("parts", "things[].parts[].weight", "not taken", "", "integer"),
        ),
        (
            lambda api: api.body["properties"].update(total=scalar("integer")),
            ("", "total", "not taken", "", "integer"),
        ),
        (
            _set("state", scalar("string", enum=["new", "old", "lost"])),
            ("things.state", "things[].state", "values that the check does not know", "new, old", "lost"),
        ),
        (
            _set("state", scalar("string", enum=["new"])),
            ("things.state", "things[].state", "values that the API has no more", "old", "new"),
        ),
        (_set("good", NULL), ("things.good", "things[].good", "always null", "BOOLEAN", "null")),
    ],
)
def test_what_is_good_to_know(change: Callable[[Api], object], wanted: tuple[str, ...]) -> None:
    """New fields and values break nothing, and are told where they stand."""
    [finding] = findings(change)
    assert (told(finding), finding.breaks) == (wanted, False)
    assert finding.next_step


@pytest.mark.parametrize(
    "change",
    [
        _optional("good"),
        _set("good", {"oneOf": [scalar("boolean"), NULL]}),
        _set("value", {"oneOf": [THING["properties"]["value"], NULL]}),
        _set("value.share", scalar("integer")),
        _set("more", listed(scalar("integer"))),
        _set("big", scalar("string")),
        _set("state", scalar("string")),
        _set("value", {}),
        _set("parts", {}),
        lambda api: api.params.append({"name": "new", "in": "query", "schema": scalar("string")}),
        lambda api: api.params[1]["schema"].update(maximum=1000),
    ],
)
def test_what_a_run_takes_as_it_comes_is_not_told(change: Callable[[Api], object]) -> None:
    """What may be NULL may be missing, a JSON column takes anything, what is ignored may change."""
    assert findings(change) == []


def test_a_gone_source_names_the_field_that_may_have_its_place() -> None:
    """A new field with a like name and a fitting type is proposed; others are not."""

    def rename(api: Api) -> None:
        without(api.fields["value"], "price")
        api.fields["value"]["properties"] |= {"prices": scalar("string"), "price_now": scalar("integer")}

    gone = next(finding for finding in findings(rename) if finding.breaks)
    assert "perhaps it is value.price_now now" in gone.next_step
    assert "perhaps" not in findings(lambda api: without(api.thing, "state"))[0].next_step


def test_a_table_that_may_be_empty_may_lose_its_list() -> None:
    """It is declared for a shape that the API does not always have: told, but nothing breaks."""
    tables = TABLES.replace("  columns:", "  mode: replace\n  columns:").replace(
        "each: parts", "each: parts\n  allow_empty: true"
    )
    tables = tables.replace("    place:", "    at: {type: TIMESTAMP, from: $fetched_at}\n    place:")
    tables = tables.replace("    lang:", "    at: {type: TIMESTAMP, from: $fetched_at}\n    lang:")
    endpoint = declare(tables, requests=REQUESTS)
    [finding] = findings(lambda api: without(api.thing, "parts"), endpoint)
    assert (finding.what, finding.breaks) == ("the list is gone", False)


@pytest.mark.parametrize(("params", "breaks"), [("{cat: all}", True), ("{cat: all, limit: 50}", False)])
def test_pages_that_nobody_follows_lose_rows_unless_a_limit_says_how_many(params: str, breaks: bool) -> None:  # noqa: FBT001
    """Only the first page would be kept."""
    requests = REQUESTS.replace("  pages: links\n", "").replace(
        '{cat: all, limit: 50, wanted: "a,b"}', params
    )
    [finding] = findings(_as_it_is, declare(TABLES, requests=requests))
    assert (finding.what, finding.breaks) == ("there are pages", breaks)


def test_an_overridable_parameter_that_is_gone_is_told() -> None:
    """Only a message that sets it would be wrong."""
    endpoint = replace(made(), overridable=["cat", "filter"])
    [finding] = findings(_as_it_is, endpoint)
    assert (finding.path, finding.was, finding.breaks) == ("filter", "overridable", False)


def test_a_path_with_a_number_is_the_documents_path_with_a_name() -> None:
    """`/things/7` is described as `/things/{id}`; a word is not."""

    def ask(path: str) -> list[Finding]:
        endpoint = declare(TABLES, requests=REQUESTS.replace("/things", path))
        params = [{"name": "id", "in": "path", "required": True, "schema": scalar("integer")}]
        return findings(
            lambda api: (setattr(api, "path", "/things/{id}"), api.params.extend(params)), endpoint
        )

    assert ask("/things/7") == []
    assert [finding.what for finding in ask("/things/all")] == ["the path is gone"]


def test_since_an_earlier_document_only_what_is_new_is_told() -> None:
    """What differs from both is old news; what breaks comes first."""
    before, after = Api(), Api()
    for api in (before, after):
        api.fields["old_news"] = scalar("string")
        without(api.thing, "seen")
    after.fields["news"] = scalar("string")
    without(after.thing, "day")
    found = endpoint_findings(made(), after.document(), before.document())
    assert [(finding.path, finding.breaks) for finding in found] == [
        ("things[].day", True),
        ("things[].news", False),
    ]
    assert len(endpoint_findings(made(), after.document())) == 4


def test_a_body_that_is_the_record_keeps_the_sources_own_keys_out() -> None:
    """With `records: $` what stands beside the fields in every answer is no new field."""
    endpoint = declare(
        "whole:\n  columns:\n    total: {type: INTEGER, from: total}\n"
        "parts:\n  each: parts\n  columns:\n    name: {type: STRING, from: name}",
        requests="whole: {path: /things, pages: links}",
    )

    def change(api: Api) -> None:
        parts = listed(fields(name=scalar("string"), _metadata=scalar("string")))
        api.body["properties"] = {"total": scalar("integer"), "parts": parts, **api.body["properties"]}
        without(api.body, "things")
        api.params.clear()

    [finding] = findings(change, endpoint)
    assert told(finding) == ("parts", "parts[]._metadata", "not taken", "", "string")

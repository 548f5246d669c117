"""Of every path of the official document `new` makes an endpoint that collects whatever it allows."""

from __future__ import annotations

import copy
import json
import random
from functools import cache
from typing import TYPE_CHECKING, Any

import duckdb
import jsonschema
import pytest
from cloudevents.http import CloudEvent
from support.any_body import STYLES, AnyApi, Bodies, Style, resolved
from support.any_rows import CONSTANTS, found_rows, wanted_rows
from support.framework import push_body
from support.inputs import SPEC, needed

from shared.collector import Collector
from shared.endpoint_file import load_endpoint
from shared.errors import FixConfiguration
from shared.flatten import Flattener
from shared.keys import EnvironmentKeys, KeyRing
from shared.openapi import Document
from shared.openapi.draft import Draft, draft_endpoint, endpoint_name
from shared.settings import Settings
from shared.torn import ENVELOPE

if TYPE_CHECKING:
    from pathlib import Path

    from shared.endpoint import Endpoint

pytestmark = [pytest.mark.slow, pytest.mark.unmeasured]

#: The paths that no endpoint can be made for, and why.
REFUSED = {
    "/company/snapshot": "the answer is text/csv",
    "/faction/snapshot": "the answer is text/csv",
    "/user/snapshot": "the answer is text/csv",
}
PATHS = sorted(json.loads(SPEC.read_bytes())["paths"]) if SPEC.exists() else ["the document is not here"]
COLLECTED = [path for path in PATHS if path not in REFUSED]
#: How many of the bodies are looked at where there are as many as other paths.
SOME = 8
KEY = "SomeKey000000001"


@cache
def spec() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(needed(SPEC).read_bytes())
    return found


@cache
def document() -> Document:
    return Document.read(needed(SPEC))


@cache
def drafts() -> dict[str, Draft]:
    """Return the endpoints of all paths, each made beside those before it."""
    found: dict[str, Draft] = {}
    tables: set[str] = set()
    for path in sorted(COLLECTED, key=lambda path: (-path.count("/"), path)):
        found[path] = draft_endpoint(document().operation(path), endpoint_name(path), given={}, taken=tables)
        tables.update(found[path].tables)
    return found


def made(path: str, folder: Path) -> Endpoint:
    """Make a path's endpoint."""
    draft = drafts()[path]
    (folder / draft.name).mkdir()
    for file, text in draft.files.items():
        (folder / draft.name / file).write_text(text, encoding="utf-8")
    return load_endpoint(folder / draft.name / "endpoint.yaml")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder in which all endpoints collect, into one warehouse."""
    return tmp_path_factory.mktemp("place")


def test_endpoints_do_not_share_names() -> None:
    """All paths' endpoints can stand side by side: no two have a name or a table in common."""
    needed(SPEC)
    tables = [table for draft in drafts().values() for table in draft.tables]
    assert len({draft.name for draft in drafts().values()}) == len(COLLECTED)
    assert len(set(tables)) == len(tables)


@pytest.mark.parametrize("path", REFUSED)
def test_what_cannot_be_collected_is_refused(path: str) -> None:
    """The paths without a JSON answer are refused, and the reason says so; all others are collected below."""
    with pytest.raises(FixConfiguration, match=REFUSED[path]):
        document().operation(path)


@pytest.mark.parametrize("path", COLLECTED)
def test_every_value_of_every_allowed_body_is_kept(path: str, tmp_path: Path) -> None:
    """Whatever a body may be, each of its values is in a row; none is refused, none unforeseen."""
    needed(SPEC)
    endpoint = made(path, tmp_path)
    bodies = Bodies(spec())
    (request,) = endpoint.requests
    for style in STYLES.values():
        flattener = Flattener(endpoint, request, envelope=ENVELOPE)
        made_up = bodies.variants(path, style)
        if len(made_up) > SOME and "anyOf" in bodies.schema(path) and style is not STYLES["typical"]:
            # A choice of what other paths answer: those are looked at in every style by themselves.
            made_up = random.Random(7).sample(made_up, SOME)
        for body in made_up:
            allowed(path, body)
            flat = flattener.page(json.dumps(body).encode(), CONSTANTS)
            assert flat.rejected == []
            assert found_rows(endpoint, flat.batches) == wanted_rows(endpoint, body)
        unforeseen = {drift.path.rpartition(".")[2] for drift in flattener.drift.values()}
        assert unforeseen == ({"never_described", "nie beschrieben ü"} if style.extras else set())


@pytest.mark.parametrize("path", COLLECTED)
def test_every_path_is_collected(path: str, place: Path, tmp_path: Path) -> None:
    """A run of the endpoint ends well, asks for all pages, and the warehouse holds what the bodies had."""
    needed(SPEC)
    endpoint = made(path, tmp_path)
    (request,) = endpoint.requests.values()
    bodies = Bodies(spec())
    pages = [bodies.body(path, Style(length=4, extreme=True))]
    linked = "_metadata" in resolved(spec(), bodies.schema(path)).get("required", [])
    assert request.pages == ("links" if linked else "none")
    if linked:
        pages.append(bodies.body(path, Style(length=1)))
    with AnyApi(pages) as api:
        database = place / "warehouse.duckdb"
        settings = Settings.read(
            {
                "WAREHOUSE": f"duckdb:{database}",
                "ARCHIVE": f"file:{place / 'archive'}",
                "TORN_API_URL": api.url,
                "LOG_LEVEL": "ERROR",
            }
        )
        collector = Collector(endpoint, settings, keys=KeyRing(EnvironmentKeys({"TORN_API_KEY": KEY})))
        params = dict.fromkeys(request.placeholders, 7)
        event = CloudEvent(
            {"type": "test", "source": "test"},
            push_body(json.dumps({"params": params}).encode(), message_id="1"),
        )
        attempt = collector.handle(event)
        asked = [heard.target for heard in api.heard]
    assert attempt.outcome == "ok", attempt.error
    assert len(asked) == len(pages)
    assert asked[0].startswith("/v2" + path.format_map(params))
    wanted = [wanted_rows(endpoint, page) for page in reversed(pages)]
    with duckdb.connect(str(database), read_only=True) as connection:
        for table in endpoint.tables:
            rows = [row for page in wanted for row in page[table]]
            names = list(rows[0] if rows else ())
            counts = ", ".join(["count(*)", *(f'count("{name}")' for name in names)])
            found = connection.execute(f'SELECT {counts} FROM "{table}"').fetchone()
            assert found == (len(rows), *(sum(row[name] is not None for row in rows) for name in names)), (
                table
            )
        for ledger in ("rejected_rows", "drift"):
            assert connection.execute(f"SELECT * FROM {ledger}").fetchall() == []


def allowed(path: str, body: dict[str, Any]) -> None:
    """Hold a body against the document: what the tests are made of must be what it allows."""
    errors = list(validator(path).iter_errors(body))
    assert not errors, errors[0].message


@cache
def validator(path: str) -> jsonschema.Draft202012Validator:
    content = spec()["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]
    return jsonschema.Draft202012Validator({**content["schema"], "components": loosened()})


@cache
def loosened() -> dict[str, Any]:
    """Return the schemas with anyOf for oneOf: the document means that, its variants overlap."""

    def loose(node: Any) -> Any:
        if isinstance(node, list):
            return [loose(each) for each in node]
        if isinstance(node, dict):
            return {("anyOf" if key == "oneOf" else key): loose(value) for key, value in node.items()}
        return node

    return {"schemas": loose(copy.deepcopy(spec()["components"]["schemas"]))}

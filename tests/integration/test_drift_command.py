"""``tcdatalogger drift`` as a person or a script calls it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.inputs import DATA, SPEC, needed

from shared.endpoint_file import find_endpoints

TCDATALOGGER = str(Path(sys.executable).with_name("tcdatalogger"))


def run(*words: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [TCDATALOGGER, "drift", *map(str, words)], env={**os.environ, "COLUMNS": "120"},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == code, f"{words}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr
    return done


def object_of(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def spec(file: Path, **listing: Any) -> Path:
    """Write a document in which the points market's listings have these fields."""
    one = {name: {"type": kind} for name, kind in listing.items()}
    body = object_of(pointsmarket={"type": "array", "items": object_of(**one)})
    answer = {"200": {"content": {"application/json": {"schema": body}}}}
    paths = {"/market/pointsmarket": {"get": {"responses": answer}}}
    file.write_text(json.dumps({"openapi": "3.1.0", "info": {"version": "9"}, "paths": paths}))
    return file


@pytest.fixture(name="market")
def _market(tmp_path):
    """The points market as it is declared, but the cost has fractions and there is a seller."""
    return spec(
        tmp_path / "market.json",
        id="integer", quantity="integer", cost="number", total_cost="integer", seller="string",
    )  # fmt: skip


def test_findings_are_grouped_by_endpoint_one_line_each(market):
    """What, where, was → is and the next step; exit 1, because a column would break."""
    done = run("currency", "--spec", market, code=1)
    head, breaks, notes = done.stdout.splitlines()
    assert head == "currency (functions/currency/endpoint.yaml): 1 would break, 1 to know"
    assert breaks == (
        "  breaks: currency_listings.cost: pointsmarket[].cost: the type changed (INTEGER → number); next: "
        "declare a column of the new type as well, last, and leave this one without `from`"
    )
    assert notes.startswith(
        "  notes: currency_listings: pointsmarket[].seller: not taken (string); next: declare a column"
    )


def test_json_is_a_list_of_objects(market):
    """Each with everything that a script needs to sort them."""
    first, second = json.loads(run("currency", "--spec", market, "--json", code=1).stdout)
    assert first == {
        "severity": "breaks", "endpoint": "currency", "request": "pointsmarket",
        "table": "currency_listings", "column": "cost", "path": "pointsmarket[].cost",
        "what": "the type changed", "was": "INTEGER", "is": "number",
        "next_step": "declare a column of the new type as well, last, and leave this one without `from`",
    }  # fmt: skip
    assert (second["severity"], second["column"], second["is"]) == ("notes", None, "string")


def test_since_leaves_out_what_was_known(market, tmp_path):
    """Against the same document nothing is new; against an older one what came in between."""
    assert "as the document has it" in run("currency", "--spec", market, "--since", market).stdout
    older = spec(
        tmp_path / "older.json", id="integer", quantity="integer", cost="number", total_cost="integer"
    )
    done = run("currency", "--spec", market, "--since", older)
    assert "0 would break, 1 to know" in done.stdout
    assert "seller" in done.stdout


def test_without_names_every_endpoint_is_compared(market):
    """Those whose paths the document lacks would break, and are named."""
    done = run("--spec", market, "--json", code=1)
    found = json.loads(done.stdout)
    assert {one["endpoint"] for one in found} == set(find_endpoints())
    assert {one["what"] for one in found if one["endpoint"] == "crimes"} == {"the path is gone"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{}", "the key 'openapi' is missing"),
        ('{"swagger": "2.0", "paths": {}}', "OpenAPI 3.0 and 3.1 are read"),
        ("{", "it is not JSON"),
        ("[1]", "its top is no object"),
        ('{"openapi": "3.1.0"}', "paths"),
    ],
)
def test_what_is_no_openapi_document_is_a_wrong_call(tmp_path, text, says):
    """Nothing was compared: exit 2, with the file, what is wrong with it, and what to do."""
    file = tmp_path / "spec.json"
    file.write_text(text)
    done = run("--spec", file, code=2)
    words = " ".join(done.stderr.split())
    assert str(file) in words
    assert says in words
    assert done.stdout == ""


def test_a_wrong_call_says_what_is_right(market, tmp_path):
    """No document, one that is not there, or an endpoint that is not there: exit 2."""
    assert "Missing option '--spec'" in run(code=2).stderr
    assert "does not exist" in run("--spec", tmp_path / "no.json", code=2).stderr
    assert "There is no endpoint 'crims'" in run("crims", "--spec", market, code=2).stderr


def test_the_newest_document_breaks_nothing_and_an_old_one_does():
    """The endpoints that stand here, against Torn's own documents."""
    newest, old = needed(SPEC), needed(DATA / "torn-openapi-5.8.0.json")
    assert ": 0 would break, 1 to know\n" in run("--spec", newest).stdout
    assert "breaks: request pointsmarket: the path is gone" in run("--spec", old, code=1).stdout
    assert "breaks" not in run("--spec", newest, "--since", old).stdout

"""A document is read from JSON or YAML, and what is wrong with it is told with file and key."""

from __future__ import annotations

import json

import pytest
import yaml

from shared.errors import FixConfiguration
from shared.openapi import Document

ANSWER = {"200": {"content": {"application/json": {"schema": {"type": "object"}}}}}
SMALL = {
    "openapi": "3.1.0",
    "info": {"version": "6.6.1"},
    "paths": {
        "/faction/basic": {"get": {"summary": "Basics.", "description": "All of them.", "responses": ANSWER}},
        "/faction/members": {"post": {}},
    },
}


def write(folder, text, name="spec.json"):
    file = folder / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


@pytest.mark.parametrize("dump", [json.dumps, yaml.safe_dump])
def test_json_and_yaml_are_read(tmp_path, dump):
    """The same document in either form has the same paths; a status that YAML reads as a number is found."""
    text = dump(SMALL)
    document = Document.read(write(tmp_path, text.replace("'200'", "200")))
    assert document.paths == ("/faction/basic",)
    assert document.version == "6.6.1"
    operation = document.operation("/faction/basic")
    assert (operation.summary, operation.description) == ("Basics.", "All of them.")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"openapi": ', "it is not JSON"),
        ('{"openapi": NaN}', "NaN is no number"),
        ("a: [b", "it is neither JSON nor YAML"),
        ("just words", "its top is no object"),
        ("", "its top is no object"),
        ("[1]", "its top is no object"),
        (b"\xff\xfe", "it is not UTF-8"),
        ("{}", "the key 'openapi' is missing"),
        ('{"swagger": "2.0"}', "swagger: found 2.0; OpenAPI 3.0 and 3.1 are read"),
        ('{"openapi": "4.0.0", "paths": {}}', "openapi: found 4.0.0; 3.0 and 3.1 are read"),
        ('{"openapi": "3.1.0"}', "the key 'paths' is missing"),
        ('{"openapi": "3.1.0", "paths": []}', "the key 'paths' is missing, or holds none"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_document_is_told(tmp_path, text, says):
    """The error names the file, what was found, and what to do."""
    file = write(tmp_path, text)
    with pytest.raises(FixConfiguration, match=says) as told:
        Document.read(file)
    assert told.value.message.startswith(f"{file}: ")
    assert told.value.next_step


def test_a_file_that_is_not_there_is_told(tmp_path):
    """A missing file is a sentence, not a traceback."""
    with pytest.raises(FixConfiguration, match="cannot be read: No such file"):
        Document.read(tmp_path / "none.json")


def get(responses, **more):
    return {"openapi": "3.0.3", "paths": {"/a/b": {"get": {"responses": responses, **more}}}}


@pytest.mark.parametrize(
    ("data", "path", "says", "step"),
    [
        (SMALL, "/faction/basics", "'/faction/basics' is not there", "did you mean /faction/basic"),
        (SMALL, "/x", "'/x' is not there", "there are 1 paths"),
        (SMALL, "/faction/members", "'/faction/members' has no GET", ""),
        (get({}), "/a/b", "the answer of status 200 is missing", ""),
        (get({"200": {}}), "/a/b", "the answer is not described, not application/json", "answers with JSON"),
        (get({"200": {"content": {"text/csv": {}}}}), "/a/b", "the answer is text/csv", "answers with JSON"),
        (get({"200": {"content": {"application/json": {}}}}), "/a/b", "the schema is missing", ""),
        (get({"200": {"$ref": "#/components/responses/No"}}), "/a/b", "leads nowhere", ""),
        ({"openapi": "3.1.0", "paths": {"/a": {"get": 7}}}, "/a", "an operation stands here", ""),
        (get(ANSWER, parameters={}), "/a/b", None, ""),
        (get(ANSWER, parameters={"a": 1}), "/a/b", r"parameters: a list stands here", ""),
        (get(ANSWER, parameters=[{"in": "query"}]), "/a/b", "a parameter with a name stands here", ""),
    ],
)
def test_what_an_operation_lacks_is_told(data, path, says, step):
    """An unknown path suggests near ones; an answer that is no JSON, or not described, is named."""
    document = Document(data, "small.json")
    if says is None:
        assert document.operation(path).params == ()
        return
    with pytest.raises(FixConfiguration, match=says) as told:
        document.operation(path)
    assert told.value.message.startswith("small.json: paths")
    assert step in told.value.next_step


def test_parameters_of_the_path_and_of_the_get_are_joined():
    """What the GET says of a parameter counts more; references are followed."""
    limit = {"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 20, "default": 5}}
    data = get(ANSWER, parameters=[{"$ref": "#/components/parameters/Limit"}])
    data["paths"]["/a/b"]["parameters"] = [
        {**limit, "schema": {"type": "integer", "maximum": 1}},
        {
            "name": "id",
            "in": "path",
            "required": True,
            "schema": {"type": "integer"},
            "description": "Whose.",
        },
    ]
    data["components"] = {"parameters": {"Limit": limit}}
    params = {p.name: p for p in Document(data, "small.json").operation("/a/b").params}
    assert (params["limit"].maximum, params["limit"].default) == (20, 5)
    assert (params["id"].place, params["id"].required, params["id"].description) == ("path", True, "Whose.")


def test_a_path_that_is_a_reference_is_followed():
    """A whole path item may stand elsewhere in the document."""
    data = {**get(ANSWER), "paths": {"/a/b": {"$ref": "#/components/pathItems/B"}}}
    data["components"] = {"pathItems": {"B": {"get": {"summary": "Here.", "responses": ANSWER}}}}
    document = Document(data, "small.json")
    assert document.operation("/a/b").summary == "Here."
    data["components"]["pathItems"]["B"] = {"$ref": "#/components/pathItems/B"}
    with pytest.raises(FixConfiguration, match="leads back to itself"):
        Document(data, "small.json")

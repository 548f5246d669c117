"""functions/endpoint.schema.json says what the reader reads, and nothing else."""

from __future__ import annotations

import copy
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from fixtures.flat import ROOT, write
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from shared.endpoint_file import endpoint_schema, find_endpoints, load_endpoint, schema_text
from shared.errors import EndpointInvalid

if TYPE_CHECKING:
    from collections.abc import Iterator

FILE = ROOT / "functions" / "endpoint.schema.json"
VALIDATOR = Draft202012Validator(endpoint_schema())


def _schemas(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
        for inner in schema.values():
            yield from _schemas(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from _schemas(inner)


def test_the_file_is_fresh() -> None:
    """The schema in the repository is the one that the structs make, sorted and indented."""
    text = FILE.read_text(encoding="utf-8")
    assert text == schema_text()
    assert text == json.dumps(json.loads(text), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def test_the_schema_is_a_schema() -> None:
    """It is valid itself, in the draft that it names."""
    Draft202012Validator.check_schema(endpoint_schema())
    assert endpoint_schema()["$schema"] == Draft202012Validator.META_SCHEMA["$schema"]


def test_nothing_unknown_is_allowed_and_everything_is_described() -> None:
    """Every object of known keys forbids others; every object and key has a description for the editor."""
    objects = [s for s in _schemas(endpoint_schema()) if "properties" in s and s.get("type") == "object"]
    assert len(objects) == 6
    for one in objects:
        assert one["additionalProperties"] is False, one["title"]
        assert one["description"]
        for name, schema in one["properties"].items():
            assert schema.get("description"), (one["title"], name)


@pytest.mark.parametrize("name", find_endpoints())
def test_the_repositorys_files_are_valid(name: str) -> None:
    """Each endpoint.yaml stands the schema that its first line names for editors."""
    text = find_endpoints()[name].read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=../endpoint.schema.json\n")
    VALIDATOR.validate(yaml.safe_load(text))


def _document(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(find_endpoints()[name].read_text(encoding="utf-8"))
    return found | {"name": "made"}


DOCUMENTS = {name: _document(name) for name in find_endpoints()}
_VALUES: Any = st.sampled_from(
    [
        None,
        True,
        False,
        0,
        1,
        -1,
        5,
        2.5,
        1e300,
        10**20,
        "",
        "x",
        "id",
        "X",
        "a b",
        "P1D",
        "PT7M",
        "STRING",
        "JSON",
        "merge",
        "$value",
        "$index",
        "$fetched_at",
        "a..b",
        "512Mi",
        "/x",
        [],
        ["id"],
        [1],
        [[]],
        ["id", "id"],
        {},
        {"x": 1},
        {"id": "id"},
        {"type": "STRING"},
        {"type": "STRING", "from": "name"},
        {"columns": {}},
        {"min": 3},
        {"enum": ["a"]},
        {"from": "a", "to": "b"},
        {"path": "/x"},
    ]
)
_KEYS = st.sampled_from(
    ["x", "from", "type", "key", "check", "unit", "of", "each", "request", "Bad", "ignore", "mode"]
)


def _spots(value: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    for key, inner in list(value.items() if isinstance(value, dict) else enumerate(value)):
        found.append((value, key))
        if isinstance(inner, dict | list):
            found += _spots(inner)
    return found


def _said(file: Path) -> list[str] | None:
    try:
        load_endpoint(file)
    except EndpointInvalid as error:
        return error.problems
    return None


@settings(deadline=None, max_examples=80)
@given(st.data())
def test_schema_and_reader_agree(data: st.DataObject) -> None:
    """However a right file is spoiled: the schema refuses it where the reader refuses its form."""
    document = copy.deepcopy(DOCUMENTS[data.draw(st.sampled_from(sorted(DOCUMENTS)))])
    for _ in range(data.draw(st.integers(1, 2))):
        spots = _spots(document)
        if not spots:
            break
        inside, key = data.draw(st.sampled_from(spots))
        how = data.draw(st.sampled_from(["set", "drop", "add"]))
        if how == "drop":
            del inside[key]
        elif how == "add" and isinstance(inside, dict):
            inside[data.draw(_KEYS)] = copy.deepcopy(data.draw(_VALUES))
        else:
            inside[key] = copy.deepcopy(data.draw(_VALUES))
    valid = VALIDATOR.is_valid(document)
    with tempfile.TemporaryDirectory() as folder:
        file = write(yaml.safe_dump(document, sort_keys=False), folder=Path(folder))
        said = _said(file)
        if said is not None:
            by_rule = not any(
                word in problem
                for problem in said
                for word in ("allowed: a ", "unknown key", "is missing;", "is no name here", "did you mean")
            )
            assert not valid or by_rule, said
        else:
            assert valid

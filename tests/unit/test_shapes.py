"""The tree of a response and the structs that decode it."""

from __future__ import annotations

import msgspec
import pytest
from fixtures.flat import declare

from shared.endpoint import Column
from shared.endpoint_file import find_endpoints, load_endpoint
from shared.errors import FixConfiguration
from shared.flatten import Flattener
from shared.shape_tree import build_shape
from shared.shapes import Shape, attribute, is_readable, struct_type


@pytest.mark.parametrize("name", find_endpoints())
def test_every_endpoint_has_a_shape(name: str) -> None:
    """All requests of the repository's endpoints can be flattened."""
    endpoint = load_endpoint(find_endpoints()[name])
    for request in endpoint.requests:
        assert Flattener(endpoint, request, envelope=("_metadata",)).drift == {}


def test_attributes_stay_where_they_are() -> None:
    """What is learned later stands behind what was there, so that no attribute moves."""
    endpoint = declare(
        "things:\n  columns:\n    a: {type: STRING, from: x.y}\n    b: {type: STRING, from: x.z}\n"
        "    c: {type: STRING, from: c}"
    )
    record, _ = build_shape(endpoint, "things")
    before = attribute(record, ("x", "z")), attribute(record, ("c",))
    record.children["new"] = Shape(kind="ignored")
    record.children["x"].children["new"] = Shape(kind="ignored")
    assert (attribute(record, ("x", "z")), attribute(record, ("c",))) == before == ("f0.f1", "f1")


def test_structs_are_strict_or_not() -> None:
    """A strict struct refuses a field that it does not know, the other passes over it."""
    shape = Shape()
    shape.at(["a", "b"], required=True).kind = "value"
    shape.at(["a", "b"]).type = int
    body = b'{"a": {"b": 1, "c": 2}}'
    with pytest.raises(msgspec.ValidationError, match=r"unknown field `c` - at `\$\.a`"):
        msgspec.json.decode(body, type=struct_type(shape))
    assert msgspec.json.decode(body, type=struct_type(shape, strict=False)).f0.f0 == 1


def test_conflicts_are_all_told_when_a_shape_is_built() -> None:
    """An endpoint that was made without the file's rules is refused too."""
    endpoint = declare("things:\n  columns:\n    a: {type: STRING, from: a}")
    columns = {
        "a": Column(type="STRING", from_="a"),
        "b": Column(type="INTEGER", from_="a"),
        "c": Column(type="INTEGER", from_="a.c"),
    }
    table = msgspec.structs.replace(endpoint.tables["things"], columns=columns)
    with pytest.raises(FixConfiguration) as caught:
        build_shape(msgspec.structs.replace(endpoint, tables={"things": table}), "things")
    assert "tables.things.columns.b.from: found 'a'" in caught.value.message
    assert "tables.things.columns.c.from: found 'a.c'" in caught.value.message


@pytest.mark.parametrize("key", ["a", "é", "", " ", "a.b", "\x7f", "$"])
def test_names_that_a_struct_can_have(key: str) -> None:
    """What is said to be readable is."""
    assert is_readable(key)
    shape = Shape(children={key: Shape(kind="ignored")})
    msgspec.json.decode(msgspec.json.encode({key: 1}), type=struct_type(shape))


@pytest.mark.parametrize("key", ['"', "\\", "\n", "\x00", chr(0xD800), chr(0xDFFF), "x" * 1_001])
def test_names_that_a_struct_cannot_have(key: str) -> None:
    """Quotes, backslashes, control characters and lone surrogates are not learned."""
    assert not is_readable(key)

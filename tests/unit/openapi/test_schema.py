"""Each construct of JSON Schema, by itself, becomes the node that allows what it allows."""

from __future__ import annotations

import pytest

from shared.errors import FixConfiguration

INTEGER = {"type": "integer", "format": "int32"}
TEXT = {"type": "string"}
NULL = {"type": "null"}


def obj(required=None, **properties):
    """Return an object's schema; all its properties are required unless it says otherwise."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties) if required is None else required,
    }


def several(items):
    """Return a list's schema."""
    return {"type": "array", "items": items}


def test_a_property_is_optional_unless_it_is_required(read):
    """What `required` does not list may be missing; the order is the document's."""
    node = read(obj(["b"], a=INTEGER, b=TEXT))
    assert [(name, one.optional) for name, one in node.properties.items()] == [("a", True), ("b", False)]
    assert node.properties["a"].types == ("integer",)
    assert node.properties["a"].format == "int32"


def test_references_are_followed(read):
    """A reference stands for its target; a description beside it counts more than the target's."""
    node = read(
        obj(a={"$ref": "#/components/schemas/Id", "description": "mine"}),
        Id={"$ref": "#/components/schemas/Deep~1Id"},
        **{"Deep/Id": {**INTEGER, "description": "theirs"}},
    )
    assert node.properties["a"].types == ("integer",)
    assert node.properties["a"].description == "mine"


@pytest.mark.parametrize(
    "schema",
    [
        {"type": ["string", "null"]},
        {"oneOf": [TEXT, NULL]},
        {"anyOf": [NULL, TEXT]},
        {"type": "string", "nullable": True},
        {"enum": ["x", None]},
        {"allOf": [TEXT], "nullable": True},
        {"oneOf": [TEXT, {"const": None}]},
    ],
)
def test_null_may_be_said_in_many_ways(read, schema):
    """Every way of saying `or null` gives a nullable text."""
    node = read(schema)
    assert (node.kind, node.types, node.nullable) == ("scalar", ("string",), True)


def test_what_is_not_nullable_is_not(read):
    """Without null among its types, a value is never null; always null is a kind of its own."""
    assert not read(TEXT).nullable
    assert read(NULL).kind == "null"


@pytest.mark.parametrize(
    ("schema", "types", "enum"),
    [
        ({"const": "a"}, ("string",), ("a",)),
        ({"enum": [3, 1]}, ("integer",), (3, 1)),
        ({"enum": ["b", "a", "b"], "type": "string"}, ("string",), ("b", "a")),
        ({"oneOf": [{"enum": ["a"]}, {"enum": ["b"]}]}, ("string",), ("a", "b")),
        ({"oneOf": [{"enum": ["a"]}, TEXT]}, ("string",), ()),
        ({"type": "string", "oneOf": [{"enum": ["a"]}, {"enum": ["b"]}]}, ("string",), ("a", "b")),
        ({"allOf": [{"enum": ["a", "b"]}, {"enum": ["b", "c"]}]}, ("string",), ("b",)),
        ({"enum": [True, False]}, ("boolean",), (True, False)),
    ],
)
def test_listed_values_give_type_and_enum(read, schema, types, enum):
    """`const` and `enum` name their type; variants add up, parts must agree, an open variant opens all."""
    node = read(schema)
    assert (node.types, node.enum) == (types, enum)


@pytest.mark.parametrize(
    ("schema", "types", "form"),
    [
        ({"oneOf": [INTEGER, {"type": "number"}]}, ("integer", "number"), "int32"),
        ({"type": ["integer", "number"]}, ("integer", "number"), ""),
        ({"oneOf": [INTEGER, {"type": "integer", "format": "int64"}]}, ("integer",), "int64"),
        ({"oneOf": [INTEGER, {"type": "integer"}]}, ("integer",), "int64"),
        ({"oneOf": [{**TEXT, "format": "date"}, TEXT]}, ("string",), ""),
    ],
)
def test_scalar_variants_keep_the_wider_format(read, schema, types, form):
    """Integers and numbers go together; of two formats the one that holds both stays."""
    node = read(schema)
    assert (node.kind, node.types, node.format) == ("scalar", types, form)


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({"oneOf": [INTEGER, TEXT]}, "it is an integer or a string"),
        ({"oneOf": [obj(a=TEXT), {"type": "array", "items": TEXT}]}, "it is an object or a list"),
        ({"oneOf": [INTEGER, TEXT, obj(a=TEXT)]}, "it is an integer or a string or an object"),
        ({"enum": [1, "a"]}, "it is an integer or a string"),
        ({"type": "array", "prefixItems": [TEXT, INTEGER]}, "it is a list whose places differ"),
        ({"type": "object"}, "the document names no fields of this object"),
        ({}, "the document allows anything here"),
        (True, "the document allows anything here"),
        (
            {**obj(a=TEXT), "additionalProperties": INTEGER},
            "it has fields of its own and others of any name",
        ),
    ],
)
def test_what_has_no_one_shape_is_json_and_says_why(read, schema, why):
    """Variants of different kinds, tuples and open objects are JSON, with the reason in words."""
    node = read(schema)
    assert (node.kind, node.why) == ("json", why)


def test_a_list_in_one_variant_and_an_object_in_another_are_both_told(read):
    """The variants of such a place stay readable for who can use them."""
    node = read({"oneOf": [obj(a=TEXT), {"type": "array", "items": obj(b=TEXT)}]})
    assert [variant.kind for variant in node.variants] == ["object", "list"]


def test_object_variants_are_united(read):
    """A field that not every variant has is optional; one that all have is united too."""
    node = read({"oneOf": [obj(a=INTEGER, b=TEXT), obj(a={"type": "number"}, c=TEXT)]})
    assert {name: one.optional for name, one in node.properties.items()} == {
        "a": False, "b": True, "c": True,
    }  # fmt: skip
    assert node.properties["a"].types == ("integer", "number")


def test_parts_are_joined(read):
    """allOf has the fields of all parts; what one part requires is required, wherever it is described."""
    node = read({"allOf": [obj([], a=INTEGER, b=TEXT), obj(c=TEXT), {"required": ["b"]}]})
    assert {name: one.optional for name, one in node.properties.items()} == {
        "a": True, "b": False, "c": False,
    }  # fmt: skip
    assert node.properties["b"].types == ("string",)


@pytest.mark.parametrize(
    ("parts", "kind"),
    [
        ([several(obj(a=TEXT)), several(obj(b=TEXT))], "list"),
        ([{"additionalProperties": obj(a=TEXT)}, {"additionalProperties": obj(b=TEXT)}], "map"),
    ],
)
def test_parts_of_lists_and_maps_are_joined(read, parts, kind):
    """Every element is what both parts say."""
    node = read({"allOf": parts})
    assert (node.kind, list(node.element.properties)) == (kind, ["a", "b"])


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        ([TEXT, INTEGER], "it is a string or an integer"),
        ([obj(a=TEXT), several(TEXT)], "it is an object or a list"),
    ],
)
def test_parts_that_contradict_each_other_are_json(read, parts, why):
    """No value is both, so that nothing is promised."""
    node = read({"allOf": parts})
    assert (node.kind, node.why) == ("json", why)


def test_a_part_that_says_less_gives_way(read):
    """An integer is a number too; an open object is whatever the other part describes."""
    assert read({"allOf": [{"type": "number"}, INTEGER]}).types == ("integer",)
    assert read({"allOf": [INTEGER, {"type": "number"}]}).types == ("integer",)
    assert list(read({"allOf": [{"type": "object"}, obj(a=TEXT)]}).properties) == ["a"]


def test_properties_beside_variants_belong_to_each(read):
    """What stands beside oneOf is joined with every variant."""
    node = read({**obj(a=TEXT), "oneOf": [obj(b=TEXT), obj(c=TEXT)]})
    assert {name: one.optional for name, one in node.properties.items()} == {
        "a": False, "b": True, "c": True,
    }  # fmt: skip


def test_what_is_required_and_not_described_may_be_anything(read):
    """A name under `required` alone is there, and JSON."""
    node = read({**obj(a=TEXT), "required": ["a", "ghost"]})
    assert (node.properties["ghost"].kind, node.properties["ghost"].optional) == ("json", False)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "additionalProperties": INTEGER},
        {"type": "object", "patternProperties": {"^x": INTEGER}},
        {"additionalProperties": INTEGER},
    ],
)
def test_an_object_of_any_names_is_a_map(read, schema):
    """Keys that are data make a map of their values."""
    node = read(schema)
    assert node.kind == "map"
    assert node.element.types == ("integer",)


def test_what_contains_itself_is_cut(read):
    """A tree's branches are JSON at the first repetition, from wherever it is reached."""
    tree = obj(name=TEXT, children={"type": "array", "items": {"$ref": "#/components/schemas/Tree"}})
    node = read(
        obj(a={"$ref": "#/components/schemas/Tree"}, b={"$ref": "#/components/schemas/Tree"}), Tree=tree
    )
    for one in ("a", "b"):
        cut = node.properties[one].properties["children"].element
        assert (cut.kind, cut.why) == ("json", "Tree contains itself")


def test_schemas_that_fold_into_each_other_end(read):
    """Thirty schemas that each contain all others are refused in bounded time, not unfolded for ever."""
    names = [f"S{n}" for n in range(30)]
    everyone = obj(**{name: {"$ref": f"#/components/schemas/{name}"} for name in names})
    with pytest.raises(FixConfiguration, match="contain each other too often"):
        read({"$ref": "#/components/schemas/S0"}, **dict.fromkeys(names, everyone))


def test_deprecated_is_said(read):
    """A deprecated field's description says so."""
    assert read({**TEXT, "deprecated": True}).description == "Deprecated."
    assert read({**TEXT, "deprecated": True, "description": "Old."}).description == "Old. Deprecated."


@pytest.mark.parametrize(
    ("schema", "what"),
    [
        ({"$ref": "#/components/schemas/None"}, "leads nowhere"),
        ({"$ref": "other.json#/x"}, "leads to another document"),
        ({"$ref": 7}, "found '7' for a reference"),
        ({"type": "text"}, "found 'text', which is no type of JSON"),
        ({"type": 7}, "the name of a type"),
        ({"oneOf": {}}, r"oneOf: a list stands here"),
        ({"type": "object", "properties": []}, None),
        ({"type": "object", "properties": ["a"]}, "names with their schemas"),
        (7, "a schema stands here, found '7'"),
        (obj(a=[]), r"properties\.a: a schema stands here"),
    ],
)
def test_a_wrong_schema_is_told_with_its_place(read, schema, what):
    """The error names the file and the place in it."""
    if what is None:
        assert read(schema).kind == "json"
        return
    with pytest.raises(FixConfiguration, match=what) as told:
        read(schema)
    assert told.value.message.startswith("small.json: ")
    assert "200.content.application/json.schema" in told.value.message or "#/" in told.value.message


def test_a_reference_in_a_circle_of_references_is_told(read):
    """Components that only refer to each other are cut, not followed for ever."""
    node = read(
        {"$ref": "#/components/schemas/A"},
        A={"$ref": "#/components/schemas/B"},
        B={"$ref": "#/components/schemas/A"},
    )
    assert (node.kind, node.why) == ("json", "A contains itself")

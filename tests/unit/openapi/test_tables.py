"""Each construct of an answer, by itself, becomes tables whose rows hold it."""

from __future__ import annotations

import pytest

from shared.errors import FixConfiguration

INTEGER = {"type": "integer", "format": "int32"}
TEXT = {"type": "string"}


def obj(required=None, **properties):
    """Return an object's schema; all its properties are required unless it says otherwise."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties) if required is None else required,
    }


def several(items):
    return {"type": "array", "items": items}


def mapped(values):
    return {"type": "object", "additionalProperties": values}


LINKS = obj(links=obj(next={"type": ["string", "null"]}, prev={"type": ["string", "null"]}))


def test_a_list_alone_in_the_body_gives_a_row_per_element(make):
    """`records` names the list; the table is called as the endpoint; a required id is its key."""
    made = make(obj(things=several(obj(id=INTEGER, name=TEXT)), _metadata=LINKS))
    assert made.endpoint.requests["things"].records == "things"
    assert made.endpoint.requests["things"].pages == "links"
    assert made.columns() == {"id": ("INTEGER", "id"), "name": ("STRING", "name")}
    assert made.endpoint.tables["things"].key == ["id"]
    assert any("key: id is proposed" in decision for decision in made.draft.decisions)
    body = {"things": [{"id": 1, "name": "a"}], "_metadata": {"links": {"next": None, "prev": None}}}
    assert made.rows(body) == {"things": [{"id": 1, "name": "a"}]}


@pytest.mark.parametrize(
    "element",
    [
        obj(["name"], id=INTEGER, name=TEXT),
        obj(id={"type": ["integer", "null"]}, name=TEXT),
        obj(id=INTEGER, uid={"type": ["integer", "null"]}, name=TEXT),
        obj(id=obj(a=INTEGER), name=TEXT),
    ],
    ids=["optional", "perhaps null", "beside an instance's number", "no scalar"],
)
def test_a_key_is_proposed_only_where_it_is_sure_to_be_there(make, element):
    """An id that may be missing or null, or that several instances share, is no key: all rows stay."""
    made = make(obj(things=several(element)))
    assert made.endpoint.tables["things"].key == []
    assert any("no column looks like a key" in decision for decision in made.draft.decisions)
    assert len(made.rows({"things": [{"name": "a"}, {"name": "a"}]})["things"]) == 2


def test_an_object_alone_in_the_body_gives_one_row(make):
    """Objects become prefixed columns, at any depth; null objects give nulls."""
    made = make(obj(thing=obj(a=INTEGER, b=obj(c=TEXT, d={"oneOf": [obj(e=TEXT), {"type": "null"}]}))))
    assert made.columns() == {"a": ("INTEGER", "a"), "b_c": ("STRING", "b.c"), "b_d_e": ("STRING", "b.d.e")}
    rows = made.rows({"thing": {"a": 1, "b": {"c": "x", "d": None}}})
    assert rows == {"things": [{"a": 1, "b_c": "x", "b_d_e": None}]}


def test_what_stands_beside_the_list_makes_the_body_the_record(make):
    """With a scalar beside the list nothing may be lost: the body is the record, the list a child table."""
    made = make(obj(things=several(obj(id=INTEGER)), things_delay=INTEGER))
    assert made.endpoint.requests["things"].records == "$"
    rows = made.rows({"things": [{"id": 4}, {"id": 5}], "things_delay": 3})
    assert rows == {
        "things": [{"things_delay": 3}],
        "things_things": [{"thing_index": 0, "id": 4}, {"thing_index": 1, "id": 5}],
    }


def test_a_list_that_may_be_missing_is_no_place_for_records(make):
    """Where the only list is optional the body is the record, so that an answer without it is none at all."""
    made = make(obj([], things=several(obj(id=INTEGER))))
    assert made.endpoint.requests["things"].records == "$"
    assert made.rows({}) == {"things": []}
    assert made.rows({"things": [{"id": 4}]}) == {"things": [{"thing_index": 0, "id": 4}]}


def test_lists_beside_each_other_are_tables_beside_each_other(make):
    """Without columns of its own the body has no table."""
    made = make(obj(hats=several(obj(id=INTEGER)), shoes=several(TEXT)))
    assert made.rows({"hats": [{"id": 1}], "shoes": ["left", "right"]}) == {
        "things_hats": [{"hat_index": 0, "id": 1}],
        "things_shoes": [{"shoe_index": 0, "shoe": "left"}, {"shoe_index": 1, "shoe": "right"}],
    }


def test_a_list_below_a_field_of_the_endpoints_name_does_not_say_it_twice(make):
    """/faction/things with its lists below `things` has tables called faction_things_…, once."""
    made = make(obj(things=obj(war=several(TEXT), peace=several(TEXT)), size=INTEGER), name="faction_things")
    assert list(made.endpoint.tables) == ["faction_things", "faction_things_war", "faction_things_peace"]


def test_lists_in_rows_carry_their_parents_key(make):
    """A child has its parent's id and its place as key; a grandchild has both and its own."""
    part = obj(name=TEXT, tags=several(TEXT))
    made = make(obj(things=several(obj(id=INTEGER, parts=several(part)))))
    assert made.endpoint.tables["things_parts"].key == ["thing_id", "part_index"]
    assert made.endpoint.tables["things_parts_tags"].of == "things_parts"
    body = {"things": [{"id": 7, "parts": [{"name": "x", "tags": []}, {"name": "y", "tags": ["red"]}]}]}
    assert made.rows(body) == {
        "things": [{"id": 7}],
        "things_parts": [
            {"thing_id": 7, "part_index": 0, "name": "x"},
            {"thing_id": 7, "part_index": 1, "name": "y"},
        ],
        "things_parts_tags": [{"thing_id": 7, "part_index": 1, "tag_index": 0, "tag": "red"}],
    }


def test_without_a_key_children_repeat_what_names_their_parent(make):
    """Names and ids of the row above stand in the child; if there are none, a comment says so."""
    made = make(obj(things=several(obj(name=TEXT, size=INTEGER, parts=several(TEXT)))))
    assert made.rows({"things": [{"name": "a", "size": 1, "parts": ["p"]}]})["things_parts"] == [
        {"thing_name": "a", "part_index": 0, "part": "p"}
    ]
    made = make(obj(things=several(obj(size=INTEGER, parts=several(TEXT)))))
    assert "Nothing tells which row of things these belong to" in made.text


def test_lists_of_lists(make):
    """Each level has a table with its place; the innermost has the values."""
    made = make(obj(grid=several(several(INTEGER))))
    rows = made.rows({"grid": [[1, 2], [], [3]]})
    assert [list(row.values()) for row in rows["things_elements"]] == [[0, 0, 1], [0, 1, 2], [2, 0, 3]]
    assert [list(row.values()) for row in rows["things"]] == [[0], [1], [2]]


def test_a_map_gives_a_row_per_key(make):
    """As records and inside rows: the key is a column, and the records' key."""
    made = make(obj(things=mapped(obj(name=TEXT, sizes=mapped(INTEGER)))))
    assert made.endpoint.tables["things"].key == ["thing_key"]
    body = {"things": {"a": {"name": "x", "sizes": {"s": 1}}, "b": {"name": "y", "sizes": {}}}}
    assert made.rows(body) == {
        "things": [{"thing_key": "a", "name": "x"}, {"thing_key": "b", "name": "y"}],
        "things_sizes": [{"thing_key": "a", "size_key": "s", "size": 1}],
    }


def test_lists_in_maps_and_maps_in_lists(make):
    """Any nesting of lists and maps is a chain of tables."""
    made = make(obj(by_day=mapped(several(mapped(TEXT))), other=INTEGER))
    rows = made.rows({"by_day": {"mon": [{"k": "v"}]}, "other": 1})
    assert [list(row.values()) for row in rows["things_by_day_elements_elements"]] == [["mon", 0, "k", "v"]]


def test_null_elements_are_kept_as_null_rows(make):
    """A null among values is a row; a list of objects that may be null is kept as JSON, nothing refused."""
    made = make(
        obj(
            values=several({"type": ["integer", "null"]}),
            rows=several({"oneOf": [obj(a=INTEGER), {"type": "null"}]}),
            open=several({}),
        )
    )
    rows = made.rows(
        {"values": [1, None], "rows": [None, {"a": 1}], "open": [None, 1, "x", [2], {"b": None}]}
    )
    assert [row["value"] for row in rows["things_values"]] == [1, None]
    assert [row["row"] for row in rows["things_rows"]] == [None, '{"a": 1}']
    assert [row["open"] for row in rows["things_open"]] == [None, "1", '"x"', "[2]", '{"b": null}']


def test_a_list_or_an_object_as_the_answer_are_records_either_way(make):
    """Where the records themselves are a list in one variant and an object in another, both are rows."""
    made = make({"oneOf": [obj(things=obj(a=INTEGER)), obj(things=several(obj(b=INTEGER)))]})
    assert made.rows({"things": {"a": 1}}) == {"things": [{"a": 1, "b": None}]}
    assert made.rows({"things": [{"b": 2}, {"b": 3}]})["things"] == [{"a": None, "b": 2}, {"a": None, "b": 3}]


def test_a_list_or_an_object_inside_a_row_is_json(make):
    """Inside a row no table can take both: it is JSON, and the line says why."""
    made = make(obj(things=several(obj(id=INTEGER, x={"oneOf": [obj(a=INTEGER), several(INTEGER)]}))))
    assert made.columns()["x"] == ("JSON", "x")
    assert "# as JSON: it is an object or a list" in made.text
    rows = made.rows({"things": [{"id": 1, "x": [1]}, {"id": 2, "x": {"a": 1}}, {"id": 3, "x": None}]})
    assert [row["x"] for row in rows["things"]] == ["[1]", '{"a": 1}', None]


@pytest.mark.parametrize(
    ("schema", "type_"),
    [
        (INTEGER, "INTEGER"),
        ({"type": "integer"}, "INTEGER"),
        ({"type": "number"}, "FLOAT"),
        ({"oneOf": [INTEGER, {"type": "number"}]}, "FLOAT"),
        ({"type": "boolean"}, "BOOLEAN"),
        (TEXT, "STRING"),
        ({**TEXT, "format": "date"}, "DATE"),
        ({**TEXT, "format": "date-time"}, "TIMESTAMP"),
        ({**TEXT, "format": "uri"}, "STRING"),
        ({"oneOf": [TEXT, INTEGER]}, "JSON"),
        ({"type": "object"}, "JSON"),
        ({"enum": ["a", 1]}, "JSON"),
    ],
)
def test_types(make, schema, type_):
    """Every scalar has the column type that holds all of its values."""
    assert make(obj(thing=obj(x=schema))).columns()["x"][0] == type_


@pytest.mark.parametrize(
    ("name", "description", "type_"),
    [
        ("created_at", "", "TIMESTAMP"),
        ("timestamp", "", "TIMESTAMP"),
        ("cache_timestamp", "", "TIMESTAMP"),
        ("started", "", "TIMESTAMP"),
        ("end", "", "TIMESTAMP"),
        ("until", "The duration until when it is valid.", "TIMESTAMP"),
        ("expires_at", "", "TIMESTAMP"),
        ("cooldown", "Timestamp until when it cools down.", "TIMESTAMP"),
        ("duration", "", "INTEGER"),
        ("cooldown", "Seconds it takes.", "INTEGER"),
        ("time_left", "Time left in seconds.", "INTEGER"),
        ("bounties_delay", "The minimum amount of time before the timestamp changes.", "INTEGER"),
        ("started", "Number of races started.", "INTEGER"),
        ("days_old", "", "INTEGER"),
        ("attend", "", "INTEGER"),
        ("restarted_count", "", "INTEGER"),
        ("format", "", "INTEGER"),
    ],
)
def test_times_are_proposed_by_name_and_description(make, name, description, type_):
    """What is called or described as a moment is proposed as TIMESTAMP; a length of time is not."""
    made = make(obj(thing=obj(**{name: {**INTEGER, "description": description}})))
    assert made.columns()[name][0] == type_
    assert ("proposed as TIMESTAMP" in "".join(made.draft.decisions)) == (type_ == "TIMESTAMP")


def test_a_proposed_time_never_costs_a_record(make):
    """Every int32 is a moment, so a wrong proposal refuses nothing; an int64 stays INTEGER, with a remark."""
    made = make(obj(thing=obj(ended=INTEGER, until={"type": "integer", "format": "int64"})))
    assert made.columns()["until"] == ("INTEGER", "until")
    assert "# perhaps unix seconds" in made.text
    for number in (-(2**31), 2**31 - 1, 0):
        assert len(made.rows({"thing": {"ended": number, "until": 2**63 - 1}})["things"]) == 1


def test_listed_values_become_a_check_that_warns(make):
    """An enum is checked without refusing; too long a one is only mentioned."""
    many = [f"v{n}" for n in range(61)]
    made = make(obj(thing=obj(a={"enum": ["x", "yes", "1"]}, b={"enum": many}, c={"enum": [1, 2, None]})))
    columns = made.endpoint.tables["things"].columns
    assert columns["a"].check.enum == ["x", "yes", "1"]
    assert columns["a"].check.severity == "warn"
    assert columns["b"].check is None
    assert "61 values are described; too many to check" in made.text
    assert columns["c"].check.enum == [1, 2]
    assert made.rows({"thing": {"a": "new", "b": "new", "c": None}})["things"][0]["a"] == "new"


def test_names_are_sane_and_unique(make):
    """Whatever fields are called, columns are lower-case, begin with a letter, and differ."""
    made = make(
        obj(
            thing=obj(
                a=obj(b_c=INTEGER),
                a_b=obj(c=INTEGER),
                camelCase=INTEGER,
                HTTPCode=INTEGER,
                **{"1st": INTEGER, "ärger": INTEGER, "日本": INTEGER, "with space": INTEGER},
                server_timestamp=INTEGER,
                _account=INTEGER,
            )
        )
    )
    assert list(made.columns()) == [
        "a_b_c", "a_b_c_2", "camel_case", "http_code", "n_1st", "arger", "field", "with_space",
        "server_timestamp_2", "account",
    ]  # fmt: skip


def test_long_names_are_cut_and_stay_apart(make):
    """Names too long for a warehouse keep their end, and differ where the fields do."""
    deep = obj(left=INTEGER, right=INTEGER)
    for n in range(30):
        deep = obj(**{f"level_{n:02}": deep})
    names = list(make(obj(thing=deep)).columns())
    assert len(set(names)) == 2
    assert all(len(name) <= 100 for name in names)


def test_reserved_and_taken_table_names_are_avoided(make):
    """A table that the ledger or another endpoint has gets a prefix."""
    made = make(obj(things=several(obj(id=INTEGER, parts=several(TEXT)))), taken=("things", "things_parts"))
    assert list(made.endpoint.tables) == ["torn_things", "torn_things_parts"]


@pytest.mark.parametrize("name", ["dotted.name", 'quoted"name', "back\\slash", ""])
def test_fields_that_no_path_reaches_are_kept_in_json_where_possible(make, name):
    """Inside an object it is kept as JSON with the object; in the record a comment says what is lost."""
    made = make(obj(thing=obj(ok=INTEGER, inner=obj(**{name: TEXT}))))
    assert made.columns() == {"ok": ("INTEGER", "ok"), "inner": ("JSON", "inner")}
    made = make(obj(thing=obj(ok=INTEGER, **{name: TEXT})))
    assert made.columns() == {"ok": ("INTEGER", "ok")}
    assert any("No column can take" in decision for decision in made.draft.decisions)


def test_what_is_always_null_is_ignored(make):
    """There is no type for it, and it is not new either."""
    made = make(obj(thing=obj(a=INTEGER, b={"type": "null"}, c=several({"type": "null"}))))
    assert made.endpoint.tables["things"].ignore == ["b", "c"]
    assert made.rows({"thing": {"a": 1, "b": None, "c": [None]}}) == {"things": [{"a": 1}]}


def test_a_tree_is_cut_where_it_repeats(make):
    """The children of what contains itself are JSON."""
    tree = obj(name=TEXT, children=several({"$ref": "#/components/schemas/Tree"}))
    made = make(obj(tree={"$ref": "#/components/schemas/Tree"}), components={"Tree": tree})
    leaf = {"name": "leaf", "children": []}
    rows = made.rows({"tree": {"name": "root", "children": [leaf]}})
    assert rows["things_children"][0]["child"] == '{"name": "leaf", "children": []}'
    assert "Tree contains itself" in made.text


def test_a_list_as_the_body(make):
    """A body that is a list of objects has its records at $."""
    made = make(several(obj(id=INTEGER)))
    assert made.rows([{"id": 1}, {"id": 2}]) == {"things": [{"id": 1}, {"id": 2}]}


@pytest.mark.parametrize("schema", [TEXT, several(TEXT), mapped(obj(a=TEXT)), {}, {"type": "null"}])
def test_an_answer_without_rows_is_refused(make, schema):
    """What is no object and no list of objects cannot be collected, and the error says so."""
    with pytest.raises(FixConfiguration, match="the answer is no object"):
        make(schema)


def test_descriptions_are_one_line_without_markup(make):
    """Tags, entities and line breaks go; a text that is too long ends at a word."""
    long = "word " * 200
    made = make(
        obj(
            thing=obj(
                a={**TEXT, "description": "One &amp;\n <br> <b>two</b>: #3"}, b={**TEXT, "description": long}
            )
        )
    )
    columns = made.endpoint.tables["things"].columns
    assert columns["a"].description == "One & two: #3"
    assert len(columns["b"].description) <= 300
    assert columns["b"].description.endswith("word…")


def test_the_same_document_gives_the_same_bytes(make):
    """Making it twice changes nothing, and columns come in the document's order."""
    schema = obj(things=several(obj(z=INTEGER, a=TEXT, m=several(TEXT), b={"enum": ["y", "x"]})))
    first = make(schema)
    assert make(schema).draft.files == first.draft.files
    assert list(first.columns()) == ["z", "a", "b"]


def test_too_many_columns_are_refused(make):
    """A table that the warehouse could not have is not made."""
    with pytest.raises(FixConfiguration, match="would have 10001 columns"):
        make(obj(thing=obj(**{f"c{n}": INTEGER for n in range(10_000)})))

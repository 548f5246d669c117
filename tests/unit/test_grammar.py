"""What an endpoint.yaml can say of a response, and the rows that come of it."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from fixtures.flat import FETCHED, columns, declare, flat, things

from shared.errors import BrokenContract, EndpointInvalid, FixConfiguration

ID = "id: {type: INTEGER, mode: REQUIRED, from: id}"


def test_a_list_of_records_gives_a_row_each() -> None:
    """A list of objects becomes one row per object, nested objects prefixed columns."""
    endpoint = declare(
        "things:\n  columns:\n    id: {type: INTEGER, from: id}\n    x: {type: STRING, from: a.b.c}"
    )
    found = flat(endpoint, things({"id": 1, "a": {"b": {"c": "é"}}}, {"id": 2, "a": None}, {"id": 3}))
    assert found.tables["things"] == [{"id": 1, "x": "é"}, {"id": 2, "x": None}, {"id": 3, "x": None}]


def test_a_single_object_is_one_record() -> None:
    """An object where the records stand is one record."""
    assert flat(declare(columns(id="INTEGER")), {"things": {"id": 1}}).column("id") == [1]


def test_the_body_itself_can_be_the_record() -> None:
    """`$` takes the whole body as the record; the source's own keys beside it are no drift."""
    endpoint = declare(columns(id="INTEGER"), requests="things: {path: /t}")
    found = flat(endpoint, {"id": 1, "_metadata": {"links": {}}})
    assert (found.column("id"), found.drift) == ([1], set())


def test_the_body_itself_can_be_the_list() -> None:
    """`$` takes a body that is a list as its records."""
    endpoint = declare(columns(id="INTEGER"), requests="things: {path: /t}")
    assert flat(endpoint, [{"id": 1}, {"id": 2}]).column("id") == [1, 2]


def test_records_can_stand_deep_in_the_body() -> None:
    """`records` is a path."""
    endpoint = declare(columns(id="INTEGER"), requests="things: {path: /t, records: a.b}")
    assert flat(endpoint, {"a": {"b": [{"id": 1}]}}).column("id") == [1]


def test_a_map_of_records_gives_each_its_key() -> None:
    """`$key` makes the records a map."""
    endpoint = declare(columns(name="STRING from: $key", n="INTEGER"))
    found = flat(endpoint, {"things": {"a": {"n": 1}, "b": {"n": None}}})
    assert found.tables["things"] == [{"name": "a", "n": 1}, {"name": "b", "n": None}]


@pytest.mark.parametrize("records", [[], None, {}])
def test_no_records_give_no_rows(records: object) -> None:
    """An empty list, an empty map and null are no records, and no error."""
    mapped = declare(columns(name="STRING from: $key")) if records == {} else declare(columns(id="INTEGER"))
    found = flat(mapped, {"things": records})
    assert (found.tables["things"], found.rejected, found.flattener.quality.records) == ([], [], 0)


@pytest.mark.parametrize(
    "body",
    [{}, {"other": []}, [], 5, "x", None, {"things": 5}, {"things": "x"}, {"things": True}],
)
def test_no_place_for_records_breaks_the_contract(body: object) -> None:
    """Where the records should stand is not there, or is nothing that could hold them."""
    with pytest.raises(BrokenContract, match=r"'things'.*compare the archived answer"):
        flat(declare(columns(id="INTEGER")), body)


def test_a_list_where_a_map_is_declared_breaks_the_contract() -> None:
    """Records without keys are not taken for records with the key NULL."""
    with pytest.raises(BrokenContract, match="a map was declared"):
        flat(declare(columns(name="STRING from: $key", n="INTEGER")), things({"n": 1}))


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b'{"things": [{"id": 1}', b'{"things": []} x', b"\xff\xfe", b"{]"]
)
def test_what_is_no_json_breaks_the_contract(body: bytes) -> None:
    """A page that is cut off, or no JSON at all, is no page without records."""
    with pytest.raises(BrokenContract):
        flat(declare(columns(id="INTEGER")), body)


def test_several_requests_feed_several_tables() -> None:
    """Each table takes the request that it names; one request's pages leave the other's tables alone."""
    endpoint = declare(
        "a:\n  request: one\n  columns: {id: {type: INTEGER, from: id}}\n"
        "b:\n  request: two\n  columns: {n: {type: STRING, from: n}}",
        requests="one: {path: /a, records: x}\ntwo: {path: /b, records: x}",
    )
    assert flat(endpoint, {"x": [{"id": 1}]}, request="one").tables == {"a": [{"id": 1}]}
    assert flat(endpoint, {"x": [{"n": "s"}]}, request="two").tables == {"b": [{"n": "s"}]}


CHILD = f"""
things:
  columns:
    {ID}
    name: {{type: STRING, from: name}}
    faction: {{type: INTEGER, from: $faction_id}}
parts:
  each: a.parts
  parent: {{thing_id: id, thing_name: name, faction: faction}}
  columns:
    n: {{type: INTEGER, from: $index}}
    size: {{type: INTEGER, from: size}}
"""


def test_a_list_inside_becomes_a_table_with_the_parents_columns() -> None:
    """Each element is a row; the parent's columns, constants too, are repeated in it."""
    found = flat(
        declare(CHILD),
        things(
            {"id": 1, "name": "x", "a": {"parts": [{"size": 5}, {"size": None}]}},
            {"id": 2, "a": {"parts": [{}]}},
        ),
    )
    assert found.tables["parts"] == [
        {"thing_id": 1, "thing_name": "x", "faction": 7, "n": 0, "size": 5},
        {"thing_id": 1, "thing_name": "x", "faction": 7, "n": 1, "size": None},
        {"thing_id": 2, "thing_name": None, "faction": 7, "n": 0, "size": None},
    ]


@pytest.mark.parametrize("record", [{}, {"a": None}, {"a": {}}, {"a": {"parts": None}}, {"a": {"parts": []}}])
def test_a_list_that_is_not_there_loses_no_parent(record: dict[str, object]) -> None:
    """Empty, null and missing lists give no child, and the parent's row stays."""
    found = flat(declare(CHILD), things({"id": 1} | record, {"id": 2, "a": {"parts": [{"size": 1}]}}))
    assert found.column("id") == [1, 2]
    assert found.column("thing_id", "parts") == [2]
    alone = flat(declare(CHILD), things({"id": 1} | record))
    assert (alone.column("id"), alone.tables["parts"]) == ([1], [])


def test_lists_and_maps_of_scalars() -> None:
    """`$value` is the element itself, `$key` its key; a null element is a row with NULL."""
    endpoint = declare(
        f"""
        things:
          columns: {{ {ID} }}
        tags:
          each: tags
          parent: {{thing_id: id}}
          columns: {{i: {{type: INTEGER, from: $index}}, tag: {{type: STRING, from: $value}}}}
        stats:
          each: stats
          parent: {{thing_id: id}}
          columns: {{stat: {{type: STRING, from: $key}}, value: {{type: FLOAT, from: $value}}}}
        """
    )
    found = flat(
        endpoint, things({"id": 1, "tags": ["a", None, "b"], "stats": {"x": 1, "y": 2.5}}, {"id": 2})
    )
    assert found.tables["tags"] == [
        {"thing_id": 1, "i": 0, "tag": "a"},
        {"thing_id": 1, "i": 1, "tag": None},
        {"thing_id": 1, "i": 2, "tag": "b"},
    ]
    assert found.tables["stats"] == [
        {"thing_id": 1, "stat": "x", "value": 1.0},
        {"thing_id": 1, "stat": "y", "value": 2.5},
    ]


def test_a_map_of_objects_becomes_a_table() -> None:
    """A child's `$key` makes its place a map."""
    endpoint = declare(
        f"""
        things:
          columns: {{ {ID} }}
        members:
          each: members
          parent: {{thing_id: id}}
          columns:
            who: {{type: STRING, from: $key}}
            level: {{type: INTEGER, from: level}}
        """
    )
    found = flat(endpoint, things({"id": 1, "members": {"ann": {"level": 3}, "bob": {}}}))
    assert found.tables["members"] == [
        {"thing_id": 1, "who": "ann", "level": 3},
        {"thing_id": 1, "who": "bob", "level": None},
    ]


def test_nested_arrays_and_grandchildren() -> None:
    """A list in a list is a table `of` the outer one; the parent's columns reach down two levels."""
    endpoint = declare(
        f"""
        things:
          columns: {{ {ID} }}
        outer:
          each: grid
          parent: {{thing_id: id}}
          columns: {{x: {{type: INTEGER, from: $index}}}}
        inner:
          of: outer
          each: $value
          parent: {{thing_id: thing_id, x: x}}
          columns: {{y: {{type: INTEGER, from: $index}}, value: {{type: INTEGER, from: $value}}}}
        """
    )
    found = flat(endpoint, things({"id": 8, "grid": [[1, 2], [], None, [3]]}, {"id": 9, "grid": [[4]]}))
    assert [tuple(row.values()) for row in found.tables["inner"]] == [
        (8, 0, 0, 1), (8, 0, 1, 2), (8, 3, 0, 3), (9, 0, 0, 4),
    ]  # fmt: skip
    assert [tuple(row.values()) for row in found.tables["outer"]] == [(8, 0), (8, 1), (8, 2), (8, 3), (9, 0)]


def test_tables_may_be_declared_before_their_parents() -> None:
    """The order in the file is no matter."""
    endpoint = declare(
        f"""
        pets:
          of: members
          each: pets
          parent: {{thing_id: thing_id, who: who}}
          columns: {{pet: {{type: STRING, from: name}}}}
        members:
          each: a.members
          parent: {{thing_id: id}}
          columns: {{who: {{type: STRING, from: who}}}}
        things:
          columns: {{ {ID} }}
        """
    )
    record = {
        "id": 1,
        "a": {"members": [{"who": "ann", "pets": [{"name": "rex"}, {"name": "tom"}]}, {"who": "bob"}]},
    }
    assert flat(endpoint, things(record)).tables["pets"] == [
        {"thing_id": 1, "who": "ann", "pet": "rex"},
        {"thing_id": 1, "who": "ann", "pet": "tom"},
    ]


def test_children_need_no_table_of_the_records() -> None:
    """Lists can be taken from records that no table takes themselves."""
    endpoint = declare("parts:\n  each: parts\n  columns: {n: {type: INTEGER, from: n}}")
    assert flat(endpoint, things({"parts": [{"n": 1}]}, {"parts": [{"n": 2}]})).column("n", "parts") == [1, 2]


def test_times_dates_and_json() -> None:
    """Epochs in s and ms and ISO texts become UTC; a DATE is a date; JSON keeps its text, null is NULL."""
    endpoint = declare(
        columns(
            s="TIMESTAMP unit: s",
            ms="TIMESTAMP unit: ms",
            iso="TIMESTAMP unit: iso",
            day="DATE",
            extra="JSON",
        )
    )
    body = (
        b'{"things": [{"s": 1700000000, "ms": 1700000000123, "iso": "2023-11-14T23:13:20.5+01:00",'
        b' "day": "2024-02-29", "extra": {"a": [1, 2.50]}}, {"iso": "2024-01-01T00:00:00", "extra": null},'
        b' {"extra": "null"}]}'
    )
    rows = flat(endpoint, body).tables["things"]
    at = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert rows[0] == {
        "s": at,
        "ms": at.replace(microsecond=123_000),
        "iso": at.replace(microsecond=500_000),
        "day": date(2024, 2, 29),
        "extra": '{"a": [1, 2.50]}',
    }
    assert rows[1] | {"iso": None} == dict.fromkeys(rows[0])
    assert rows[1]["iso"] == datetime(2024, 1, 1, tzinfo=UTC)
    assert rows[2]["extra"] == '"null"'


def test_constants_and_columns_without_source() -> None:
    """What the run knows stands in every row; a column without `from` is NULL."""
    endpoint = declare(
        """
        things:
          columns:
            at: {type: TIMESTAMP, mode: REQUIRED, from: $fetched_at}
            run: {type: STRING, from: $run_id}
            who: {type: STRING, from: $account}
            faction: {type: INTEGER, from: $faction_id}
            gone: {type: INTEGER, description: No source any more.}
            id: {type: INTEGER, from: id}
        """
    )
    assert flat(endpoint, things({"id": 1})).tables["things"] == [
        {"at": FETCHED, "run": "made/default/1", "who": "default", "faction": 7, "gone": None, "id": 1}
    ]


def test_a_constant_that_is_required_must_be_set() -> None:
    """A REQUIRED column never holds NULL: a faction id that nobody has set is a mistake of the settings."""
    endpoint = declare("things:\n  columns:\n    f: {type: INTEGER, mode: REQUIRED, from: $faction_id}")
    with pytest.raises(FixConfiguration, match=r"takes \$faction_id, which is not set.*ACCOUNTS"):
        flat(endpoint, things({}), **{"$faction_id": None})


def test_two_columns_may_take_one_place_as_the_same_type() -> None:
    """One value can stand in two columns; REQUIRED in one of them is enough to need it."""
    endpoint = declare(columns(a="INTEGER from: x", b="INTEGER from: x, mode: REQUIRED"))
    found = flat(endpoint, things({"x": 1}, {}))
    assert (found.tables["things"], found.faults) == (
        [{"a": 1, "b": 1}],
        [("things[1]", "Object missing required field `x`")],
    )


def test_a_column_can_bear_the_name_of_the_envelopes_key_in_a_record() -> None:
    """The source's own key is its own beside the records only."""
    endpoint = declare(columns(m="STRING from: _metadata"))
    assert flat(endpoint, {"things": [{"_metadata": "mine"}], "_metadata": {}}).column("m") == ["mine"]


def test_the_sources_own_key_cannot_be_a_column_of_the_body() -> None:
    """Where the body is the record, a column of the envelope is refused."""
    endpoint = declare(columns(m="STRING from: _metadata"), requests="things: {path: /t}")
    with pytest.raises(FixConfiguration, match="the source's own key"):
        flat(endpoint, {"_metadata": "mine"})


def test_required_json_is_not_null() -> None:
    """A REQUIRED JSON column refuses null as every other."""
    found = flat(declare(columns(j="JSON mode: REQUIRED")), things({"j": None}, {"j": 0}, {}))
    assert found.column("j") == ["0"]
    assert found.faults == [
        ("things[0].j", "is NULL, but REQUIRED"),
        ("things[2]", "Object missing required field `j`"),
    ]


def test_the_same_records_can_fill_a_second_table() -> None:
    """`of` without `each` takes all of a table's records again: their history beside their present."""
    endpoint = declare(
        """
        things:
          mode: replace
          key: [id]
          columns:
            at: {type: TIMESTAMP, mode: REQUIRED, from: $fetched_at}
            id: {type: INTEGER, mode: REQUIRED, from: id}
            name: {type: STRING, from: name}
        parts:
          each: parts
          mode: replace
          parent: {id: id}
          columns:
            at: {type: TIMESTAMP, mode: REQUIRED, from: $fetched_at}
            part: {type: STRING, from: $value}
        prices:
          of: things
          columns:
            thing: {type: INTEGER, from: id}
            price: {type: FLOAT, from: value.price}
        """
    )
    one = {"id": 1, "name": "a", "parts": ["x", "y"], "value": {"price": 2.5}}
    found = flat(endpoint, things(one, {"id": 2}, one))
    assert found.tables["prices"] == [{"thing": 1, "price": 2.5}, {"thing": 2, "price": None}]
    assert [row["part"] for row in found.tables["parts"]] == ["x", "y"]
    assert found.column("id") == [1, 2]
    assert found.drift == set()


def test_records_inside_others_cannot_be_taken_again() -> None:
    """`of` without `each` is for a table of the records themselves."""
    with pytest.raises(EndpointInvalid, match="`of` names the list"):
        declare(
            """
            things: {columns: {id: {type: INTEGER, from: id}}}
            parts: {each: parts, columns: {part: {type: STRING, from: $value}}}
            again: {of: parts, columns: {part: {type: STRING, from: x}}}
            """
        )

"""Which table belongs where."""

from __future__ import annotations

import msgspec
import pytest
from fixtures.flat import columns, declare

from shared.endpoint import Endpoint
from shared.endpoint_rules import request_of, root_table, rule_problems, table_columns

BASE = {
    "name": "made",
    "description": "Made up.",
    "source": "torn",
    "requests": {"one": {"path": "/a"}, "two": {"path": "/b"}},
    "every": "PT15M",
    "key": "k",
    "calls_per_minute": 1,
}


def _made(**tables: dict[str, object]) -> Endpoint:
    return msgspec.convert(BASE | {"tables": {n: {"columns": {}} | t for n, t in tables.items()}}, Endpoint)


def test_tables_find_their_request_and_parent() -> None:
    """A child takes the request of the table that it is `of`, else the one it names; so its parent."""
    endpoint = _made(
        a={"request": "one"},
        b={"request": "two"},
        a_child={"request": "one", "each": "x"},
        b_child={"of": "b", "each": "x"},
        b_grandchild={"of": "b_child", "each": "y"},
    )
    assert [request_of(endpoint, t) for t in endpoint.tables.values()] == ["one", "two", "one", "two", "two"]
    assert [root_table(endpoint, n) for n in endpoint.tables] == [None, None, "a", "b", "b_child"]


@pytest.mark.parametrize("each", [None, "x"])
def test_tables_in_a_circle_are_told_and_do_not_hang(each: str | None) -> None:
    """Whether they take lists or not, and beside a table that is right."""
    endpoint = _made(
        a={"of": "b", "each": each},
        b={"of": "a", "each": each},
        c={"of": "a", "each": "x"},
        d={"request": "one"},
        e={"request": "two", "each": "x"},
    )
    said = {path: what for path, what in rule_problems(endpoint) if path[-1] == "of"}
    assert set(said) == {("tables", name, "of") for name in "abc"}
    assert said["tables", "a", "of"] == "found 'b'; it leads back to 'a'"


def test_a_parents_columns_come_with_their_types() -> None:
    """Down two levels; a check stays with the parent, and only its key is REQUIRED in the child."""
    endpoint = declare(
        """
        things:
          key: [id]
          columns:
            id: {type: INTEGER, mode: REQUIRED, from: id, check: {min: 1}}
        parts:
          each: parts
          parent: {thing: id}
          key: [thing]
          columns: {}
        bits:
          of: parts
          each: bits
          parent: {thing: thing}
          columns: {}
        """
    )
    column = table_columns(endpoint, "bits")["thing"]
    assert (column.type, column.mode, column.check) == ("INTEGER", "REQUIRED", None)


def test_a_partition_can_be_a_parents_column() -> None:
    """What the parent repeats in the child can be its partition and cluster."""
    endpoint = declare(
        "things:\n  columns:\n    at: {type: TIMESTAMP, from: at}\n"
        "parts:\n  each: parts\n  partition: at\n  cluster: [at]\n  parent: {at: at}\n  columns: {}"
    )
    assert endpoint.tables["parts"].partition == "at"


def test_a_right_endpoint_has_no_problems() -> None:
    """Nothing is made up."""
    assert list(rule_problems(declare(columns(id="INTEGER")), "made")) == []


@pytest.mark.parametrize(
    ("every", "writer", "fine"),
    [("PT1M", "load", False), ("PT4M", "load", False), ("PT5M", "load", True), ("PT1M", "stream", True)],
)
def test_what_runs_often_is_streamed(every: str, writer: str, *, fine: bool) -> None:
    """A table takes so many load jobs a day: under five minutes an endpoint needs the other writer."""
    endpoint = msgspec.structs.replace(
        _made(a={"request": "one"}, b={"request": "two"}), every=every, writer=writer
    )
    said = [what for path, what in rule_problems(endpoint) if path == ("every",)]
    assert (said == []) == fine
    assert fine or "1,500 load jobs a day" in said[0]

"""An answer cut into its records, whatever is inside them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import BrokenContract
from shared.isolate import split_records
from shared.split import Pieces

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.lists(_json),
    st.dictionaries(st.text().filter(lambda key: key != "rows"), _json, max_size=3),
    st.sampled_from([None, 1]),
)
def test_the_scanner_cuts_as_the_decoder_does(
    records: list[Any], beside: dict[str, Any], indent: int | None
) -> None:
    """Brackets, quotes, commas and colons inside texts do not cut, and white space is no matter."""
    text = json.dumps(beside | {"rows": records}, ensure_ascii=False, indent=indent).encode(
        "utf-8", "surrogatepass"
    )
    spoiled = json.dumps(beside | {"rows": [*records, float("nan")]}, ensure_ascii=False, indent=indent)
    for body, expected in ((text, records), (spoiled.encode("utf-8", "surrogatepass"), [*records, "NaN"])):
        pieces = split_records(body, ["rows"])
        assert pieces.kind == "list"
        found = [raw.decode("utf-8", "surrogatepass") for _, raw in pieces.items]
        assert [one if one == "NaN" else json.loads(one) for one in found] == expected


@given(st.dictionaries(st.text(), _json))
def test_a_map_is_cut_by_its_keys(records: dict[str, Any]) -> None:
    """Each record comes with its key, also where one of them is no JSON."""
    body = json.dumps({"rows": records | {"bad": float("inf")}}).encode()
    pieces = split_records(body, ["rows"], mapped=True)
    assert pieces.kind == "map"
    assert [key for key, _ in pieces.items] == list(records | {"bad": 0})


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b'{"rows": [{"id": NaN}', "breaks off before its end"),
        (b'{"rows": [{"id": "x}]}', "breaks off inside a text"),
        (b'{"rows": [{"id": NaN]}', "brackets do not match"),
        (b'{"rows": [NaN]} more', "stands behind its end"),
        (b'{"rows": [], "x": nul}', "no JSON"),
        (b'{"rows": null, "x": \xff}', "no JSON"),
        (b'{"rows" []}', "is missing"),
        (b"{rows: []}", "a key is no text"),
        (b'{"x": [NaN]}', "'rows' is missing"),
        (b'{"rows": tru}', "neither list, object nor null"),
    ],
)  # fmt: skip
def test_what_cannot_be_cut_breaks_the_contract(body: bytes, why: str) -> None:
    """The error says what is wrong with the answer as a whole."""
    with pytest.raises(BrokenContract, match=why):
        split_records(body, ["rows"])


@pytest.mark.parametrize(
    "body", [b'{"rows": null}', b' {"rows" : null , "x": NaN}', b'\xef\xbb\xbf{"rows": []}']
)
def test_null_and_empty_are_no_records(body: bytes) -> None:
    """Neither null nor an empty list is an error, nor is a byte order mark."""
    assert split_records(body, ["rows"]) == Pieces("list", [])


def test_a_record_keeps_its_bytes() -> None:
    """What is kept of a record is what the API sent, to the byte."""
    body = b'{"rows": [ {"a" : 1.50, "b":"\\u00e9\xff"} , {"a":NaN}]}'
    assert split_records(body, ["rows"]).items == [
        (None, b'{"a" : 1.50, "b":"\\u00e9\xff"}'),
        (None, b'{"a":NaN}'),
    ]


def test_cutting_is_linear() -> None:
    """Quotes, brackets and backslashes without end are passed once."""
    for body in (
        b'{"rows": [' + b'"' * 500_001,
        b'{"rows": [' + b"\\" * 500_000,
        b'{"rows": "' + b"\\" * 500_001,
        b"{" * 500_000,
    ):
        with pytest.raises(BrokenContract):
            split_records(body, ["rows"])

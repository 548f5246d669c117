"""Strictness: what is not as declared is set aside with its place and reason, and nothing else is."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from fixtures.flat import CONSTANTS, ROOT, columns, declare, flat, things
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.endpoint_file import load_endpoint
from shared.errors import BrokenContract
from shared.flatten import Flattener

CRIMES = load_endpoint(ROOT / "functions" / "crimes" / "endpoint.yaml")
WRONG = {
    "INTEGER": ["7.5", '"7"', "true", "1.0", "1e3", str(2**63), str(-(2**63) - 1), "1" * 5_000, "[]", "{}"],
    "FLOAT": ['"7.5"', "false", str(2**53 + 1), "1e999", "-1e999", "NaN", "Infinity", "9" * 30, "[1.5]"],
    "BOOLEAN": ["0", "1", '"true"', "1.0", "[]"],
    "STRING": ["1", "1.5", "true", "[]", "{}", r'"\ud800"', r'"a\udfffb"', r'"\udc00\ud800"', '"\udcff"'],
    "TIMESTAMP": [
        "1700000000000",
        "253402300800",
        "-62135596801",
        "1.5",
        '"1700000000"',
        "true",
        '"2024-01-01"',
    ],
    "TIMESTAMP unit: ms": ["253402300800000", "1.5", '"2024-01-01T00:00:00Z"'],
    "TIMESTAMP unit: iso": [
        "1700000000",
        '"x"',
        '"2024-01-01"',
        '"2024-13-01T00:00:00Z"',
        '"10000-01-01T00:00:00Z"',
        '"9999-12-31T23:59:59-01:00"',
        '"0001-01-01T00:00:00+01:00"',
    ],
    "DATE": ["1", '"2024-02-30"', '"2024-01-01T00:00:00Z"', '"1.1.2024"'],
    "JSON": [
        "NaN",
        r'"\ud800"',
        r'{"a": "\udc00x"}',
        '{"a": "\udcff"}',
        "1e999",
        "[" * 30_000 + "]" * 30_000,
    ],
}
RIGHT = {
    "INTEGER": [("-0", 0), (str(2**63 - 1), 2**63 - 1), (str(-(2**63)), -(2**63))],
    "FLOAT": [
        ("1", 1.0),
        ("80.5", 80.5),
        (str(2**53), float(2**53)),
        (str(2**60), float(2**60)),
        ("1e3", 1000.0),
    ],
    "BOOLEAN": [("true", True), ("false", False)],
    "STRING": [('""', ""), ('"None"', "None"), (r'"\ud83d\ude00"', "😀"), (r'"a\u0000b"', "a\x00b")],
    "TIMESTAMP": [
        ("0", datetime(1970, 1, 1, tzinfo=UTC)),
        ("253402300799", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
    "JSON": [('""', '""'), ("[1, 2]", "[1, 2]"), (r'"\ud83d\ude00"', r'"\ud83d\ude00"')],
}


def _page(*values: str) -> bytes:
    records = ", ".join(f'{{"id": {n}, "deep": {{"x": {value}}}}}' for n, value in enumerate(values))
    return f'{{"things": [{records}]}}'.encode("utf-8", "surrogateescape")


def _typed(kind: str) -> Any:
    type_, _, rest = kind.partition(" ")
    return declare(columns(id="INTEGER", x=f"{type_} from: deep.x{', ' + rest if rest else ''}"))


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_type_is_set_aside_and_never_coerced(kind: str) -> None:
    """Each wrong value costs its own record, names the place inside it and keeps its JSON."""
    endpoint = _typed(kind)
    for wrong in WRONG[kind]:
        found = flat(endpoint, _page("null", wrong, "null"))
        assert found.column("id") == [0, 2], wrong[:60]
        assert found.column("x") == [None, None]
        (rejected,) = found.rejected
        if not wrong.startswith("[[[["):
            assert rejected.path == "things[1].deep.x", wrong
        assert rejected.reason
        assert rejected.request == "things"
        record = f'{{"id": 1, "deep": {{"x": {wrong}}}}}'.encode("utf-8", "surrogateescape")
        assert rejected.raw == record.decode("utf-8", "backslashreplace")
        assert (found.flattener.quality.records, found.flattener.quality.rejected) == (3, 1)
    assert flat(endpoint, _page(*WRONG[kind])).tables["things"] == []


@pytest.mark.parametrize("kind", RIGHT)
def test_a_right_value_is_kept_as_it_is(kind: str) -> None:
    """Values at the edges of their type arrive unchanged; an integer for FLOAT is the same number."""
    texts, values = zip(*RIGHT[kind], strict=True)
    found = flat(_typed(kind), _page(*texts))
    assert found.column("x") == list(values)
    assert list(map(type, found.column("x"))) == list(map(type, values))
    assert found.rejected == []


PARTS = """
things:
  columns:
    id: {type: INTEGER, mode: REQUIRED, from: id}
parts:
  each: a.parts
  columns:
    f: {type: FLOAT, from: f}
    s: {type: STRING, from: s}
tags:
  of: parts
  each: tags
  columns:
    k: {type: STRING, from: $key}
    v: {type: FLOAT, from: v.w}
"""


@pytest.mark.parametrize(
    ("record", "path"),
    [
        ('{"id": 5, "a": {"parts": [{}, {"f": "x"}]}}', "things[1].a.parts[1].f"),
        ('{"id": 5, "a": {"parts": [{}, {}, {"f": 9007199254740993}]}}', "things[1].a.parts[2].f"),
        ('{"id": 5, "a": {"parts": [{}, {"s": "\\ud800"}]}}', "things[1].a.parts[1].s"),
        (
            '{"id": 5, "a": {"parts": [{"tags": {"p": {}, "q": {"v": {"w": true}}}}]}}',
            "things[1].a.parts[0].tags['q'].v.w",
        ),
        (
            (
                '{"id": 5, "a": {"parts": [{}, {"tags": {"p": {}}}, '
                '{"tags": {"q": {"v": {"w": 9007199254740993}}}}]}}'
            ),
            "things[1].a.parts[2].tags['q'].v.w",
        ),
        ('{"id": 5, "a": {"parts": [{}, null]}}', "things[1].a.parts[1]"),
        ('{"id": 5, "a": {"parts": {}}}', "things[1].a.parts"),
        ('{"id": 5, "a": []}', "things[1].a"),
        ('{"a": null}', "things[1]"),
        ('{"id": null}', "things[1].id"),
        ("null", "things[1]"),
        ("7", "things[1]"),
        ("[1]", "things[1]"),
        ('{"id": 5, "new": NaN}', "things[1].new"),
        ('{"id": 5, "\\ud800": 1}', "things[1].\\ud800"),
        ('{"id": 5, "id": "x"}', "things[1].id"),
        ('{"id": "x", "id": 5}', "things[1].id"),
        ('{"id": 5 "a": 1}', "things[1]"),
    ],
)
def test_the_path_is_exact(record: str, path: str) -> None:
    """Where the value stands is told to the index and key, also where the record is no JSON."""
    found = flat(declare(PARTS), f'{{"things": [{{"id": 1}}, {record}, {{"id": 3}}]}}'.encode())
    assert [one.path for one in found.rejected] == [path]
    assert found.column("id") == [1, 3]


def test_paths_in_maps_and_single_records() -> None:
    """A record in a map is named by its key, a single one by its place alone."""
    mapped = declare(columns(k="STRING from: $key", n="INTEGER"))
    assert flat(mapped, {"things": {"a": {"n": 1}, "b": {"n": "x"}}}).rejected[0].path == "things['b'].n"
    assert flat(declare(columns(n="INTEGER")), {"things": {"n": "x"}}).rejected[0].path == "things.n"
    body = declare(columns(n="INTEGER"), requests="things: {path: /t}")
    assert flat(body, {"n": "x"}).rejected[0].path == "$.n"


def test_a_lone_surrogate_in_a_maps_key_costs_that_record() -> None:
    """A key that no store could keep sets its record aside, and nothing told of it holds a surrogate."""
    mapped = declare(columns(k="STRING from: $key", n="INTEGER"))
    found = flat(mapped, b'{"things": {"a": {"n": 1}, "\\ud800": {"n": 2}}}')
    assert found.column("k") == ["a"]
    assert found.rejected[0].path.encode() == b"things['\\ud800']"


def test_nesting_without_end_costs_one_record() -> None:
    """A record nested a hundred thousand deep is set aside, the others are kept."""
    deep = b"[" * 100_000 + b"]" * 100_000
    found = flat(
        declare(columns(id="INTEGER")), b'{"things": [{"id": 1}, {"id": 2, "x": ' + deep + b'}, {"id": 3}]}'
    )
    assert found.column("id") == [1, 3]
    assert found.faults == [("things[1]", "nested too deeply")]
    assert len(found.rejected[0].raw) == 64 * 1024


def test_of_a_key_given_twice_the_last_counts() -> None:
    """As every JSON parser has it; each of them must be as declared."""
    assert flat(declare(columns(id="INTEGER")), b'{"things": [], "things": [{"id": 1, "id": 2}]}').column(
        "id"
    ) == [2]


def test_bad_records_new_fields_and_duplicates_at_once() -> None:
    """One page can have everything wrong with it; each is told, and what is right is kept."""
    endpoint = declare(
        "things:\n  key: [id]\n  columns:\n    id: {type: INTEGER, mode: REQUIRED, from: id}\n"
        "    n: {type: INTEGER, from: n}"
    )
    found = flat(
        endpoint,
        things({"id": 1, "n": 1}, {"id": 2, "n": "x"}, {"id": 3, "new": 1}, {"id": 1, "n": 4}, {"n": 5}),
    )
    assert found.tables["things"] == [{"id": 1, "n": 1}, {"id": 3, "n": None}]
    assert [path for path, _ in found.faults] == ["things[1].n", "things[4]"]
    assert found.drift == {("things[].new", "integer")}
    quality = found.flattener.quality
    assert (quality.records, quality.rejected, quality.duplicates) == (5, 2, {"things": 1})


def test_a_rejected_record_takes_its_children_along() -> None:
    """No child of a record that is set aside is kept, and no record for a child that is."""
    found = flat(declare(PARTS), things({"id": 1, "a": {"parts": [{"f": 1}, {"f": "x"}]}}, {"id": 2}))
    assert (found.column("id"), found.tables["parts"]) == ([2], [])


def test_what_is_told_of_a_rejected_record_is_bounded() -> None:
    """A value or key of a megabyte does not make the ledger's row one."""
    endpoint = declare(columns(s="STRING check: {enum: [a], severity: reject}"))
    (rejected,) = flat(endpoint, things({"s": "x" * 1_000_000})).rejected
    assert (len(rejected.raw), len(rejected.reason)) == (64 * 1024, 500)


# ---------------------------------------------------------------------------- against a slow, obvious reading


def _at(value: Any, path: str) -> Any:
    for key in path.split("."):
        value = value.get(key) if value is not None else None
    return value


def _as_typed(value: Any, column: Any) -> Any:
    if value is None:
        return None
    if column.type == "TIMESTAMP":
        return datetime.fromtimestamp(value, UTC)
    return float(value) if column.type == "FLOAT" else value


def _reference(page: dict[str, Any]) -> dict[str, list[tuple[Any, ...]]]:
    tables: dict[str, list[tuple[Any, ...]]] = {name: [] for name in CRIMES.tables}
    for crime in page["crimes"]:
        own: dict[str, Any] = {}
        for name, table in CRIMES.tables.items():
            elements = [crime] if table.each is None else _at(crime, table.each) or []
            for index, element in enumerate(elements):
                row = [own[theirs] for theirs in table.parent.values()]
                for column_name, column in table.columns.items():
                    source = column.from_
                    fixed = {
                        None: None,
                        "$index": index,
                        "$fetched_at": CONSTANTS["$fetched_at"],
                        "$faction_id": 7,
                    }
                    value = fixed[source] if source in fixed else _as_typed(_at(element, str(source)), column)
                    row.append(value)
                    if table.each is None:
                        own[column_name] = value
                tables[name].append(tuple(row))
    return tables


_epochs = st.integers(0, 2_000_000_000)
_ids = st.integers(1, 2**40)


def _maybe(strategy: Any) -> Any:
    return st.none() | strategy


def _some(required: dict[str, Any], **optional: Any) -> Any:
    return st.fixed_dictionaries(required, optional={k: _maybe(v) for k, v in optional.items()})


_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
_slot = _some(
    {},
    position=_text,
    position_info=_some({}, id=_text, label=_text, number=st.integers(0, 9)),
    user=_some(
        {},
        id=_ids,
        joined_at=_epochs,
        progress=st.integers(0, 100) | st.floats(0, 100),
        outcome=_text,
        outcome_duration=_ids,
        item_outcome=_some({}, owned_by=_text, item_id=_ids, item_uid=_ids, outcome=_text),
    ),
    checkpoint_pass_rate=st.integers(0, 100),
    item_requirement=_some({}, id=_ids, is_reusable=st.booleans(), is_available=st.booleans()),
)
_crime = _some(
    {},
    name=_text,
    difficulty=st.integers(0, 12),
    status=_text,
    created_at=_epochs,
    planning_at=_epochs,
    executed_at=_epochs,
    previous_crime_id=_ids,
    slots=st.lists(_slot, max_size=3),
    rewards=_some(
        {},
        money=st.integers(-5, 2**62),
        items=st.lists(_some({}, id=_ids, quantity=_ids), max_size=3),
        respect=_ids,
        payout=_some({}, type=_text, percentage=st.floats(0, 100), paid_by=_ids, paid_at=_epochs),
    ),
)
_pages = st.lists(_crime, max_size=4).map(
    lambda crimes: {
        "crimes": [crime | {"id": n} for n, crime in enumerate(crimes)],
        "_metadata": {"links": None},
    }
)


def _spots(value: Any) -> list[tuple[Any, Any]]:
    """Return every place of a value that can be replaced."""
    found: list[tuple[Any, Any]] = []
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        found.append((value, key))
        if isinstance(inner, dict | list):
            found += _spots(inner)
    return found


@settings(deadline=None, max_examples=150)
@given(page=_pages, data=st.data())
def test_the_tables_are_those_of_a_slow_and_obvious_reading(
    page: dict[str, Any], data: st.DataObject
) -> None:
    """Row by row; records with one wrong value are left out, and only they."""
    bad = set()
    good = {"crimes": list(page["crimes"])}
    for number, crime in enumerate(page["crimes"]):
        if data.draw(st.integers(0, 3), label="spoil") == 0:
            spoiled = json.loads(json.dumps(crime))
            inside, key = data.draw(st.sampled_from(_spots(spoiled)), label="where")
            # A type that no column of crimes has, nor any object or list in it.
            inside[key] = data.draw(st.sampled_from([[1.5], [[]], ["x"]]), label="what")
            page["crimes"][number] = spoiled
            bad.add(number)
    good["crimes"] = [crime for number, crime in enumerate(good["crimes"]) if number not in bad]
    found = flat(CRIMES, page)
    expected = _reference(good)
    for name, rows in expected.items():
        assert [tuple(row.values()) for row in found.tables[name]] == rows
    assert [one.path.split("]")[0] for one in found.rejected] == [f"crimes[{n}" for n in sorted(bad)]
    assert found.drift == set()


# ---------------------------------------------------------------------------- nothing else comes out


def _survives(body: bytes) -> None:
    flattener = Flattener(CRIMES, "crimes", envelope=("_metadata",))
    try:
        flattened = flattener.page(body, CONSTANTS)
    except BrokenContract:
        return
    for batch in flattened.batches.values():
        batch.validate(full=True)
    for one in [*flattened.rejected, *flattener.drift.values()]:
        one.path.encode()
    for rejected in flattened.rejected:
        (rejected.reason + rejected.raw).encode()
    flattener.keys(body)


REAL = json.dumps(
    {
        "crimes": [
            {
                "id": n,
                "name": "Blast é",
                "status": "Planning",
                "slots": [{"position": "a", "user": {"id": 1, "progress": 5.5}}],
                "rewards": {"money": 5, "items": [{"id": 1, "quantity": 1}]},
                "later": {"x": [1]},
            }
            for n in range(3)
        ],
        "_metadata": {"links": {"next": None}},
    },
    ensure_ascii=False,
).encode()


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_no_bytes_raise_anything_but_a_broken_contract(data: st.DataObject) -> None:
    """Flipped, cut, repeated and invented bytes of a page give rows, rejected records or that error."""
    body = bytearray(REAL)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, max(len(body) - 1, 0)))
        how = data.draw(st.sampled_from(["flip", "cut", "drop", "twice", "put"]))
        if how == "flip" and body:
            body[place] ^= data.draw(st.integers(1, 255))
        elif how == "cut":
            del body[place:]
        elif how == "drop":
            del body[place : place + data.draw(st.integers(1, 40))]
        elif how == "twice":
            body[place:place] = body[place : place + 60]
        else:
            body[place:place] = data.draw(
                st.sampled_from(
                    [
                        b'"',
                        b"\\",
                        b"{",
                        b"]",
                        b"\xff",
                        b"\\ud800",
                        b"NaN",
                        b"1e999",
                        b"\x00",
                        b'"\\u0000":1,',
                        b"[" * 2_000,
                    ]
                )
            )
    _survives(bytes(body))


_anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "slots", "rewards", "items", "user", "money"]) | st.text(),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(deadline=None, max_examples=200)
@given(st.lists(_anything, max_size=4) | _anything, st.dictionaries(st.text(), _anything, max_size=2))
def test_no_document_raises_anything_but_a_broken_contract(crimes: object, beside: dict[str, Any]) -> None:
    """Any document, with lone surrogates, NaN and keys of any kind, is rows, rejected, or that error."""
    _survives(json.dumps(beside | {"crimes": crimes}).encode())
    _survives(json.dumps(crimes).encode())


def test_a_page_of_bad_records_only() -> None:
    """Every record is set aside, none is lost, and no row is made."""
    page = things(*({"id": "x"} for _ in range(2_000)))
    found = flat(declare(columns(id="INTEGER")), page)
    assert (len(found.rejected), found.tables["things"]) == (2_000, [])
    assert found.rejected[-1].path == "things[1999].id"

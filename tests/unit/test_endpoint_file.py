"""Mistakes in an endpoint.yaml: all at once, each with its line, in words for a person."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from fixtures.flat import ROOT, write

from shared.endpoint_file import find_endpoints, load_endpoint
from shared.errors import EndpointInvalid

if TYPE_CHECKING:
    from pathlib import Path

GOOD = """\
name: made
description: Made up.
source: torn
requests:
  things:
    path: /things
    params: {limit: 100}
    records: things
    window: {from: from, to: to}
    lookback: P30D
every: PT15M
key: a-key
calls_per_minute: 5
tables:
  things:
    mode: merge
    key: [id]
    columns:
      at: {type: TIMESTAMP, mode: REQUIRED, from: $fetched_at}
      id: {type: INTEGER, mode: REQUIRED, from: id, check: {min: 1}}
      name: {type: STRING, from: name}
  parts:
    each: parts
    mode: merge
    parent: {thing_id: id}
    key: [thing_id, n]
    columns:
      at: {type: TIMESTAMP, mode: REQUIRED, from: $fetched_at}
      n: {type: INTEGER, mode: REQUIRED, from: $index}
      size: {type: FLOAT, from: size}
"""


def problems(text: str | bytes, folder: Path) -> list[str]:
    file = write("", folder=folder)
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(EndpointInvalid) as caught:
        load_endpoint(file)
    assert "endpoint.yaml" in caught.value.message
    assert "endpoint.schema.json" in caught.value.next_step
    for problem in caught.value.problems:
        assert re.match(r"line \d+(, column \d+)?: ", problem), problem
        assert not re.search(r"None|True|False|dict|NoneType|<|object at|Traceback|\$\.", problem), problem
        assert len(problem) < 300, problem
    return caught.value.problems


def changed(*changes: tuple[str, str]) -> str:
    text = GOOD
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return text


def test_a_good_file_is_read(tmp_path: Path) -> None:
    """The made-up file that the others spoil is right itself, also with a byte order mark."""
    assert load_endpoint(write(GOOD, folder=tmp_path)).name == "made"
    assert load_endpoint(write("\ufeff" + GOOD, folder=tmp_path)).name == "made"


@pytest.mark.parametrize("name", find_endpoints())
def test_every_endpoint_is_right(name: str) -> None:
    """The repository's own files load, under their folder's name."""
    assert load_endpoint(find_endpoints()[name]).name == name


MISTAKES = yaml.safe_load(
    (ROOT / "tests" / "fixtures" / "endpoint_mistakes.yaml").read_text(encoding="utf-8")
)


def _cases(kind: str) -> list[Any]:
    return [pytest.param((c["replace"], c["by"]), c["said"], id=c["name"]) for c in MISTAKES[kind]]


def _said(folder: Path, change: tuple[str, str], expected: list[str]) -> None:
    found = problems(changed(change), folder)
    assert len(found) == len(expected), found
    for one, text in zip(found, expected, strict=True):
        assert text in one, found


@pytest.mark.parametrize(("change", "expected"), _cases("form"))
def test_a_mistake_in_the_form(change: tuple[str, str], expected: list[str], tmp_path: Path) -> None:
    """Line, path of keys, what was found, what is allowed; and nothing that merely follows from it."""
    _said(tmp_path, change, expected)


@pytest.mark.parametrize(("change", "expected"), _cases("tree"))
def test_what_yaml_would_read_as_something_else(
    change: tuple[str, str], expected: list[str], tmp_path: Path
) -> None:
    """Double keys, dates, truth values as names and loops are told, not read away."""
    text = changed(change)
    assert any(expected[0] in problem for problem in problems(text, tmp_path)), problems(text, tmp_path)


@pytest.mark.parametrize(("change", "expected"), _cases("rules"))
def test_a_mistake_against_a_rule(change: tuple[str, str], expected: list[str], tmp_path: Path) -> None:
    """What a schema cannot say is told the same way."""
    _said(tmp_path, change, expected)


def test_the_two_rules_of_newest_state(tmp_path: Path) -> None:
    """Merge and replace both need to know when a row was read; append does not."""
    for mode, said in (("replace", 2), ("append", 0)):
        text = GOOD.replace("mode: merge", f"mode: {mode}").replace("from: $fetched_at", "from: at")
        if said:
            assert [p.split(": ", 2)[2] for p in problems(text, tmp_path)] == [
                "replace needs a column `from: $fetched_at`, so that the newest state wins"
            ] * said
        else:
            load_endpoint(write(text, folder=tmp_path))


def test_key_of_a_map_needs_a_place_in_the_body(tmp_path: Path) -> None:
    """The body itself may hold the source's own keys, so that it is no map of records."""
    text = changed(("    records: things\n", ""), ("from: id,", "from: id,"), ("from: name}", "from: $key}"))
    assert "$key needs `records` to name a map inside the body" in problems(text, tmp_path)[0]


def test_a_global_endpoint_has_no_faction(tmp_path: Path) -> None:
    """What is read once for all accounts belongs to no faction."""
    text = changed(
        ("every:", "scope: global\nevery:"),
        ("from: name}", "from: $faction_id}"),
        ("name: {type: STRING", "name: {type: INTEGER"),
    )
    assert "found '$faction_id'; an endpoint of scope global has none" in problems(text, tmp_path)[0]


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    """Mistakes of YAML, of form and against rules come together, in the order of their lines."""
    text = changed(
        ("source: torn", "source: torm"),
        ("every: PT15M", "every: PT7M"),
        ("calls_per_minute: 5", "calls_per_minute: 5\ncalls_per_minute: 6"),
        ("from: name}", "form: name}"),
        (
            "n: {type: INTEGER, mode: REQUIRED, from: $index}",
            "n: {type: INTEGR, mode: REQUIRED, from: $index}",
        ),
    )
    found = problems(text, tmp_path)
    assert [re.sub(r"(line \d+: [^:]*): .*", r"\1", problem) for problem in found] == [
        "line 3: source", "line 11: every", "line 14: calls_per_minute",
        "line 22: tables.things.columns.name.form", "line 30: tables.parts.columns.n.type",
    ]  # fmt: skip


def test_rules_are_told_of_whole_tables_beside_spoiled_ones(tmp_path: Path) -> None:
    """A typo in one table neither hides the broken rule of another nor brings forth rules unbroken."""
    other = textwrap.indent(
        "others:\n  request: others\n  key: [x]\n  columns:\n    x: {type: INTEGER, from: x}\n", "  "
    )
    text = changed(("type: STRING", "type: STRONG"), ("requests:\n", "requests:\n  others: {path: /o}\n"))
    text = text.replace("    mode: merge\n", "    mode: merge\n    request: things\n") + other
    assert [p.partition(": ")[2].partition(": ")[0] for p in problems(text, tmp_path)] == [
        "tables.things.columns.name.type",
        "tables.others.columns.x.mode",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1: the file: found nothing; allowed: a mapping"),
        ("# only this\n", "line 1: the file: found nothing; allowed: a mapping"),
        ("- a\n- b\n", "line 1: the file: found a list; allowed: a mapping"),
        ("just text", "line 1: the file: found 'just text'; allowed: a mapping"),
        ("name: made\n\tkey: x\n", "line 2, column 1: found a tab; indent with spaces"),
        ("name: [made\n", "line 2, column 1: "),
        ("name: !python/object:os.system x\n", "line 1: name: "),
        ("a: 1\n---\nb: 2\n", "line 2, column 1: "),
        (b"name: made\nkey: \xff\xfe\n", "line 2: the byte 0xff is not UTF-8; save the file as UTF-8"),
        ("[" * 5_000, "line "),
        ("name: " + "1" * 6_000, "line 1: name: found 111"),
    ],
)
def test_what_is_no_mapping_at_all(text: str | bytes, said: str, tmp_path: Path) -> None:
    """Empty files, lists, tabs and bytes of another encoding are told as such."""
    assert any(problem.startswith(said) for problem in problems(text, tmp_path)), problems(text, tmp_path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """A missing file is a mistake of the configuration too."""
    with pytest.raises(EndpointInvalid, match="cannot be read: No such file"):
        load_endpoint(tmp_path / "none" / "endpoint.yaml")


def test_columns_can_be_shared_with_an_anchor(tmp_path: Path) -> None:
    """YAML's own merge works, and what stands beside it counts."""
    text = changed(
        ("    columns:\n      at", "    columns: &c\n      at"),
        (
            "    columns:\n      at: {type: TIMESTAMP, mode: REQUIRED, from: $fetched_at}\n",
            "    columns:\n      <<: *c\n",
        ),
        ("key: [thing_id, n]", "key: [thing_id, n, id]"),
    )
    endpoint = load_endpoint(write(text, folder=tmp_path))
    assert list(endpoint.tables["parts"].columns) == ["at", "id", "name", "n", "size"]


def test_loading_a_good_file_needs_no_validator() -> None:
    """The validator costs 60 ms and is not deployed: it is brought in by a mistake only."""
    code = (
        "import sys; from shared.endpoint_file import find_endpoints, load_endpoint\n"
        "for file in find_endpoints().values(): load_endpoint(file)\n"
        "tops = {name.split('.')[0] for name in sys.modules}\n"
        "print(*tops & {'jsonschema', 'referencing', 'pyarrow'})"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_without_a_validator_the_first_mistake_is_told(tmp_path: Path) -> None:
    """A deployed function carries no validator, and still says what is wrong."""
    file = write(changed(("calls_per_minute: 5", "calls_per_minute: many")), folder=tmp_path)
    code = (
        "import sys; sys.modules['jsonschema'] = None\n"
        "from pathlib import Path; from shared.endpoint_file import load_endpoint\n"
        "from shared.errors import EndpointInvalid\n"
        f"try: load_endpoint(Path({str(file)!r}))\nexcept EndpointInvalid as error: print(error.problems)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == repr(["line 13: calls_per_minute: Expected `int`, got `str`"])

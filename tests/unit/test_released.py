"""The file that says how an endpoint's tables were last released."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from fixtures.flat import declare

from shared.endpoint_file import find_endpoints, load_endpoint
from shared.errors import FixConfiguration
from shared.released import RELEASED, declared_tables, fingerprint, read_released, released_text, schema_of
from shared.schema_changes import schema_changes

if TYPE_CHECKING:
    from pathlib import Path

TABLES = """
things:
  mode: merge
  key: [id]
  partition: at
  cluster: [id]
  columns:
    at: {type: TIMESTAMP, mode: REQUIRED, from: $fetched_at}
    id: {type: INTEGER, mode: REQUIRED, from: id}
parts:
  each: parts
  mode: merge
  parent: {thing_id: id}
  key: [thing_id]
  columns:
    at: {type: TIMESTAMP, mode: REQUIRED, from: $fetched_at}
    name: {type: STRING, from: name, description: Its name.}
"""
FILE = """\
{
  "version": 1,
  "tables": {
    "things": {
      "mode": "merge",
      "key": ["id"],
      "partition": "at",
      "cluster": ["id"],
      "columns": [
        {"name": "_run_id", "type": "STRING", "mode": "REQUIRED"},
        {"name": "_account", "type": "STRING", "mode": "REQUIRED"},
        {"name": "at", "type": "TIMESTAMP", "mode": "REQUIRED"},
        {"name": "id", "type": "INTEGER", "mode": "REQUIRED"}
      ]
    },
    "parts": {
      "mode": "merge",
      "key": ["thing_id"],
      "partition": null,
      "cluster": [],
      "columns": [
        {"name": "_run_id", "type": "STRING", "mode": "REQUIRED"},
        {"name": "_account", "type": "STRING", "mode": "REQUIRED"},
        {"name": "thing_id", "type": "INTEGER", "mode": "REQUIRED"},
        {"name": "at", "type": "TIMESTAMP", "mode": "REQUIRED"},
        {"name": "name", "type": "STRING", "mode": "NULLABLE"}
      ]
    }
  }
}
"""


@pytest.mark.parametrize("file", find_endpoints().values(), ids=lambda file: file.parent.name)
def test_every_endpoint_is_released_as_it_is_declared(file: Path) -> None:
    """Each folder's released.json says what its endpoint.yaml declares, in the very text that is written."""
    endpoint = load_endpoint(file)
    there = file.with_name(RELEASED)
    released = read_released(there)
    assert released is not None, f"{there}: run tcdatalogger schema release {endpoint.name}"
    assert schema_changes(released, endpoint) == []
    assert there.read_text(encoding="utf-8") == released_text(released)


def test_the_file_has_a_line_per_column_in_the_tables_order() -> None:
    """What every table has first, then the parent's columns, then its own; descriptions are not in it."""
    assert released_text(schema_of(declare(TABLES))) == FILE


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    """The file and the schema are the same thing; without a file nothing was released."""
    file = tmp_path / RELEASED
    assert read_released(file) is None
    file.write_text(FILE, encoding="utf-8")
    assert read_released(file) == schema_of(declare(TABLES))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (FILE[:300].encode(), "line 12, column"),
        (b"<<<<<<< HEAD\n" + FILE.encode(), "line 1, column 1"),
        (b"\xff" + FILE.encode(), "cannot be read"),
        (b"[]", "Expected `object`, got `array`"),
        (FILE.replace("version", "vresion").encode(), "unknown field `vresion`"),
        (FILE.replace(": 1,", ": 0,").encode(), "`int` >= 1"),
        (FILE.replace('"partition": null,', "").encode(), "tables.parts: Object missing required field"),
        (FILE.replace('"NULLABLE"', '"NULABLE"').encode(), "tables.parts: Invalid enum value 'NULABLE'"),
        (FILE.replace("_run_id", "at").encode(), "tables.things: the column 'at' stands twice"),
        (FILE.replace('"parts"', '"things"').encode(), "the key 'things' stands twice"),
        (b'{"a":' * 100_000, "nest"),
    ],
)
def test_a_file_broken_by_hand_is_named_with_the_place(tmp_path: Path, content: bytes, says: str) -> None:
    """The error names the file and where in it, and says to restore it."""
    file = tmp_path / RELEASED
    file.write_bytes(content)
    with pytest.raises(FixConfiguration) as caught:
        read_released(file, "functions/made/released.json")
    assert caught.value.message.startswith("functions/made/released.json: ")
    assert says in caught.value.message.replace("recursion", "nest")
    assert caught.value.next_step.startswith("restore the file from version control")


def test_a_folder_in_the_files_place_is_no_schema(tmp_path: Path) -> None:
    """What cannot be read is not taken for something that was not released."""
    with pytest.raises(FixConfiguration, match="cannot be read"):
        read_released(tmp_path)


def test_the_fingerprint_is_of_all_that_stands_in_the_warehouse() -> None:
    """Types, modes, names and texts change it; where values come from does not."""
    mark = fingerprint(declared_tables(declare(TABLES)))
    changed = {
        old: fingerprint(declared_tables(declare(TABLES.replace(old, new))))
        for old, new in [
            ("STRING", "JSON"),
            ("name: {", "label: {"),
            ("Its name.", "Its whole name."),
            ("mode: REQUIRED, from: $f", "from: $f"),
        ]
    }
    assert len({mark, *changed.values()}) == 5
    assert fingerprint(declared_tables(declare(TABLES.replace("from: name", "from: title")))) == mark
    assert fingerprint(declared_tables(declare(TABLES))) == mark


def test_the_file_is_plain_json() -> None:
    """Other programs read it: what it says is what the schema says."""
    data = json.loads(FILE)
    assert data["tables"]["parts"]["columns"][-1] == {"name": "name", "type": "STRING", "mode": "NULLABLE"}

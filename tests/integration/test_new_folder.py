"""A new folder is all that a new endpoint needs: the suites of all endpoints and the command take it up."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from support.inputs import SPEC, needed
from support.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAIN = '''\
"""Collect what nobody has drawn; everything about it is in endpoint.yaml."""

import functions_framework
from cloudevents.http import CloudEvent

from shared.collector import Collector

collector = Collector.of(__file__)


@functions_framework.cloud_event
def made_up(event: CloudEvent) -> None:
    """Collect what one Pub/Sub message asks for."""
    collector.handle(event)
'''
ENDPOINT = """\
name: made_up
description: What nobody has drawn, in every shape.
source: torn
scope: account
requests:
  hunts:
    path: /faction/{group}/hunts
    params: {group: north, limit: 100}
    records: hunts
    pages: links
  lodge:
    path: /faction/lodge
    records: $
every: PT1H
key: torn-api-key
calls_per_minute: 10
tables:
  made_up:
    description: A hunt, in its newest state.
    request: hunts
    mode: merge
    key: [id]
    partition: begun_at
    columns:
      server_timestamp: {type: TIMESTAMP, mode: REQUIRED, from: $fetched_at}
      id: {type: INTEGER, mode: REQUIRED, from: id}
      name: {type: STRING, from: name}
      level: {type: INTEGER, from: quarry.level, check: {min: 1, max: 10, severity: reject}}
      kind: {type: STRING, from: quarry.kind, check: {enum: [boar, hare], severity: reject}}
      weight: {type: FLOAT, from: quarry.weight, check: {min: 0.5, max: 300}}
      is_over: {type: BOOLEAN, from: is_over}
      begun_at: {type: TIMESTAMP, from: begun_at}
      notes: {type: JSON, from: notes}
  made_up_hunters:
    description: A hunter in a hunt.
    request: hunts
    each: party.hunters
    mode: merge
    parent: {hunt_id: id, name: name}
    key: [hunt_id, place]
    columns:
      server_timestamp: {type: TIMESTAMP, mode: REQUIRED, from: $fetched_at}
      place: {type: INTEGER, mode: REQUIRED, from: $index}
      member_id: {type: INTEGER, from: id}
      born_on: {type: DATE, from: born_on}
  made_up_hunter_dogs:
    description: A dog of a hunter.
    of: made_up_hunters
    each: dogs
    mode: merge
    parent: {hunt_id: hunt_id, place: place}
    key: [hunt_id, place, dog]
    columns:
      server_timestamp: {type: TIMESTAMP, mode: REQUIRED, from: $fetched_at}
      dog: {type: INTEGER, mode: REQUIRED, from: $index}
      name: {type: STRING, from: $value}
  made_up_lodge:
    description: The lodge.
    request: lodge
    columns:
      server_timestamp: {type: TIMESTAMP, mode: REQUIRED, from: $fetched_at}
      name: {type: STRING, from: lodge.name}
      opened_at: {type: TIMESTAMP, from: lodge.opened_at, unit: ms}
  made_up_lodge_rooms:
    description: A room of the lodge, by its name.
    request: lodge
    each: lodge.rooms
    key: [room]
    columns:
      server_timestamp: {type: TIMESTAMP, mode: REQUIRED, from: $fetched_at}
      room: {type: STRING, mode: REQUIRED, from: $key}
      beds: {type: INTEGER, from: beds, check: {min: 1, max: 4}}
"""
SUITES = {
    "tests/integration/test_framework.py": "made_up",
    # One fault for each thing that a run may come to; all of them would take long.
    "tests/integration/test_every_endpoint.py": (
        "made_up and (error-2 or error-17 or cut or wrong-type or unknown-field or missing-key or null-list "
        "or repeat-page or endless-new or nowhere)"
    ),
}


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Tree]:
    """Give a copy of the repository with its tests."""
    made = Tree.copy(tmp_path / "tree", "tests", "pyproject.toml")
    yield made
    shutil.rmtree(made.root)


@pytest.mark.slow
def test_the_suites_of_all_endpoints_cover_a_new_folder(tree: Tree) -> None:
    """Two files, no test and nothing in the simulator: it is collected, and survives what the API does."""
    folder = tree.root / "functions" / "made_up"
    folder.mkdir()
    (folder / "main.py").write_text(MAIN, encoding="utf-8")
    (folder / "endpoint.yaml").write_text(ENDPOINT, encoding="utf-8")
    passed: dict[str, list[str]] = {}
    for suite, chosen in SUITES.items():
        report = tree.root / "report.xml"
        done = tree.pytest(suite, "-q", "-k", chosen, f"--junitxml={report}")
        assert done.returncode == 0, done.stdout + done.stderr
        passed[suite] = [
            str(case.get("name"))
            for case in ET.parse(report).iter("testcase")  # noqa: S314 - written just now
            if not len(case)
        ]
    framework, faults = passed.values()
    assert len(framework) == 3
    assert all("made_up" in name for name in framework + faults)
    assert len(faults) > 10


def test_a_drafted_endpoint_is_collected_at_once(tree: Tree) -> None:
    """Drafted from the API's document and run without a key: rows of the simulated faction."""
    tree("new", "/faction/attacks", "--spec", str(needed(SPEC)), code=0)
    done = tree("run", "faction_attacks", "--json", code=0)
    (run,) = json.loads(done.stdout)
    assert run["outcome"] == "ok"
    assert json.loads(run["rows"])["faction_attacks"] > 0
    assert run["rejected"] == 0
    assert run["drift"] == 0

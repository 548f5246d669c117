"""Between two versions of Torn's own document, what really changed is found, and nothing else.

What changed was read off the two files by hand and by a plain comparison of their text; both are
inputs for development that the repository carries no copy of.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest
from fixtures.flat import declare
from support.inputs import DATA, SPEC, needed

from shared.endpoint_file import find_endpoints, load_endpoint
from shared.openapi import Document
from shared.openapi.draft import draft_endpoint, endpoint_name
from shared.openapi.request_drift import endpoint_findings

if TYPE_CHECKING:
    from pathlib import Path

OLD = DATA / "torn-openapi-5.8.0.json"

# As someone would have declared it with the document of 5.8.0 at hand.
REQUESTS = """
crimes: {path: /faction/crimes, records: crimes, pages: links, params: {limit: 100}}
mine: {path: /user/organizedcrimes, records: organizedcrimes, pages: links}
stocks: {path: /user/stocks, records: stocks}
trades: {path: /user/trades, records: trades, pages: links}
races: {path: /user/races, records: races, pages: links}
bars: {path: /user/bars, records: bars.energy}
"""
TABLES = """
crimes:
  request: crimes
  columns:
    id: {type: INTEGER, from: id}
slots:
  request: crimes
  each: slots
  columns:
    position: {type: STRING, from: position_id}
    number: {type: INTEGER, from: position_number}
    outcome: {type: STRING, from: user.item_outcome.outcome, check: {enum: [lost, used]}}
mine:
  request: mine
  columns:
    id: {type: INTEGER, from: id}
stocks:
  request: stocks
  columns:
    id: {type: INTEGER, from: id}
stocks_bought:
  request: stocks
  each: transactions
  columns:
    price: {type: INTEGER, from: price}
trades:
  request: trades
  columns:
    id: {type: INTEGER, from: id}
    at: {type: TIMESTAMP, mode: REQUIRED, from: timestamp}
races:
  request: races
  columns:
    id: {type: INTEGER, from: id}
    skill: {type: FLOAT, mode: REQUIRED, from: skill_gain}
energy:
  request: bars
  columns:
    current: {type: INTEGER, from: current}
    maximum: {type: INTEGER, from: maximum}
"""
# (breaks, table.column or request, path, what, was, is)
CHANGES = {
    (True, "slots.position", "crimes[].slots[].position_id", "the source is gone", "STRING", ""),
    (True, "slots.number", "crimes[].slots[].position_number", "the source is gone", "INTEGER", ""),
    (False, "slots.outcome", "crimes[].slots[].user.item_outcome.outcome",
     "values that the check does not know", "lost, used", "unused"),
    (True, "mine", "_metadata.links.next", "paging is gone", "pages: links", "one answer"),
    (True, "stocks_bought.price", "stocks[].transactions[].price", "the type changed", "INTEGER", "number"),
    (True, "trades.at", "trades[].timestamp", "a REQUIRED value may be missing", "REQUIRED",
     "timestamp may be missing"),
    (False, "trades", "trades[].completed_at", "not taken", "", "integer or null"),
    (False, "trades", "trades[].expires_at", "not taken", "", "integer or null"),
    (False, "trades", "trades[].modified_at", "not taken", "", "integer or null"),
    (True, "races.skill", "races[].skill_gain", "a REQUIRED value may be missing", "REQUIRED",
     "skill_gain may be null"),
    (False, "energy", "bars.energy.increment", "not taken", "", "integer"),
    (False, "energy", "bars.energy.interval", "not taken", "", "integer"),
    (False, "energy", "bars.energy.tick_time", "not taken", "", "integer"),
    (False, "energy", "bars.energy.full_time", "not taken", "", "integer"),
}  # fmt: skip


@cache
def document(version: str) -> Document:
    return Document.read(needed({"5.8.0": OLD, "6.6.1": SPEC}[version]))


def test_from_5_8_0_to_6_6_1_the_real_changes_are_named() -> None:
    """Renamed, retyped, optional, nullable and new fields, a new value, pages that are gone: each once."""
    endpoint = declare(TABLES, requests=REQUESTS)
    found = endpoint_findings(endpoint, document("6.6.1"), since=document("5.8.0"))
    told = [
        (f.breaks, ".".join(filter(None, (f.table, f.column))) or f.request, f.path, f.what, f.was, f.is_)
        for f in found
    ]
    assert set(told) == CHANGES
    assert len(told) == len(CHANGES)


def test_what_was_declared_for_5_8_0_fits_it() -> None:
    """Against its own document only what it leaves out is told; nothing breaks."""
    found = endpoint_findings(declare(TABLES, requests=REQUESTS), document("5.8.0"))
    assert {finding.what for finding in found} == {"not taken"}


@pytest.mark.parametrize("version", ["5.8.0", "6.6.1"])
def test_what_is_drafted_from_a_document_fits_it(version: str, tmp_path: Path) -> None:
    """Every path that `new` can draft: its columns, lists and pages are found where it has put them.

    What is left to the person are required parameters, and pages that only some answers have.
    """
    told = {}
    for path in document(version).paths:
        if path.endswith("/snapshot"):
            # CSV, of which no rows are made.
            continue
        operation, name = document(version).operation(path), endpoint_name(path)
        given = {p.name: 1 for p in operation.params if p.place == "path"}
        file = tmp_path / name / "endpoint.yaml"
        file.parent.mkdir()
        file.write_text(draft_endpoint(operation, name, given=given).files[file.name], encoding="utf-8")
        told[path] = {(f.what, f.breaks) for f in endpoint_findings(load_endpoint(file), document(version))}
    left = {("the parameter is required", True), ("there are pages", False)}
    assert {path: what - left for path, what in told.items() if what - left} == {}
    assert len(told) >= 200
    assert sum(bool(what) for what in told.values()) < 10


@pytest.mark.parametrize("name", find_endpoints())
def test_no_endpoint_breaks_against_the_newest_document(name: str) -> None:
    """What is declared here is what the API promises, and every field of it is taken or ignored.

    One thing is declared that this document does not have: the shops of an item, which the API shows.
    """
    found = endpoint_findings(load_endpoint(find_endpoints()[name]), document("6.6.1"))
    told = {(f.table, f.path, f.what, f.breaks) for f in found}
    shops = {("items_shops", "items[].value.shops", "the list is gone", False)}
    assert told == (shops if name == "items" else set())


def test_an_older_document_lacks_what_came_since() -> None:
    """The points market has no path in 5.8.0, and crimes had their positions beside the new ones."""
    files = find_endpoints()
    [market] = endpoint_findings(load_endpoint(files["currency"]), document("5.8.0"))
    assert (market.what, market.was, market.breaks) == ("the path is gone", "/market/pointsmarket", True)
    crimes = endpoint_findings(load_endpoint(files["crimes"]), document("5.8.0"))
    assert {(f.path.rpartition(".")[2], f.what, f.breaks) for f in crimes} == {
        ("outcome", "values that the API has no more", False),
        ("position_id", "not taken", False),
        ("position_number", "not taken", False),
    }

"""Prices, limits and figures: dated, whole, and none of them unused."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
from msgspec import structs

import shared.cost
from shared.cost.bill import make_bill
from shared.cost.facts import ASSUMED, INSTALLATION, LIMITS, PRICES, facts
from shared.cost.figures import file_figures
from shared.cost.setup import setups_of, streaming
from shared.endpoint_file import find_endpoints, load_endpoint
from shared.job import find_jobs, load_job

CODE = "".join(file.read_text() for file in Path(shared.cost.__file__).parent.glob("*.py"))
DECLARED = [load_endpoint(file) for file in find_endpoints().values()]


def test_every_price_is_used():
    """Each item has a quantity in the bill of what there is, some of it streaming, after more than a year."""
    setups = [streaming(one) if one.name == "members" else one for one in setups_of(DECLARED)]
    figures = {one.name: file_figures(one.endpoint) for one in setups}
    bill = make_bill(setups, figures, 2, months=13, jobs=[load_job(file) for file in find_jobs().values()])
    assert [item for item, quantity in bill.quantities.items() if quantity <= 0] == []
    assert {line.item for line in bill.lines} == set(PRICES.items)


def test_every_quota_is_used():
    """A quota that nothing asks for says nothing."""
    asked = set(re.findall(r'LIMITS\.amount\("(\w+)"\)', CODE))
    assert asked == set(LIMITS.quotas)


@pytest.mark.parametrize("name", ASSUMED.__struct_fields__)
def test_every_assumption_is_used(name):
    """An assumption that nothing rests on misleads."""
    assert f"ASSUMED.{name}" in CODE


@pytest.mark.parametrize("name", [one for one in INSTALLATION.__struct_fields__ if one != "date"])
def test_everything_installed_is_used(name):
    """What is written down of the installation is in the bill."""
    assert f"INSTALLATION.{name}" in CODE


@pytest.mark.parametrize("name", ["figures", "installation", "limits", "prices"])
def test_facts_are_dated(name):
    """Prices and quotas change; whoever reads a number sees how old it is."""
    assert date(2026, 11, 1) <= facts(name)["date"]


def test_a_price_is_for_so_many_units():
    """$6.25 a TiB: 2 TiB are $12.50; $0.01 for 200 MiB: 1 MiB is $0.00005."""
    assert PRICES.items["bigquery_queries"].cost(2 * 2**40) == 12.5
    assert PRICES.items["bigquery_insert_all"].cost(2**20) == pytest.approx(0.00005)


@pytest.mark.parametrize("endpoint", DECLARED, ids=lambda one: one.name)
def test_every_endpoint_has_figures(endpoint):
    """Each table has rows and a row's size, whether or not it has been measured."""
    figures = file_figures(endpoint)
    assert set(figures.rows) == set(figures.row_bytes) == set(endpoint.tables)
    assert all(size > 0 for size in figures.row_bytes.values())


def test_no_figures_are_of_what_is_gone():
    """figures.toml names endpoints and tables that there are."""
    tables = {one.name: set(one.tables) for one in DECLARED}
    for name, one in facts("figures")["endpoints"].items():
        assert set(one["rows"]) <= tables[name]
        assert set(one["row_bytes"]) <= set(one["rows"])


def test_a_table_that_came_later_is_assumed_and_named():
    """A measured endpoint's new table has 100 rows until it is measured, and the source says so."""
    [members] = [one for one in DECLARED if one.name == "members"]
    tables = {**members.tables, "newcomers": members.tables["members"]}
    figures = file_figures(structs.replace(members, tables=tables))
    assert re.fullmatch(r"figures.toml, 5 simulated runs of \S+; assumed for newcomers", figures.source)
    assert figures.rows == {"members": 99, "newcomers": 100}


def test_figures_of_an_unknown_endpoint_are_assumed_and_say_so(make_things):
    """100 rows a table, 50,000 bytes a page; a row by its columns: 2 texts of 20 and 3 numbers of 8."""
    figures = file_figures(make_things())
    assert figures.source.startswith("assumed")
    assert (figures.pages, figures.bytes, figures.packed) == (1, 50_000, 7_500)
    assert figures.rows == {"things": 100, "parts": 100}
    # _run_id, _account; read, id, made; and of the child: thing, read, place.
    assert figures.row_bytes == {"things": 64, "parts": 64}

"""What `tables apply` finds in a DuckDB file: what is missing, what may be NULL now, what would lose data."""

from __future__ import annotations

import logging

import duckdb
import msgspec
import pytest
from support.tables import family

from shared.cli.tables import tables
from shared.endpoint import Column
from shared.warehouse.duckdb import DuckDBWarehouse

THINGS = family("append")


def changed(**columns):
    """Return the endpoint with columns of its things set, or, when None, gone."""
    table = THINGS.tables["things"]
    merged = {**table.columns, **columns}
    kept = {name: column for name, column in merged.items() if column is not None}
    tables = {**THINGS.tables, "things": msgspec.structs.replace(table, columns=kept)}
    return msgspec.structs.replace(THINGS, tables=tables)


def said(warehouse, endpoint, **options):
    return {(one.table, one.what, one.refused) for one in warehouse.apply([endpoint], **options)}


@pytest.fixture
def warehouse(tmp_path):
    return DuckDBWarehouse(tmp_path / "w.duckdb")


def test_everything_is_made_once(warehouse):
    """First all that is missing, with the ledger; then nothing. A dry run makes no file."""
    made = said(warehouse, THINGS, dry_run=True)
    assert ("things", "made", False) in made
    assert ("runs", "made", False) in made
    assert not warehouse.path.exists()
    assert said(warehouse, THINGS) == made
    assert said(warehouse, THINGS) == set()


def test_what_is_added_and_what_is_relaxed(warehouse):
    """A new column, and one that may be NULL now; after that it is as declared."""
    warehouse.apply([THINGS])
    name = THINGS.tables["things"].columns["id"]
    more = changed(id=msgspec.structs.replace(name, mode="NULLABLE"), colour=Column(type="STRING", from_="c"))
    expected = {
        ("things", "column id may be NULL", False),
        ("things", "column colour added", False),
        # What its children repeat of it may be NULL with it.
        ("parts", "column thing_id may be NULL", False),
    }
    assert said(warehouse, more, dry_run=True) == expected
    assert said(warehouse, more) == expected
    assert said(warehouse, more) == set()


@pytest.mark.parametrize(
    ("columns", "what"),
    [
        ({"name": None}, "the column name is there and not declared: it would be lost"),
        ({"name": Column(type="INTEGER", from_="name")}, "the column name is VARCHAR and declared BIGINT"),
        (
            {"weight": Column(type="FLOAT", mode="REQUIRED", from_="weight")},
            "the column weight is NULLABLE and declared REQUIRED: it may hold NULLs",
        ),
        (
            {"owner": Column(type="STRING", mode="REQUIRED", from_="owner")},
            "the column owner is new and REQUIRED: older rows do not have it",
        ),
    ],
)
def test_what_would_lose_data_is_refused_and_nothing_is_done(warehouse, columns, what):
    """Not even what could be done beside it."""
    warehouse.apply([THINGS])
    worse = changed(extra=Column(type="STRING", from_="x"), **columns)
    found = said(warehouse, worse)
    assert ("things", what, True) in found
    assert ("things", "column extra added", False) in found
    with duckdb.connect(str(warehouse.path), read_only=True) as connection:
        names = {row[0] for row in connection.execute("DESCRIBE things").fetchall()}
    assert "extra" not in names
    assert "name" in names


@pytest.fixture
def logging_as_before():
    """Undo what a command sets up for its own process."""
    log = logging.getLogger("tcdatalogger")
    before = log.level, log.propagate, list(log.handlers)
    yield
    log.level, log.propagate, log.handlers = before


@pytest.mark.usefixtures("logging_as_before")
def test_the_command_says_what_it_did(tmp_path, monkeypatch, capsys):
    """Made, as declared, would be made, refused: each in a line per change, and the exit code."""
    database = tmp_path / "w.duckdb"
    monkeypatch.setenv("WAREHOUSE", f"duckdb:{database}")

    def apply(*words):
        code = tables.main(["apply", *words], standalone_mode=False)
        return code, capsys.readouterr()

    code, said = apply("members", "--dry-run")
    assert (code, "members: would be: made" in said.out) == (0, True)
    code, said = apply("members")
    assert (code, "members: made" in said.out) == (0, True)
    code, said = apply("members")
    assert (code, said.out) == (0, f"{database}: the tables of members are as declared\n")
    with duckdb.connect(str(database)) as connection:
        connection.execute("ALTER TABLE members ADD COLUMN nickname VARCHAR")
    code, said = apply("members")
    assert (code, said.out) == (1, "")
    assert "members: refused: the column nickname is there and not declared" in said.err
    assert "nothing was changed" in said.err

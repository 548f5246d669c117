"""The views' files: what each says of itself, what it reads, and the same in DuckDB's dialect."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from shared.endpoint_file import find_endpoints, load_endpoint
from shared.endpoint_rules import RESERVED_TABLES
from shared.ledger import LEDGER
from shared.views import FOLDER, LEDGER_FOLDER, bigquery_views, sources, view_names
from shared.views.latest import SUFFIX, latest_views
from shared.warehouse.views import VIEWS, all_bigquery_views

ENDPOINTS = {name: load_endpoint(file) for name, file in find_endpoints().items()}
TABLES = {table for endpoint in ENDPOINTS.values() for table in endpoint.tables}
FILES = [(folder, view) for folder in (FOLDER, LEDGER_FOLDER) for view in sources(folder)]
EACH_FILE = pytest.mark.parametrize(("folder", "view"), FILES, ids=lambda one: getattr(one, "name", ""))


@EACH_FILE
def test_a_view_begins_with_a_sentence_and_reads_tables_that_are_declared(folder, view):
    """What a row is comes first; BigQuery takes at most 16,384 characters of it."""
    assert re.match(r"[A-Z].*\.$", view.description), view.description
    assert 30 < len(view.description) < 16_384
    assert view.tables
    assert view.tables <= (set(LEDGER) if folder == LEDGER_FOLDER else TABLES)


@EACH_FILE
def test_a_template_has_no_gap_but_the_dataset(folder, view):
    """Terraform's templatefile and Python's Template read a file alike."""
    filled = next(one for one in bigquery_views("p.d", folder) if one.name == view.name)
    assert filled.sql == view.sql.replace("${dataset}", "p.d")
    assert not re.search(r"[$%]", filled.sql)
    assert filled.sql.count("`p.d.") == view.sql.count("${dataset}") >= len(view.tables)


@EACH_FILE
def test_a_view_is_an_accounts_own(folder, view):
    """Several factions share the tables: every view of theirs says whose a row is."""
    if folder == FOLDER:
        assert "_account" in view.sql
    else:
        assert view.name == "drift_history" or "account" in view.sql


def test_duckdbs_files_are_what_the_translator_makes():
    """`make generate` was run after the last change, and no file of a view that is gone is left."""
    from shared.views.translate import duckdb_files  # noqa: PLC0415 - it takes half a second

    wanted = duckdb_files()
    assert {file.name for file in wanted} | {"row_changes.sql", "null_share_changes.sql"} == {
        f"{view.name}.sql" for _, view in FILES
    }
    assert {file: file.read_text(encoding="utf-8") for file in wanted} == wanted
    there = {file for folder in (FOLDER, LEDGER_FOLDER) for file in (folder / "duckdb").glob("*.sql")}
    assert there == set(wanted)


def test_what_is_written_by_hand_has_the_same_columns_in_the_same_order():
    """The two texts of one view cannot drift apart in what they select."""
    selected = re.compile(r"SELECT\n(.*?)\nFROM", re.DOTALL)
    for file in sorted((LEDGER_FOLDER / "by_hand").glob("*.sql")):
        other = (LEDGER_FOLDER / file.name).read_text(encoding="utf-8")
        here = selected.search(file.read_text(encoding="utf-8"))
        there = selected.search(other)
        assert here
        assert there
        assert here[1] == there[1], file


def test_no_table_has_a_views_name():
    """A view could not be made beside a table of its name."""
    latest = {
        view.name for endpoint in ENDPOINTS.values() for view in latest_views(endpoint, table=str, column=str)
    }
    names = [*view_names(), *sorted(latest)]
    assert len(names) == len(set(names))
    assert not set(names) & (TABLES | set(LEDGER))
    assert set(VIEWS) <= set(RESERVED_TABLES)


def test_every_append_table_has_a_latest():
    """And no other has: merge and replace keep the present themselves."""
    for endpoint in ENDPOINTS.values():
        appended = {f"{n}{SUFFIX}" for n, table in endpoint.tables.items() if table.mode == "append"}
        assert {view.name for view in latest_views(endpoint, table=str, column=str)} == appended


def test_a_run_never_pays_for_the_translator():
    """Opening a DuckDB file imports no sqlglot; nor does naming BigQuery's views."""
    code = (
        "import sys; from shared.warehouse import duckdb;"
        "from shared.warehouse.views import all_bigquery_views;"
        "all_bigquery_views('p.d', []); print('sqlglot' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert told.stdout.strip() == "False"


def test_bigquery_would_take_every_view():
    """What an emulator forgives and BigQuery does not: reserved words as names, QUALIFY all by itself."""
    import sqlglot  # noqa: PLC0415 - half a second
    from sqlglot import exp  # noqa: PLC0415
    from sqlglot.dialects.bigquery import BigQuery  # noqa: PLC0415

    reserved = BigQuery.Generator.RESERVED_KEYWORDS
    assert "rows" in reserved
    views = all_bigquery_views("p.d", ENDPOINTS.values())
    assert len(views) == len(FILES) + sum(
        table.mode == "append" for endpoint in ENDPOINTS.values() for table in endpoint.tables.values()
    )
    for view in views:
        tree = sqlglot.parse_one(view.sql, read="bigquery")
        names = {one.name.lower() for one in tree.find_all(exp.Identifier) if not one.quoted}
        assert not names & reserved, view.name
        for select in tree.find_all(exp.Select):
            if select.args.get("qualify"):
                assert {"where", "group", "having"} & {k for k, v in select.args.items() if v}, view.name
        own = {cte.alias for cte in tree.find_all(exp.CTE)}
        for table in tree.find_all(exp.Table):
            found = f"{table.catalog}.{table.db}.{table.name}"
            assert table.name in own or found == f"p.d.{table.name}", found

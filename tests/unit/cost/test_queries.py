"""What a run's transactions bill, and for how long they hold the tables."""

from __future__ import annotations

from dataclasses import replace

import pytest
from msgspec import structs

from shared.cost.figures import file_figures
from shared.cost.queries import billed_bytes, statements, transactions
from shared.cost.setup import Setup, appending
from shared.cost.sizes import Sizes
from shared.cost.timing import run_seconds, transaction_seconds
from shared.endpoint_file import find_endpoints, load_endpoint
from shared.endpoint_rules import table_columns
from shared.warehouse.bigquery_modes import Script
from shared.warehouse.families import families

LEAST = 10_485_760


def test_small_tables_bill_the_least_for_each_mention(things_setup, things_run):
    """SELECT: 2 tables; DELETE and INSERT of each of 2 tables: 2 each; 10 mentions in all."""
    assert billed_bytes(Sizes(things_setup, things_run, accounts=1, months=1)) == 10 * LEAST


@pytest.fixture
def large(things_run):
    """Give a run with 10,000 times the rows: 100,000,000 bytes of the root, as many of the child."""
    return replace(things_run, rows={name: 10_000 * count for name, count in things_run.rows.items()})


@pytest.mark.parametrize("accounts", [1, 50])
def test_large_tables_bill_what_an_account_has_in_them(things_setup, large, accounts):
    """The root's 10 days, the whole child, and the rows that are new; only the 4 mentions of keys are small.

    After one month the child holds three times 10 days' rows. The SELECT names 44 of the root's 100 bytes:
    _account 20, id, read and made 8 each. How many other accounts there are makes no difference.
    """
    root, child, new = 10**8, 3 * 10**8, 10**8
    sizes = Sizes(things_setup, large, accounts=accounts, months=1)
    assert billed_bytes(sizes) == pytest.approx(4 * LEAST + root * 0.44 + root + child + 3 * new)


def test_without_partitions_the_whole_root_is_read(make_things, large):
    """A root that is not partitioned is three times what 10 days are, after a month."""
    declared = make_things()
    tables = {name: structs.replace(table, partition=None) for name, table in declared.tables.items()}
    setup = Setup(structs.replace(declared, tables=tables))
    root = child = 3 * 10**8
    # Without a partition its column is not named: 36 of 100 bytes.
    expected = 4 * LEAST + root * 0.36 + root + child + 3 * 10**8
    assert billed_bytes(Sizes(setup, large, accounts=7, months=1)) == pytest.approx(expected)


def test_a_replace_reads_its_tables(make_log, log_run):
    """SELECT 1 table, the count 2, DELETE 2, INSERT 2: 7 mentions."""
    columns = {"read": {"type": "TIMESTAMP", "mode": "REQUIRED", "from": "$fetched_at"}}
    setup = Setup(make_log(tables={"log": {"mode": "replace", "columns": columns}}))
    assert billed_bytes(Sizes(setup, log_run, accounts=1, months=12)) == 7 * LEAST


def test_appending_bills_nothing(things_setup, things_run):
    """Load jobs are free."""
    assert billed_bytes(Sizes(appending(things_setup), things_run, accounts=100, months=12)) == 0


def test_a_merge_of_nothing_does_no_transaction(things_setup, things_run):
    """Without rows of the root there is nothing to take."""
    assert transactions(things_setup, replace(things_run, rows={"things": 0, "parts": 0})) == []


@pytest.mark.parametrize("name", ["crimes", "items", "basic"])
def test_the_statements_are_those_that_are_sent(name):
    """What is counted is as many statements as the script has between BEGIN and COMMIT."""
    endpoint = load_endpoint(find_endpoints()[name])
    setup, figures = Setup(endpoint), file_figures(endpoint)
    counted = 0
    for family in transactions(setup, figures):
        staged = {table: f"stage_{table}" for table in family.tables if figures.rows[table]}
        columns = {table: list(table_columns(endpoint, table)) for table in family.tables}
        script = Script(endpoint, family, str, staged, columns)
        merges = endpoint.tables[family.root].mode == "merge"
        sent = (script.merge() if merges else script.replace()).split(";\n")[1:-1]
        assert len(statements(Sizes(setup, figures, 1, 1), family)) == len(sent)
        counted += 1
    assert counted == 1


def test_a_run_waits_for_its_statements(things_setup, things_run):
    """4 pages of 0.5 s, flattening on a third of a core, loads of 3 s, 5 statements of 1.5 s, the ledger."""
    [family] = families(things_setup.endpoint)
    assert transaction_seconds(things_setup, things_run, family).total == 7.5
    # 2.0 + 0.333 / 0.333 + 3.0 + 7.5 + 0.2
    assert run_seconds(things_setup, things_run).total == pytest.approx(13.7)


def test_measured_seconds_are_taken_as_they_are(log_setup, log_run):
    """What functions took with BigQuery needs no assumption: 1.0 + 0.5 + 0.5."""
    assert run_seconds(log_setup, log_run).total == 2.0


def test_a_measured_write_holds_the_tables(things_setup, things_run):
    """In the cloud a transaction is counted with the whole step that it is part of, 6 s."""
    measured = replace(things_run, in_cloud=True, write=6.0)
    [family] = families(things_setup.endpoint)
    assert transaction_seconds(things_setup, measured, family).total == 6.0


def test_a_real_api_is_as_quick_as_it_was(things_setup, things_run):
    """Only a simulated faction's pages are counted as slower: 0.1 s instead of 2.0."""
    real = replace(things_run, simulated=False)
    assert run_seconds(things_setup, real).total == pytest.approx(11.8)

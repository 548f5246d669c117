"""How large the tables are, some months on."""

from __future__ import annotations

import pytest

from shared.cost.setup import Setup
from shared.cost.sizes import Sizes
from shared.warehouse.families import families


def test_an_appended_table_grows_with_every_run(log_setup, log_run):
    """720 runs a month x 2 months x 1,000 bytes x 5 accounts; nothing has rested for 90 days."""
    sizes = Sizes(log_setup, log_run, accounts=5, months=2)
    [family] = families(log_setup.endpoint)
    assert sizes.stored(family, "log") == 7_200_000
    assert (sizes.active(), sizes.settled()) == (7_200_000, 0)


def test_partitions_that_rest_cost_half(log_setup, log_run):
    """Of 4 months the first is long-term: 720,000 bytes of 2,880,000."""
    sizes = Sizes(log_setup, log_run, accounts=1, months=4)
    assert sizes.settled() == pytest.approx(720_000)
    assert sizes.active() == pytest.approx(2_160_000)


def test_a_table_without_partitions_never_rests(make_log, log_run):
    """Every run changes the one table."""
    columns = {"read": {"type": "TIMESTAMP", "mode": "REQUIRED", "from": "$fetched_at"}}
    setup = Setup(make_log(tables={"log": {"columns": columns}}))
    sizes = Sizes(setup, log_run, accounts=1, months=4)
    assert (sizes.active(), sizes.settled()) == (2_880_000, 0)


def test_a_merged_table_holds_each_row_once(things_setup, things_run):
    """A run has 10 days' rows; after 2 months there are 6 times as many."""
    sizes = Sizes(things_setup, things_run, accounts=1, months=2)
    [family] = families(things_setup.endpoint)
    assert sizes.stored(family, "things") == 60_000
    assert sizes.stored(family, "parts") == 60_000
    assert sizes.touched(family) == 10_000
    # And of each of 13 backups the rows that a run has since written anew.
    assert (sizes.active(), sizes.settled()) == (120_000 + 13 * 20_000, 0)


def test_a_merge_without_lookback_has_all_its_rows_in_every_run(make_things, things_run):
    """Then a table is as large as one run, however long it has been collected."""
    setup = Setup(make_things(requests={"things": {"path": "/things", "records": "things"}}))
    sizes = Sizes(setup, things_run, accounts=3, months=24)
    [family] = families(setup.endpoint)
    assert sizes.stored(family, "things") == 30_000
    assert sizes.touched(family) == 30_000


def test_a_replaced_table_is_one_run_and_its_backups(make_log, log_run):
    """1,000 bytes, and as many in each of 13 backups, of which nothing is in the table any more."""
    columns = {"read": {"type": "TIMESTAMP", "mode": "REQUIRED", "from": "$fetched_at"}}
    setup = Setup(make_log(tables={"log": {"mode": "replace", "columns": columns}}))
    assert Sizes(setup, log_run, accounts=1, months=12).active() == 14_000

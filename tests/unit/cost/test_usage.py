"""What a month of an endpoint uses of each service."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.cost.services import month_lines
from shared.cost.setup import Setup, streaming, with_instances
from shared.cost.sizes import Sizes


def used(setup, figures, accounts, months=12):
    lines = list(month_lines(Sizes(setup, figures, accounts, months)))
    assert {line.endpoint for line in lines} == {setup.name}
    found = {line.item: line.quantity for line in lines}
    assert len(found) == len(lines)
    return found


def test_a_month_of_one_account(log_setup, log_run):
    """24 slots x 30 days = 720 runs, each of 2 s and a start of 0.37 / 0.333 = 1.11, billed as 1.2 s."""
    month = used(log_setup, log_run, 1)
    assert month["run_requests"] == 720
    # (720 x 2.0 + 720 x 1.2) s = 2,304 s; x 0.333 vCPU; x 0.5 GiB
    assert month["run_cpu"] == pytest.approx(767.232)
    assert month["run_memory"] == pytest.approx(1_152)
    assert month["scheduler_jobs"] == 1
    assert month["pubsub_bytes"] == 720 * 2 * 1_000
    assert month["secret_reads"] == 720
    # The page and the manifest.
    assert month["archive_writes"] == 1_440
    assert month["archive_reads"] == 1_440
    # Twelve months of 720,000 bytes.
    assert month["archive_bytes"] == 12 * 720_000
    assert month["bigquery_loads"] == 720
    assert month["bigquery_queries"] == 0
    assert month["bigquery_storage_write"] == 0
    # A row of `runs` has 746 bytes, and is billed as 1,024.
    assert month["bigquery_insert_all"] == 737_280
    # 720 runs x 12 months x (10 rows x 100 bytes + 746 of the ledger) = 15,085,440; 9 of 12 months rest.
    assert month["bigquery_active"] == pytest.approx(3_771_360)
    assert month["bigquery_long_term"] == pytest.approx(11_314_080)


def test_a_message_for_all_accounts_is_a_run_and_a_message_more(log_setup, log_run):
    """With 10 accounts each of 720 slots has 11 messages: one for all, which takes 1 s, and its parts."""
    month = used(log_setup, log_run, 10)
    assert month["run_requests"] == 7_920
    # 7,200 x 2.0 + 720 x 1.0 + 720 starts x 1.2 = 15,984 s
    assert month["run_memory"] == pytest.approx(7_992)
    assert month["pubsub_bytes"] == 15_840_000
    assert month["bigquery_insert_all"] == 7_920 * 1_024
    assert month["bigquery_loads"] == 7_200
    assert month["scheduler_jobs"] == 1


def test_each_further_instance_starts_too(log_setup, log_run):
    """4 instances start in each slot of 10 accounts: 720 x 3 x 1.2 s = 2,592 s more, x 0.5 GiB."""
    one = used(log_setup, log_run, 10)
    four = used(with_instances(log_setup, 4), log_run, 10)
    assert four["run_memory"] - one["run_memory"] == pytest.approx(1_296)


def test_what_is_read_for_all_does_not_grow_with_the_accounts(make_log, log_run):
    """A global endpoint uses the same for one account and for 10,000."""
    setup = Setup(make_log(scope="global"))
    assert used(setup, log_run, 10_000) == used(setup, log_run, 1)


def test_streamed_rows_take_no_load_job(log_setup, log_run):
    """720 runs x 10 rows x 100 bytes go through the Storage Write API; the streams' names are archived."""
    month = used(streaming(log_setup), log_run, 1)
    assert month["bigquery_loads"] == 0
    assert month["bigquery_storage_write"] == 720_000
    assert month["archive_writes"] == 2_160


def test_a_table_without_rows_takes_no_load_job(log_setup, log_run):
    """An empty answer is archived and recorded, and that is all."""
    month = used(log_setup, replace(log_run, rows={"log": 0}), 1)
    assert month["bigquery_loads"] == 0
    assert month["archive_writes"] == 1_440


def test_a_key_is_read_again_after_five_minutes_at_most(make_log, log_run):
    """PT1M runs 1,440 times a day and reads its key 288 times."""
    setup = Setup(make_log(every="PT1M", writer="stream"))
    assert used(setup, log_run, 1)["secret_reads"] == 288 * 30


@pytest.mark.parametrize(
    ("memory", "vcpu", "gib"),
    [
        ("256Mi", 0.167, 0.25),
        ("512Mi", 0.333, 0.5),
        ("768Mi", 0.583, 0.75),
        ("2Gi", 1.0, 2.0),
        ("64Gi", 8.0, 64.0),
    ],
)
def test_cpu_comes_with_memory(make_log, memory, vcpu, gib):
    """A size that is not sold gets the next size's CPU."""
    setup = Setup(make_log(memory=memory))
    assert (setup.vcpu, setup.gib) == (vcpu, gib)

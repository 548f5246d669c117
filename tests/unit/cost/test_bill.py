"""The bill: quantities at their prices, and what is free shared out."""

from __future__ import annotations

import pytest

from shared.cost.bill import Bill, make_bill
from shared.cost.common import KEYS
from shared.cost.figures import file_figures
from shared.cost.services import Line
from shared.cost.setup import setups_of


def test_list_prices_take_nothing_off():
    """4 jobs at $0.10; 7 versions at $0.06."""
    bill = Bill(1, (Line("a", "scheduler_jobs", 4), Line(KEYS, "secret_versions", 7)))
    assert bill.total(free=False) == pytest.approx(0.82)
    assert bill.by_endpoint(free=False) == pytest.approx({"a": 0.4, KEYS: 0.42})


def test_what_is_free_is_free_once():
    """Of 4 jobs 3 are free, of 7 versions 6: $0.10 and $0.06 are left."""
    bill = Bill(1, (Line("a", "scheduler_jobs", 4), Line(KEYS, "secret_versions", 7)))
    services = bill.by_service(free=True)
    assert services["Cloud Scheduler"] == pytest.approx(0.1)
    assert services["Secret Manager"] == pytest.approx(0.06)
    assert bill.total(free=True) == pytest.approx(0.16)


def test_endpoints_share_what_is_free_by_their_use():
    """Of 4 million requests 2 are free: $0.80, three quarters of it from the one that made 3 million."""
    bill = Bill(1, (Line("a", "run_requests", 3e6), Line("b", "run_requests", 1e6)))
    assert bill.by_endpoint(free=True) == pytest.approx({"a": 0.6, "b": 0.2})
    assert bill.by_endpoint(free=False) == pytest.approx({"a": 1.2, "b": 0.4})


def test_less_than_what_is_free_costs_nothing():
    """2 jobs of 3 free ones; and no item that is not used is charged."""
    bill = Bill(1, (Line("a", "scheduler_jobs", 2), Line("a", "bigquery_queries", 0)))
    assert bill.total(free=True) == 0


def test_long_term_storage_is_free_as_far_as_active_storage_leaves_it():
    """Of 10 GiB that are free 4 are active, so that 6 of 8 long-term ones are: 2 x $0.01 are left."""
    gib = 2**30
    bill = Bill(1, (Line("a", "bigquery_active", 4 * gib), Line("a", "bigquery_long_term", 8 * gib)))
    assert bill.total(free=True) == pytest.approx(0.02)
    assert bill.total(free=False) == pytest.approx(0.16)
    full = Bill(1, (Line("a", "bigquery_active", 11 * gib), Line("a", "bigquery_long_term", 8 * gib)))
    assert full.total(free=True) == pytest.approx(0.02 + 0.08)


def test_a_whole_month_by_hand(log_setup, log_run):
    """One endpoint that appends, one account, one month of collecting."""
    bill = make_bill([log_setup], {"log": log_run}, 1, months=1)
    services = bill.by_service(free=False)
    # 767.232 vCPU-s, 1,152 GiB-s, 720 requests
    assert services["Cloud Run"] == pytest.approx(767.232 * 0.000024 + 1_152 * 0.0000025 + 720 * 0.4e-6)
    assert services["Cloud Scheduler"] == pytest.approx(0.10)
    assert services["Pub/Sub"] == pytest.approx(1_440_000 / 2**40 * 40)
    # A key, 720 readings of it, and a reminder every six months.
    assert services["Secret Manager"] == pytest.approx(0.06 + 720 * 0.000003 + 0.05 / 6)
    # 1,440 puts, 1,440 gets, 720,000 bytes
    assert services["Cloud Storage"] == pytest.approx(0.0072 + 0.000576 + 720_000 / 2**30 * 0.02)
    assert services["BigQuery load"] == 0
    # 720 x (1,000 + 746) bytes
    assert services["BigQuery storage"] == pytest.approx(1_257_120 / 2**30 * 0.02)
    assert services["BigQuery query"] == 0
    assert services["BigQuery streaming"] == pytest.approx(737_280 / 209_715_200 * 0.01)
    # Three images of one function.
    assert services["Artifact Registry"] == pytest.approx(450_000_000 / 2**30 * 0.1)
    # 720 requests of 1,400 bytes; 720 records of 1,600 and 720 readings of 1,000, in two buckets.
    assert services["Cloud Logging"] == pytest.approx(4_752_000 / 2**30 * 0.5)
    # 10 conditions: 9 kinds of trouble and one `every`; 4 series x 8,640 evaluations.
    alerts = 10 * 0.1 + 34_560 * 0.35e-6
    # 720 x 176 bytes of metrics.
    assert services["Cloud Monitoring"] == pytest.approx(alerts + 126_720 / 2**20 * 0.258)
    # All else is within what is free.
    kept = 720_000 / 2**30 * 0.02
    assert bill.total(free=True) == pytest.approx(alerts + services["BigQuery streaming"] + kept)


@pytest.mark.parametrize("free", [True, False])
@pytest.mark.parametrize("accounts", [1, 100, 10_000])
def test_services_and_endpoints_add_up_to_the_total(accounts, free, six, make_job):
    """Nothing is in one table and not in the other."""
    setups = setups_of(six)
    figures = {one.name: file_figures(one.endpoint) for one in setups}
    bill = make_bill(setups, figures, accounts, jobs=[make_job()])
    others = {"(jobs)", "(keys)", "(alerts)", "(images)"}
    assert set(bill.by_endpoint(free=free)) == {one.name for one in setups} | others
    total = bill.total(free=free)
    assert total > 0
    assert sum(bill.by_service(free=free).values()) == pytest.approx(total)
    assert sum(bill.by_endpoint(free=free).values()) == pytest.approx(total)


def test_what_one_faction_costs(six):
    """Scheduler jobs beyond the third, alerts, images, puts: $1.94 after a year."""
    setups = setups_of(six)
    bill = make_bill(setups, {one.name: file_figures(one.endpoint) for one in setups}, 1)
    # Pages and manifests: crimes 2,880 x 3, members 2,880 x 2, currency 720 x 2, items 120 x 2,
    # basic 60 x 5, faction_currency 60 x 2: 16,500, of which 5,000 are free.
    assert bill.quantities["archive_writes"] == 16_500
    services = bill.by_service(free=True)
    assert services["Cloud Scheduler"] == pytest.approx(0.3)
    kept = bill.quantities["archive_bytes"] / 2**30 * 0.02
    assert services["Cloud Storage"] == pytest.approx(0.0575 + kept)
    assert kept < 0.03
    # 6 functions x 3 images of 150 MB, less half a GiB.
    assert services["Artifact Registry"] == pytest.approx((2.7e9 / 2**30 - 0.5) * 0.1)
    # 9 kinds of trouble and 4 intervals. Every five minutes 2 series (dead letters, reminders), 6 (whatever
    # succeeds), 4 (what runs hourly or less often may be stale), and every minute crimes and members.
    points = 8_640 * 12 + 43_200 * 2
    assert services["Cloud Monitoring"] == pytest.approx(1.3 + points * 0.35e-6)
    for name in ("BigQuery query", "BigQuery storage", "Cloud Run", "Pub/Sub", "Secret Manager"):
        assert services[name] == 0
    # Log lines cost nothing but the keeping of some of them for longer than a month.
    assert 0 < services["Cloud Logging"] < 0.001
    assert bill.total(free=True) == pytest.approx(1.94, abs=0.01)

"""What log lines, and metrics made from them, come to."""

from __future__ import annotations

from shared.cost.facts import INSTALLATION
from shared.cost.telemetry import logged, metered

RUN = INSTALLATION.metrics.run.values()


def test_records_are_stored_twice():
    """100 requests of 1,400 bytes once; 100 records of 1,600 and 10 readings of 1,000 in two buckets."""
    assert logged(100, 10, months=1) == {"log_bytes": 140_000 + 2 * 170_000, "log_retention": 0}


def test_what_is_kept_beyond_a_month_costs_a_little():
    """90 days are two months more of what the installation's own bucket has, once there are as many."""
    assert logged(100, 10, months=2)["log_retention"] == 170_000
    for months in (3, 99):
        assert logged(100, 10, months=months)["log_retention"] == 340_000


def test_a_run_is_a_point_of_each_metric():
    """Two counters of 8 bytes, two distributions of 80."""
    assert metered(RUN, 1_000, 1)["metric_bytes"] == 176_000


def test_a_series_has_one_point_a_minute():
    """Of 10 accounts' 1,000,000 runs each account has 43,200 minutes, and so has what accounts share."""
    assert metered(RUN, 1_000_000, 10)["metric_bytes"] == 432_000 * (8 + 8) + 43_200 * (80 + 80)

"""What alert policies cost: a condition for each, and what its evaluations return."""

from __future__ import annotations

import pytest

from shared.cost.alerts import Policy, alert_lines, policies
from shared.cost.setup import Setup


def by_name(*told):
    return {one.name: one for one in policies(*told)}


def test_there_is_a_policy_for_each_every(log_setup, things_setup, make_log, make_job):
    """PT1H twice and PT15M, and a job of P1D: three intervals, beside the nine kinds of trouble."""
    found = by_name([log_setup, Setup(make_log(name="more")), things_setup], [make_job()], 1)
    stale = {name for name in found if name.startswith("stale")}
    assert stale == {"stale_15", "stale_60", "stale_1440"}
    assert len(found) == 9 + 3
    # Endpoints of one interval are watched together.
    assert found["stale_60"] == Policy("stale_60", 300, 2)
    assert found["stale_1440"] == Policy("stale_1440", 300, 1)


def test_what_runs_within_the_hour_is_looked_at_each_minute(things_setup):
    """43,200 evaluations a month instead of 8,640."""
    assert by_name([things_setup], [], 1)["stale_15"].points == 43_200
    assert by_name([things_setup], [], 1)["retries"].points == 8_640


def test_accounts_are_series_of_their_own(log_setup, make_log, make_job):
    """100 accounts of one endpoint, one endpoint for all, and a job: 102 series."""
    found = by_name([log_setup, Setup(make_log(name="all", scope="global"))], [make_job()], 100)
    assert found["stale_60"].series == 101
    assert found["retries"].series == 102
    assert found["dead_letters"].series == 1
    assert found["failed"].series == 0


def test_conditions_do_not_grow_with_the_accounts(log_setup):
    """Points do: an endpoint is a series of `retries` and one that may be stale; with 10 accounts 10."""
    one, ten = ({line.item: line.quantity for line in alert_lines([log_setup], [], n)} for n in (1, 10))
    assert one["alert_conditions"] == ten["alert_conditions"] == 10
    # And one each of dead letters and of reminders.
    assert one["alert_points"] == pytest.approx(4 * 8_640)
    assert ten["alert_points"] == pytest.approx(22 * 8_640)

"""What a month of the jobs uses."""

from __future__ import annotations

import pytest

from shared.cost.deployed import Deployed, deployed
from shared.cost.jobs import job_lines


def test_a_month_of_one_job(make_job):
    """30 runs of 30 s and a start of 0.37 / 0.333 = 1.11, billed as 1.2 s, with half a GiB."""
    lines = list(job_lines([make_job()], months=1))
    assert {line.endpoint for line in lines} == {"(jobs)"}
    month = {line.item: line.quantity for line in lines}
    assert month["run_requests"] == 30
    assert month["run_memory"] == pytest.approx(30 * 31.2 * 0.5)
    assert month["run_cpu"] == pytest.approx(30 * 31.2 * 0.333)
    assert month["scheduler_jobs"] == 1
    assert month["pubsub_bytes"] == 30 * 2 * 1_000
    # A job reads no key. 30 x (1,400 + 2 x 1,600) bytes; one counter of 8 bytes.
    assert month["log_bytes"] == 30 * 4_600
    assert month["metric_bytes"] == 30 * 8


def test_each_job_comes_on_top(make_job):
    """Two jobs, of which one runs every six hours with more memory."""
    lines = list(job_lines([make_job(), make_job(name="sweep", every="PT6H", memory="2Gi")], months=1))
    assert sum(line.quantity for line in lines if line.item == "scheduler_jobs") == 2
    assert sum(line.quantity for line in lines if line.item == "run_requests") == 30 + 120


def test_jobs_are_deployed_beside_endpoints(log_setup, make_job):
    """What is billed is a function for each of them; a job has one instance and fills no table."""
    assert deployed([log_setup], [make_job()]) == {
        "log": Deployed("PT1H", "512Mi", 0.333, 1, ("log",)),
        "tidy": Deployed("P1D", "512Mi", 0.333, 1),
    }

"""Figures from the ledger: what the last good runs took."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.cost.measured import ledger_figures
from shared.ledger import Attempt
from shared.message import Request
from shared.warehouse import open_warehouse

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)


def attempt(number, **changed):
    """Give the row of a run that ended well."""
    request = Request(
        endpoint="things", account="default", name=f"r{number}", message_id=f"m{number}", published_at=BEGIN
    )
    made = Attempt(
        attempt=f"a{number}", endpoint="things", schema_version=1, request=changed.pop("request", request),
        started_at=BEGIN + timedelta(hours=number), outcome=changed.pop("outcome", "ok"),
        seconds={"fetch": 2.0, "flatten": 0.5, "write": 1.0}, pages=3, bytes=30_000,
        rows={"things": 80, "parts": 160},
    )  # fmt: skip
    return replace(made, _clock=0.0, **changed).row()


@pytest.fixture(name="read")
def _read(tmp_path, make_things, make_log):
    """Give what reads the figures of a ledger with these rows."""

    def read(*rows, in_cloud=False, simulated=True):
        warehouse = open_warehouse(f"duckdb:{tmp_path}/w.duckdb")
        warehouse.record({"runs": list(rows)})
        return ledger_figures(
            warehouse, [make_things(), make_log()], where="here", in_cloud=in_cloud, simulated=simulated
        )

    return read


def test_figures_are_medians_of_the_runs(read):
    """Of three runs the middle one counts, each figure by itself; a table that had no rows had 0."""
    things = read(
        attempt(1),
        attempt(2, pages=5, bytes=50_000, seconds={"fetch": 9.0, "flatten": 0.7, "write": 1.5}),
        attempt(3, pages=4, bytes=10_000, seconds={"fetch": 3.0, "flatten": 0.1}, rows={"things": 90}),
    )["things"]
    assert things.source == "median of 3 runs in here"
    assert (things.fetch, things.flatten, things.write) == (3.0, 0.5, 1.0)
    assert (things.pages, things.bytes) == (4, 30_000)
    assert things.rows == {"things": 80, "parts": 160}
    # 15 % of its bytes, as nobody has measured how these pages pack.
    assert things.packed == pytest.approx(4_500)
    assert (things.in_cloud, things.simulated) == (False, True)


def test_only_usual_runs_that_went_well_count(read):
    """Neither a failure, nor a repetition, nor a backfill says what a scheduled run takes."""
    window = (BEGIN, BEGIN + timedelta(days=30))
    backfill = Request(
        endpoint="things", account="default", name="b", message_id="b", published_at=BEGIN, window=window
    )
    things = read(
        attempt(1),
        attempt(2, outcome="failed", pages=90),
        attempt(3, outcome="repeated", pages=90),
        attempt(4, request=backfill, pages=90),
    )["things"]
    assert things.source == "median of 1 run in here"
    assert things.pages == 3


def test_only_the_last_runs_count(read):
    """50 runs of 4 pages are newer than 60 of 3."""
    rows = [attempt(number, pages=3 if number < 60 else 4) for number in range(110)]
    things = read(*rows)["things"]
    assert things.source == "median of 50 runs in here"
    assert things.pages == 4


def test_an_endpoint_that_has_not_run_keeps_its_own_source(read):
    """The ledger's silence about log is said; what was measured in the cloud is only things."""
    found = read(attempt(1), in_cloud=True, simulated=False)
    assert found["log"].source.startswith("assumed")
    assert (found["log"].in_cloud, found["log"].simulated) == (False, True)
    assert (found["things"].in_cloud, found["things"].simulated) == (True, False)

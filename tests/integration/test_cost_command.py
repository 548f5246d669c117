"""``tcdatalogger cost`` as a person or a script calls it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared.endpoint_file import find_endpoints
from shared.job import find_jobs
from shared.ledger import Attempt
from shared.message import Request

TCDATALOGGER = str(Path(sys.executable).with_name("tcdatalogger"))
#: Each endpoint, and each job, has one Scheduler job.
JOBS = len(find_endpoints()) + len(find_jobs())
FREE, FULL = "with_free_tiers", "without_free_tiers"


class Shell:
    """Runs the command with a warehouse and an archive of its own, on a simulated faction."""

    def __init__(self, folder: Path) -> None:
        mine = ("ACCOUNTS", "KEY_SECRET_PREFIX", "TORN_API_KEY", "TORN_API_URL")
        self.env = {
            **{name: value for name, value in os.environ.items() if name not in mine},
            "WAREHOUSE": f"duckdb:{folder}/w.duckdb",
            "ARCHIVE": f"file:{folder}/archive",
            "COLUMNS": "120",
        }

    def __call__(self, *words: str, code: int = 0, **env: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [TCDATALOGGER, *words],
            env=self.env | env,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == code, f"{words}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        return done

    def json(self, *words: str, **env: str):
        return json.loads(self("cost", *words, "--json", **env).stdout)


@pytest.fixture(name="shell")
def _shell(tmp_path):
    return Shell(tmp_path)


def test_the_bill_comes_before_the_first_run(shell):
    """Without a ledger the figures are those of figures.toml, and it says so."""
    said = shell("cost", "--json")
    bill = json.loads(said.stdout)
    assert "no ledger to take figures from" in said.stderr
    assert set(bill["figures"]) == set(find_endpoints())
    assert all(source.startswith("figures.toml, 5 simulated runs of ") for source in bill["figures"].values())
    assert (bill["prices_of"], bill["currency"], bill["months"]) == ("2026-11-20", "USD", 12)
    assert [one["accounts"] for one in bill["bills"]] == [1, 100, 10_000]
    # A Scheduler job for each endpoint and each job at $0.10, of which 3 are free, whatever the accounts.
    jobs = [[one[kind]["services"]["Cloud Scheduler"] for one in bill["bills"]] for kind in (FREE, FULL)]
    assert jobs[0] == pytest.approx([0.1 * (JOBS - 3)] * 3)
    assert jobs[1] == pytest.approx([0.1 * JOBS] * 3)
    others = {"(jobs)", "(keys)", "(alerts)", "(images)"}
    assert set(bill["bills"][0][FREE]["endpoints"]) == {*find_endpoints(), *others}
    assert set(bill["deployed"]) == {*find_endpoints(), *find_jobs()}


def test_an_endpoint_that_has_run_is_billed_by_its_runs(shell):
    """crimes has been collected twice: its figures are medians of the ledger's, the others the file's."""
    before = shell.json("--accounts", "1")
    for _ in range(2):
        shell("run", "crimes")
    [row] = json.loads(
        shell("query", "SELECT max(pages) AS pages FROM runs WHERE endpoint = 'crimes'", "--json").stdout
    )
    after = shell.json("--accounts", "1")
    assert after["figures"]["crimes"].startswith("median of 2 runs in /")
    assert after["figures"]["crimes"].endswith("w.duckdb (a simulated faction)")
    assert after["figures"]["members"] == before["figures"]["members"]
    # A page and run more is 2,880 objects more; figures.toml has 2 pages.
    puts = [one["bills"][0]["used"]["archive_writes"]["quantity"] for one in (before, after)]
    assert puts[1] - puts[0] == 2_880 * (row["pages"] - 2)


def test_what_functions_took_in_bigquery_is_taken_as_it_is(shell, tmp_path):
    """Medians of a ledger in BigQuery: 2.0 + 0.5 + 4.0 s, none assumed; 900 s / 6.5 s = 138 accounts."""
    from support.bigquery import Dataset, Emulator  # noqa: PLC0415 - it brings Google's client

    with Emulator(tmp_path) as emulator:
        dataset = Dataset(emulator.host)
        dataset.prepare_all()
        dataset.record({"runs": [_run_of_members(fetch) for fetch in (1.0, 2.0, 3.0)]})
        found = shell.json("--accounts", "1", WAREHOUSE=dataset.url, BIGQUERY_EMULATOR_HOST=emulator.host)
    assert found["figures"]["members"] == f"median of 3 runs in {dataset.url}"
    [time] = [
        one for one in found["ceilings"] if one["endpoint"] == "members" and one["limit"].startswith("time")
    ]
    assert time["accounts"] == 138
    assert "6.50 s each (fetch 2.00 + flatten 0.50 + write 4.00)" in time["arithmetic"]


def _run_of_members(fetch):
    now = datetime.now(UTC)
    name = f"run{fetch}"
    request = Request(
        endpoint="members", account="default", name=name, message_id=name, published_at=now, slot=now
    )
    return Attempt(
        attempt=name, endpoint="members", schema_version=1, request=request, outcome="ok",
        seconds={"fetch": fetch, "flatten": 0.5, "write": 4.0}, pages=1, bytes=40_000, rows={"members": 98},
    ).row()  # fmt: skip


def test_for_a_person_it_is_tables_and_sentences(shell):
    """Services, endpoints, settings, ceilings: each with its heading, in dollars and cents."""
    text = shell("cost", "--accounts", "15", "--accounts", "1").stdout
    lines = text.splitlines()
    assert lines[0].startswith(
        "A month of 30 days, after 12 months of collecting, in USD; prices of 2026-11-20"
    )
    assert "  a run of crimes: figures.toml, 5 simulated runs of 2026-11-20" in lines
    head = "1 account\t1 account, nothing free\t15 accounts\t15 accounts, nothing free"
    assert f"service\t{head}" in lines
    assert f"endpoint\t{head}" in lines
    free, full = f"${0.1 * (JOBS - 3):.2f}", f"${0.1 * JOBS:.2f}"
    assert f"Cloud Scheduler\t{free}\t{full}\t{free}\t{full}" in lines
    first = "load jobs per table and day of members: the table members takes 1 load job a run x 96 runs a day"
    assert f"- 15 accounts, {_money(lines, 'total', 3)} a month: {first} x N accounts ≤ 1,500" in text
    [declared] = [line for line in lines if line.startswith("as declared\t")]
    assert declared.startswith(
        f"as declared\t15\tload jobs per table and day of members\t{_money(lines, 'total', 3)}"
    )


def _money(lines, name, column):
    return next(line for line in lines if line.startswith(f"{name}\t")).split("\t")[column]


def test_list_prices_alone(shell):
    """--no-free-tier takes nothing off and shows one column for each number of accounts."""
    lines = shell("cost", "--no-free-tier", "--accounts", "1").stdout.splitlines()
    assert "service\t1 account, nothing free" not in lines
    assert "service\t1 account" in lines
    assert f"Cloud Scheduler\t${0.1 * JOBS:.2f}" in lines
    assert FREE not in shell.json("--no-free-tier")["bills"][0]


def test_what_is_kept_costs_more_every_month(shell):
    """After 24 months the archive holds twice what it holds after 12."""
    year, two = (shell.json("--accounts", "1", "--months", months) for months in ("12", "24"))
    kept = [one["bills"][0]["used"]["archive_bytes"]["quantity"] for one in (year, two)]
    assert kept[1] == pytest.approx(2 * kept[0])
    assert kept[0] > 0


def test_a_configuration_past_a_ceiling_is_refused_with_the_arithmetic(shell):
    """--check names each ceiling that is exceeded on standard error, and ends with 1."""
    done = shell("cost", "--check", "--accounts", "16", code=1)
    assert done.stdout == ""
    [problem] = [line for line in done.stderr.splitlines() if "exceed" in line]
    assert problem == (
        "16 accounts exceed load jobs per table and day of members: the table members takes 1 load job a run "
        "x 96 runs a day x N accounts ≤ 1,500 load jobs → N ≤ 15. "
        "Moved by: `writer: stream`, a longer `every`"
    )


def test_a_configuration_within_every_ceiling_passes(shell):
    """--check asks for the accounts that are configured, says what comes first, and ends with 0."""
    done = shell("cost", "--check")
    assert done.stdout.startswith(
        "no ceiling is exceeded; the first is load jobs per table and day of members"
    )
    fifteen = {f"faction{number}": {"faction_id": number} for number in range(1, 16)}
    shell("cost", "--check", ACCOUNTS=json.dumps(fifteen))
    refused = shell("cost", "--check", code=1, ACCOUNTS=json.dumps({**fifteen, "one-more": {}}))
    assert "16 accounts exceed" in refused.stderr


def test_a_script_reads_what_is_exceeded(shell):
    """--check --json is a list of sentences: empty where nothing is exceeded."""
    assert shell.json("--check") == []
    done = shell("cost", "--check", "--json", "--accounts", "16", code=1)
    [problem] = json.loads(done.stdout)
    assert problem.startswith("16 accounts exceed load jobs per table and day of members")


def test_a_bill_past_the_ceilings_says_so(shell):
    """What 16 accounts would cost is shown, and that one ceiling is in the way."""
    text = shell("cost", "--accounts", "15", "--accounts", "16").stdout
    assert "16 accounts exceed 1 of the ceilings below" in text
    assert "15 accounts exceed" not in text


def test_no_accounts_at_all_is_a_wrong_call(shell):
    """0 accounts is no configuration: exit 2, and nothing is printed."""
    assert shell("cost", "--accounts", "0", code=2).stdout == ""

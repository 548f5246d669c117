"""``tcdatalogger cost`` counts what Terraform plans: nobody is billed for what the bill does not know."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from support.cloud_logging import entry_of
from support.log_filter import accepts, parse
from support.plan import LATER, Plan
from support.processes import BIN, Process, environment
from support.terraform import PROJECT, Checkout, common, once, planned

from shared.backup.job import Done
from shared.cost.alerts import policies
from shared.cost.facts import ASSUMED, INSTALLATION
from shared.cost.setup import setups_of, slots_a_day
from shared.endpoint_file import find_endpoints, load_endpoint
from shared.job import find_jobs, load_job

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timeout(300)

SETUPS = setups_of(load_endpoint(file) for file in find_endpoints().values())
JOBS = [load_job(file) for file in find_jobs().values()]
NAMES = [*find_endpoints(), *find_jobs()]
ARCHIVE = "google_storage_bucket.archive"
FUNCTION = "google_cloudfunctions2_function.this"
LOGS = "google_logging_project_bucket_config.this"
METRIC = "google_logging_metric.this"
POLICY = "google_monitoring_alert_policy.this"
SCHEDULE = "google_cloud_scheduler_job.this"
SECRET = "google_secret_manager_secret.key"


@pytest.fixture(name="plan", scope="session")
def _plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """Give the plan of two factions, where some functions are paused."""
    return planned(tmp_path_factory)


@pytest.fixture(name="one_faction", scope="session")
def _one_faction(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """Give what is planned with the defaults, as far as two factions' plan is of others."""
    where = common(tmp_path_factory)

    def make() -> str:
        checkout = Checkout.copy(where / "one-faction", tmp_path_factory)
        return checkout.plan(*(f"-target={block}" for block in (ARCHIVE, LOGS, POLICY, SECRET)))

    return Plan.read(once(where, "one-faction", make))


def command(folder: Path, *words: str) -> str:
    """Run the command, with a faction of its own."""
    env = environment(
        WAREHOUSE=f"duckdb:{folder}/w.duckdb", ARCHIVE=f"file:{folder}/archive", LOG_FOLDER=f"{folder}/logs"
    )
    with Process([BIN / "tcdatalogger", *words], folder=folder / "said", env=env) as process:
        assert process.wait(60) == 0, process.stderr
        return process.stdout


@pytest.fixture(name="billed", scope="session")
def _billed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Give what the command says of one faction and of two, as a script reads it."""
    words = ("cost", "--json", "--accounts", "1", "--accounts", "2")
    said: dict[str, Any] = json.loads(command(tmp_path_factory.mktemp("cost"), *words))
    return said


def used(billed: dict[str, Any], accounts: int, item: str) -> float:
    """Return how much of an item the bill has."""
    (bill,) = (one for one in billed["bills"] if one["accounts"] == accounts)
    quantity: float = bill["used"][item]["quantity"]
    return quantity


def test_functions_and_scheduler_jobs(plan: Plan, billed: dict[str, Any]):
    """Each function and each schedule that is planned is billed, the jobs' among them, and no other."""
    assert plan.each(FUNCTION).keys() == plan.each(SCHEDULE).keys() == billed["deployed"].keys()
    functions = len(plan.of("google_cloudfunctions2_function"))
    for accounts in (1, 2):
        assert used(billed, accounts, "scheduler_jobs") == len(plan.of("google_cloud_scheduler_job"))
        images = functions * INSTALLATION.images_kept
        assert used(billed, accounts, "image_bytes") == images * ASSUMED.image_bytes


@pytest.mark.parametrize("name", NAMES)
def test_each_function(plan: Plan, billed: dict[str, Any], name: str):
    """A function has the memory and the instances that its seconds are billed for, and runs as often."""
    (service,) = plan.each(FUNCTION)[name]["service_config"]
    one = billed["deployed"][name]
    assert service["available_memory"] == one["memory"]
    assert service["max_instance_count"] == one["max_instances"]
    # No share of a CPU of its own choosing, which the memory's would not be.
    assert service["available_cpu"] == LATER
    assert slots(plan.each(SCHEDULE)[name]["schedule"]) == slots_a_day(one["every"])


@pytest.mark.parametrize("name", NAMES)
def test_tables(plan: Plan, billed: dict[str, Any], name: str):
    """The tables whose bytes and load jobs are billed are those that are planned."""
    tables = {
        table
        for table, values in plan.each("google_bigquery_table.endpoint").items()
        if values["labels"]["endpoint"] == name
    }
    assert set(billed["deployed"][name]["tables"]) == tables


def test_secrets(plan: Plan, one_faction: Plan, billed: dict[str, Any]):
    """There is a key for each faction, in one place, and a reminder for each as often as is billed."""
    assert used(billed, 1, "secret_versions") == len(one_faction.each(SECRET)) > 0
    assert used(billed, 2, "secret_versions") == len(plan.each(SECRET)) == 2
    for secret in [*plan.each(SECRET).values(), *one_faction.each(SECRET).values()]:
        (rotation,), (replication,) = secret["rotation"], secret["replication"]
        assert rotation["rotation_period"] == f"{INSTALLATION.rotation_days * 86_400}s"
        assert replication["auto"]


def test_alert_conditions(one_faction: Plan, billed: dict[str, Any]):
    """A condition for each kind of trouble and one for each `every` are billed and planned."""
    conditions = sum(len(one["conditions"]) for one in one_faction.each(POLICY).values())
    assert used(billed, 1, "alert_conditions") == used(billed, 2, "alert_conditions") == conditions > 0


def test_alerts_of_one_faction(one_faction: Plan):
    """Each policy of the bill is planned, and looks as often."""
    assert looks(one_faction) == {one.name: one.seconds for one in policies(SETUPS, JOBS, 1)}


def test_alerts_of_two_factions(plan: Plan):
    """What is paused is not watched; what is watched has a series for each faction, as the query says."""
    paused = {name for name, job in plan.each(SCHEDULE).items() if job["paused"]}
    assert paused
    setups = [one for one in SETUPS if one.name not in paused]
    watched = policies(setups, [one for one in JOBS if one.name not in paused], 2)
    assert looks(plan) == {one.name: one.seconds for one in watched}
    # In a query for what is stale, each series has a zero that stands in for it.
    zeros = {
        name: policy["conditions"][0]["condition_prometheus_query_language"][0]["query"].count("vector(0)")
        for name, policy in plan.each(POLICY).items()
        if policy["user_labels"]["kind"] == "stale"
    }
    assert zeros == {one.name: one.series for one in watched if one.name.startswith("stale_")}


def test_metrics(plan: Plan, tmp_path: Path):
    """A run, or a job, that goes well is a point of the metrics that are billed, of their kind and labels."""
    command(tmp_path, "run", "items")
    (run,) = (line for file in (tmp_path / "logs").iterdir() for line in file.read_text().splitlines())
    done = Done(name="backup", outcome="ok", attempt="a", message_id="m", duration_seconds=30.0)
    job = json.dumps({"severity": "INFO", "message": "ok", "job": done.fields()})
    service = plan.each(FUNCTION)["items"]["name"]
    for line, billed in ((run, INSTALLATION.metrics.run), (job, INSTALLATION.metrics.job)):
        entry = entry_of(line, service=service, project=PROJECT)
        counting = {
            name: metric
            for name, metric in plan.each(METRIC).items()
            if accepts(parse(metric["filter"]), entry)
        }
        assert counting.keys() == billed.keys()
        for name, metric in counting.items():
            (descriptor,) = metric["metric_descriptor"]
            value = {"counter": "INT64", "distribution": "DISTRIBUTION"}[billed[name].kind]
            assert descriptor["value_type"] == value, name
            by_account = "account" in {label["key"] for label in descriptor["labels"]}
            assert by_account == billed[name].by_account, name


def test_what_is_kept_and_for_how_long(plan: Plan, one_faction: Plan):
    """Images, log lines and raw responses are kept, and moved, as is billed."""
    repository = plan.one("google_artifact_registry_repository.functions")
    (kept,) = (one for one in repository["cleanup_policies"] if one["action"] == "KEEP")
    (newest,) = kept["most_recent_versions"]
    assert newest["keep_count"] == INSTALLATION.images_kept
    assert one_faction.one(LOGS)["retention_days"] == INSTALLATION.log_retention_days
    bucket = one_faction.one(ARCHIVE)
    (colder,) = bucket["autoclass"]
    assert colder["enabled"]
    # Which moves what pays for it alone; a rule's moves would be billed for each object.
    assert {rule["action"][0]["type"] for rule in bucket["lifecycle_rule"]} == {"Delete"}


def looks(plan: Plan) -> dict[str, int]:
    """Return how often each policy looks; each has one condition."""
    found = {}
    for name, policy in plan.each(POLICY).items():
        (condition,) = policy["conditions"]
        (query,) = condition["condition_prometheus_query_language"]
        found[name] = int(query["evaluation_interval"].removesuffix("s"))
    return found


def slots(schedule: str) -> int:
    """Return how often a day a schedule fires."""
    if schedule.startswith("every "):
        return 1440 // int(schedule.split()[1])
    minute, hour, *_ = schedule.split()
    return times(minute, 60) * times(hour, 24)


def times(field: str, of: int) -> int:
    return of // int(field.removeprefix("*").removeprefix("/") or 1) if field.startswith("*") else 1

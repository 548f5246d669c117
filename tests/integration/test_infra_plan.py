"""Terraform plans what each folder of functions/ needs; nobody lists the endpoints in infra/."""

from __future__ import annotations

import base64
import os
import re
import subprocess
from typing import TYPE_CHECKING

import pytest
import yaml
from support.processes import ROOT, must_skip, require
from support.terraform import TWO_FACTIONS, Checkout, common, is_plain, planned

from shared.endpoint_file import find_endpoints, load_endpoint
from shared.job import find_jobs, load_job

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from support.plan import Plan

    from shared.endpoint import Endpoint

pytestmark = pytest.mark.timeout(300)

INFRA = ROOT / "infra"
GOLDEN = TWO_FACTIONS.with_suffix(".yaml")
ENDPOINTS = {name: load_endpoint(file) for name, file in find_endpoints().items()}
JOBS = {name: load_job(file) for name, file in find_jobs().items()}
PROJECT = "projects/demo-project"
INVOKER = "test-push-invoker@demo-project.iam.gserviceaccount.com"
#: What an installation of two factions, blue and red, reads with.
KEYS = {"account": ["key-blue", "key-red"], "global": ["key-blue"]}

named = pytest.mark.parametrize("name", [*ENDPOINTS, *JOBS])
endpoints = pytest.mark.parametrize("endpoint", ENDPOINTS.values(), ids=ENDPOINTS)


@pytest.fixture(scope="session")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    return planned(tmp_path_factory)


def test_files_are_formatted():
    """Terraform's own formatter would change nothing."""
    done = subprocess.run(
        [require("terraform"), "fmt", "-check", "-diff", "-recursive", INFRA],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_configuration_is_valid(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory):
    """Terraform finds no mistake in the configuration, before it knows any variable."""
    checkout = Checkout.copy(tmp_path / "copy", tmp_path_factory, zips=True)
    assert "valid" in checkout("validate", "-no-color").stdout


@pytest.mark.parametrize("file", sorted(file.name for file in (INFRA / "tests").glob("*.tftest.hcl")))
def test_terraforms_own_tests_pass(file: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory):
    """What is asserted in Terraform's language, for whoever has no Python, holds."""
    checkout = Checkout.copy(tmp_path / "copy", tmp_path_factory)
    said = checkout("test", "-no-color", f"-filter=tests/{file}").text
    assert re.search(r"Success! [1-9]\d* passed, 0 failed\.", said)


@named
def test_message_reaches_the_function(plan: Plan, name: str):
    """Scheduler publishes to the topic, whose subscription pushes to the function as one who may call it."""
    scheduler = plan.each("google_cloud_scheduler_job.this")[name]
    (target,) = scheduler["pubsub_target"]
    topic = f"{PROJECT}/topics/test-{name}"
    assert plan.each("google_pubsub_topic.this")[name]["name"] == f"test-{name}"
    assert target["topic_name"] == topic
    assert base64.b64decode(target["data"]) == b"{}"
    assert target["attributes"] == {"origin": "schedule"}
    assert scheduler["paused"] == (name in {"backup", "basic"})

    subscription = plan.each("google_pubsub_subscription.push")[name]
    (push,) = subscription["push_config"]
    (dead_letters,) = subscription["dead_letter_policy"]
    service = plan.each("google_cloudfunctions2_function.this")[name]["service_config"][0]["uri"]
    assert subscription["topic"] == topic
    assert push["push_endpoint"] == f"{service}/{topic}"
    assert push["oidc_token"] == [{"service_account_email": INVOKER, "audience": service}]
    assert subscription["expiration_policy"] == [{"ttl": ""}]
    assert dead_letters["dead_letter_topic"] == f"{PROJECT}/topics/test-dead-letters"

    invoker = plan.each("google_cloud_run_v2_service_iam_member.invoker")[name]
    assert invoker["name"] == plan.each("google_cloudfunctions2_function.this")[name]["name"]
    assert (invoker["role"], invoker["member"]) == ("roles/run.invoker", f"serviceAccount:{INVOKER}")
    forwarding = plan.each("google_pubsub_subscription_iam_member.pubsub_agent")[name]
    assert forwarding["subscription"] == f"{PROJECT}/subscriptions/test-{name}"


@named
def test_function_is_what_is_declared(plan: Plan, name: str):
    """A function has its own account, memory, entry point and code, and reaches nothing but by a push."""
    function = plan.each("google_cloudfunctions2_function.this")[name]
    (build,), (service,) = function["build_config"], function["service_config"]
    declared = ENDPOINTS.get(name) or JOBS[name]
    source = plan.each("google_storage_bucket_object.source")[name]
    assert build["entry_point"] == name
    assert build["source"][0]["storage_source"][0]["object"] == source["name"]
    assert re.fullmatch(rf"{name}/[0-9a-f]{{64}}\.zip", source["name"])
    assert service["available_memory"] == declared.memory
    assert service["ingress_settings"] == "ALLOW_INTERNAL_ONLY"
    assert f"serviceAccount:{service['service_account_email']}" == account(plan, name)
    settings = service["environment_variables"]
    assert settings["WAREHOUSE"] == "bigquery:demo-project.torn_test"
    assert settings["KEY_SECRET_PREFIX"] == f"{PROJECT}/secrets/test-"
    # It ends itself, before the platform does, before the message is delivered again.
    waits = plan.each("google_pubsub_subscription.push")[name]["ack_deadline_seconds"]
    assert int(settings["RUN_TIMEOUT"]) < service["timeout_seconds"] < waits


@endpoints
def test_endpoint_is_granted_its_own_and_no_more(plan: Plan, endpoint: Endpoint):
    """An endpoint's function may read its keys, add to its folder and write to the dataset: nothing else."""
    name = endpoint.name
    archive = plan.one("google_storage_bucket.archive")["name"]
    found = {
        (address.split(".")[0].removeprefix("google_"), grant["role"], place(grant))
        for address, grant in plan.resources.items()
        if "role" in grant and grant["member"] == account(plan, name)
    }
    expected = {
        ("storage_bucket_iam_member", f"{PROJECT}/roles/test_tcdatalogger_archive_writer", archive),
        ("bigquery_dataset_iam_member", "roles/bigquery.dataEditor", "torn_test"),
        ("project_iam_member", "roles/bigquery.jobUser", "demo-project"),
    } | {
        (
            "secret_manager_secret_iam_member",
            "roles/secretmanager.secretAccessor",
            f"{PROJECT}/secrets/test-{key}",
        )
        for key in KEYS[endpoint.scope]
    }
    if endpoint.scope == "account":
        # A message for both factions becomes one for each.
        expected |= {("pubsub_topic_iam_member", "roles/pubsub.publisher", f"{PROJECT}/topics/test-{name}")}
    if any(table.mode == "replace" for table in endpoint.tables.values()):
        # What it replaces it keeps, as a snapshot that ends by itself.
        keeper = f"{PROJECT}/roles/test_tcdatalogger_snapshot_keeper"
        expected |= {("bigquery_dataset_iam_member", keeper, "torn_test")}
    assert found == expected
    (condition,) = plan.each("google_storage_bucket_iam_member.archive")[name]["condition"]
    prefix = f"projects/_/buckets/{archive}/objects/raw/{name}/"
    assert condition["expression"] == f'resource.name.startsWith("{prefix}")'


@pytest.mark.parametrize("name", JOBS)
def test_job_is_granted_what_it_asks_for(plan: Plan, name: str):
    """A job's function may do what job.yaml lists, on the dataset and on the project."""
    found = {
        (address.split(".")[0], grant["role"])
        for address, grant in plan.resources.items()
        if "role" in grant and grant["member"] == account(plan, name)
    }
    role = f"{PROJECT}/roles/test_tcdatalogger_{name}"
    assert found == {
        ("google_bigquery_dataset_iam_member", role),
        ("google_project_iam_member", f"{role}_project"),
    }
    roles = plan.each("google_project_iam_custom_role.job")[name]
    of_project = plan.each("google_project_iam_custom_role.job_project")[name]
    assert set(roles["permissions"]) == set(JOBS[name].permissions)
    assert set(of_project["permissions"]) == set(JOBS[name].project_permissions)


def test_nothing_is_planned_for_what_is_not_there(plan: Plan):
    """Topics, functions and schedules are one for each folder; secrets one for each key."""
    for block in (
        "google_pubsub_topic.this",
        "google_pubsub_subscription.push",
        "google_cloud_scheduler_job.this",
        "google_cloudfunctions2_function.this",
        "google_service_account.function",
        "google_storage_bucket_object.source",
    ):
        assert plan.each(block).keys() == {*ENDPOINTS, *JOBS}, block
    secrets = {secret["secret_id"] for secret in plan.of("google_secret_manager_secret").values()}
    assert secrets == {"test-key-blue", "test-key-red"}


def test_names_fit_and_differ(plan: Plan):
    """No two accounts, functions or topics have one name; an account's is short enough."""
    for kind, attribute in (
        ("google_service_account", "account_id"),
        ("google_cloudfunctions2_function", "name"),
        ("google_pubsub_topic", "name"),
        ("google_bigquery_table", "table_id"),
    ):
        names = [values[attribute] for values in plan.of(kind).values()]
        assert len(names) == len(set(names)) > 0
        if kind == "google_service_account":
            assert all(re.fullmatch(r"[a-z][a-z0-9-]{4,28}[a-z0-9]", name) for name in names)


def test_golden_inventory(plan: Plan, tmp_path_factory: pytest.TempPathFactory):
    """The whole plan is the one that was looked at and written down beside its variables."""
    if is_plain(common(tmp_path_factory)):
        must_skip("the inventory has values that the offline tool makes up and the cloud would give")
    found = yaml.safe_dump(
        {address: short(address, values) for address, values in plan.said().items()},
        sort_keys=True, allow_unicode=True, width=140,
    )  # fmt: skip
    if os.environ.get("GOLDEN") == "write":
        GOLDEN.write_text(found, encoding="utf-8")
    assert found == GOLDEN.read_text(encoding="utf-8"), (
        "the plan has changed; if that is meant, write it down and look at the difference: "
        "GOLDEN=write .venv/bin/python -m pytest tests/integration/test_infra_plan.py -k golden; git diff"
    )


def account(plan: Plan, name: str) -> str:
    identity = plan.each("google_service_account.function")[name]["account_id"]
    return f"serviceAccount:{identity}@demo-project.iam.gserviceaccount.com"


def place(grant: dict[str, Any]) -> str:
    """Return what a grant is on."""
    places = ("secret_id", "bucket", "dataset_id", "topic", "project")
    return next(grant[key] for key in places if grant.get(key))


def short(address: str, values: dict[str, Any]) -> dict[str, Any]:
    """Return what is worth reading of a resource: a table's columns in a line each, no SQL, no hash.

    Columns, their descriptions and views are compared with Python's in another test; code changes daily.
    """
    if address.startswith("google_bigquery_table."):
        kept = {key: value for key, value in values.items() if key not in {"schema", "view"}}
        columns = [f"{one['name']} {one['type']} {one['mode']}" for one in values.get("schema", [])]
        return kept | ({"columns": columns} if columns else {})
    text = re.sub(r"\b[0-9a-f]{64}\.zip", "HASH.zip", yaml.safe_dump(values))
    shortened: dict[str, Any] = yaml.safe_load(text)
    return shortened

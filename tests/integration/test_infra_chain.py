"""The whole chain: what Terraform makes, what gcloud publishes, what the zips collect, what destroy leaves.

Google's Pub/Sub emulator, the BigQuery emulator, a Secret Manager and the Torn API on this machine stand
for the cloud. There is no Cloud Storage here: the archive is a folder.
"""

from __future__ import annotations

import filecmp
import json
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support import bigquery, packages, pubsub
from support.cloud_run import FrontDoor, Service
from support.deployment import PROJECT, Deployment
from support.processes import until
from support.secret_manager import SecretManagerServer
from support.world import ENDPOINTS

from shared.endpoint_file import find_endpoints, load_endpoint
from shared.logs import SOURCE
from shared.simulator import Simulator
from shared.warehouse.bigquery_tables import declared_tables, plan_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.simulator.server import ApiServer

JOBS = ["backup"]
YES = ("-auto-approve", "-input=false", "-no-color")


@dataclass
class Cloud:
    """All that stands for Google's, and the API."""

    terraform: Deployment
    messages: pubsub.Emulator
    warehouse: bigquery.Emulator
    secrets: SecretManagerServer
    door: FrontDoor
    api: ApiServer


@pytest.fixture(name="cloud")
def _cloud(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Cloud]:
    with ExitStack() as stack:
        door = stack.enter_context(FrontDoor())
        messages = stack.enter_context(pubsub.emulator(tmp_path / "pubsub"))
        # One of its own, where all tables are Terraform's or the functions'.
        warehouse = stack.enter_context(bigquery.Emulator(tmp_path / "bigquery"))
        monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", warehouse.host)
        terraform = Deployment(
            tmp_path / "checkout",
            tmp_path_factory,
            pubsub=messages.address,
            bigquery=warehouse.host,
            pushes=door.url,
        )
        secrets = stack.enter_context(SecretManagerServer())
        api = stack.enter_context(Simulator(calls_per_minute=10_000))
        yield Cloud(terraform, messages, warehouse, secrets, door, api)


@pytest.mark.timeout(900)
def test_from_apply_to_destroy(
    cloud: Cloud, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Everything declared is made, runs on nothing but its zip, and is gone in the end."""
    terraform = cloud.terraform
    terraform("apply", *YES, "-var=deletion_protection=false")
    state = terraform.state()
    made = terraform.there()
    _everything_is_made(state, made)
    for name in [*ENDPOINTS, *JOBS]:
        _the_subscription_pushes(terraform.subscription(name), state, name)
    _what_is_made_is_what_functions_write(cloud)

    with ExitStack() as stack:
        services = _deploy(cloud, state, tmp_path, tmp_path_factory, stack)
        _publish(cloud, ENDPOINTS)
        for name in ENDPOINTS:
            until(lambda one=services[name]: "ok" in one.outcomes, what=f"{name} collected", timeout=120)
        _rows_are_there(cloud)
        _publish(cloud, JOBS)
        until(lambda: "ok" in services["backup"].outcomes, what="a backup", timeout=120)
        _only_the_zip_was_run(cloud, services)

    tables = [*state["google_bigquery_table.endpoint"], *state["google_bigquery_table.ledger"]]
    added = set(terraform.there()["tables"]) - set(made["tables"])
    assert {name.rpartition("__")[0] for name in added if "__" in name} == set(tables)
    # Beside these there is nothing but what a replace keeps for a day of the rows before.
    assert all("__" in name or name.startswith("before_") for name in added)

    # The zips have run, and what is in them is not in the state.
    terraform.without_zips()
    # What the functions did is nothing that Terraform would change back.
    terraform("plan", "-detailed-exitcode", "-input=false", "-no-color", "-var=deletion_protection=false")
    # It has just looked at everything that there is.
    terraform("destroy", *YES, "-refresh=false", "-var=deletion_protection=false")
    assert terraform.state() == {}
    assert terraform.there() == {"topics": [], "subscriptions": [], "datasets": [], "tables": []}


def _everything_is_made(state: dict[str, Any], made: dict[str, list[str]]) -> None:
    """A topic and a subscription for each function, and every table and view, are in the emulators."""
    topics = {*ENDPOINTS, *JOBS, "dead-letters", "key-rotation"}
    assert made["topics"] == sorted(f"projects/{PROJECT}/topics/{name}" for name in topics)
    assert made["subscriptions"] == sorted(f"projects/{PROJECT}/subscriptions/{name}" for name in topics)
    assert made["datasets"] == ["torn"]
    kinds = ("endpoint", "ledger", "ledger_view", "view")
    assert made["tables"] == sorted(name for kind in kinds for name in state[f"google_bigquery_table.{kind}"])


def _the_subscription_pushes(made: dict[str, Any], state: dict[str, Any], name: str) -> None:
    """The emulator has it as Terraform says: to which address, how long it tries, and where it gives up."""
    (service,) = state["google_cloudfunctions2_function.this"][name]["service_config"]
    host = service["uri"].removeprefix("https://")
    assert made["pushConfig"]["pushEndpoint"].endswith(f"/{host}/projects/{PROJECT}/topics/{name}")
    assert made["topic"] == f"projects/{PROJECT}/topics/{name}"
    assert made["ackDeadlineSeconds"] == 600
    assert made["retryPolicy"] == {"minimumBackoff": "10s", "maximumBackoff": "600s"}
    assert made["deadLetterPolicy"] == {
        "deadLetterTopic": f"projects/{PROJECT}/topics/dead-letters",
        "maxDeliveryAttempts": 20,
    }


def _what_is_made_is_what_functions_write(cloud: Cloud) -> None:
    """The tables and views are those that the code would make, column by column, and no others."""
    place = bigquery.Dataset(cloud.warehouse.host, "torn", project=PROJECT, make=False).warehouse.place
    endpoints = [load_endpoint(file) for file in find_endpoints().values()]
    wanted = list(declared_tables(place, endpoints))
    plans = {table.table_id: plan_table(place, table) for table in wanted}
    assert {name: (plan.changes, plan.refused) for name, plan in plans.items() if plan.changes} == {}
    assert sorted(plans) == cloud.terraform.there()["tables"]


def _deploy(
    cloud: Cloud,
    state: dict[str, Any],
    tmp_path: Path,
    factory: pytest.TempPathFactory,
    stack: ExitStack,
) -> dict[str, Service]:
    """Serve every zip, each in a process of its own, at the address that its subscription pushes to."""
    for secret in state["google_secret_manager_secret.key"].values():
        cloud.secrets.secrets[secret["id"]] = cloud.api.key.encode()
    functions = state["google_cloudfunctions2_function.this"]
    assert sorted(functions) == sorted([*ENDPOINTS, *JOBS])
    folders = cloud.terraform.unpack(list(functions))
    requirements = [folder / "requirements.txt" for folder in folders.values()]
    assert all(filecmp.cmp(requirements[0], other, shallow=False) for other in requirements)
    environment = packages.installed(requirements[0], factory)
    services = {}
    for name, function in functions.items():
        (service,) = function["service_config"]
        # All that has to differ on one machine.
        here = {
            "ARCHIVE": f"file:{tmp_path / 'archive'}",
            "TORN_API_URL": cloud.api.url,
            "BIGQUERY_EMULATOR_HOST": cloud.warehouse.host,
            "PUBSUB_EMULATOR_HOST": cloud.messages.address,
            "SECRET_MANAGER_EMULATOR_HOST": cloud.secrets.host,
        }
        (build,) = function["build_config"]
        services[name] = stack.enter_context(
            Service(
                build["entry_point"],
                source=folders[name],
                packages=environment,
                folder=tmp_path / "services" / name,
                settings=service["environment_variables"] | here,
            )
        )
        cloud.door.lead(service["uri"], services[name])
    for one in services.values():
        one.listens(one.port, timeout=60)
    return services


def _publish(cloud: Cloud, topics: list[str]) -> None:
    """Publish as Cloud Scheduler does, with the real gcloud."""

    def publish(topic: str) -> str:
        project = f"--project={PROJECT}"
        return cloud.messages.gcloud_publish(topic, "{}", "--attribute=origin=schedule", project)

    with ThreadPoolExecutor(2) as pool:
        assert all(pool.map(publish, topics))


def _rows_are_there(cloud: Cloud) -> None:
    """Each run is recorded with as many rows as its tables have, and a view answers from them."""
    dataset = bigquery.Dataset(cloud.warehouse.host, "torn", project=PROJECT, make=False)
    runs = dataset.query(
        "SELECT endpoint, run_id, account, `rows` FROM runs WHERE outcome = 'ok'"
    ).to_pylist()
    assert sorted(run["endpoint"] for run in runs) == ENDPOINTS
    recorded = {
        (table, run["run_id"]): count
        for run in runs
        for table, count in json.loads(run["rows"]).items()
        if count
    }
    tables = [name for endpoint in ENDPOINTS for name in load_endpoint(find_endpoints()[endpoint]).tables]
    counts = " UNION ALL ".join(
        f"SELECT '{name}' AS name, _run_id, COUNT(*) AS n FROM {name} GROUP BY _run_id" for name in tables
    )
    found = {(row["name"], row["_run_id"]): row["n"] for row in dataset.query(counts).to_pylist()}
    assert found == recorded
    # As their slot, and into the main table, which is named as its endpoint is.
    names = {run["endpoint"]: run["run_id"] for run in runs}
    assert set(names.items()) <= set(found)
    assert all(re.fullmatch(rf"{name}/(default|global)/\d{{8}}T\d{{4}}Z", names[name]) for name in names)
    (answer,) = dataset.query("SELECT COUNT(*) AS n FROM members_latest").to_pylist()
    assert answer["n"] == found["members", names["members"]]


def _only_the_zip_was_run(cloud: Cloud, services: dict[str, Service]) -> None:
    """What logged stands in the unpacked zip; what was pushed came to the address that Terraform gave it."""
    for service in services.values():
        files = {line[SOURCE]["file"] for line in service.lines()}
        assert files
        assert all(Path(file).is_relative_to(service.source / "shared") for file in files)
    assert {one.partition("/")[2] for one in cloud.door.posted} == {
        f"projects/{PROJECT}/topics/{name}" for name in services
    }
    assert set(cloud.secrets.asked) == {f"projects/{PROJECT}/secrets/torn-api-key/versions/latest"}

"""A folder more in functions/ is all that a new endpoint needs; nothing else changes."""

from __future__ import annotations

import re
from typing import Any

import pytest
from support.plan import Plan
from support.terraform import TWO_FACTIONS, Checkout, common, once, planned

pytestmark = pytest.mark.timeout(300)

MAIN = '"""Nothing is collected here."""\n'
ENDPOINT = """\
name: hunting_grounds
description: What nobody has drawn, in every shape.
source: torn
requests:
  hunts: {path: /faction/hunts, records: hunts}
  lodge: {path: /faction/lodge, records: $}
every: PT1H30M
key: torn-api-key
calls_per_minute: 3
tables:
  hunts:
    description: A hunt, in its newest state.
    request: hunts
    mode: merge
    key: [id]
    partition: begun_at
    cluster: [name]
    columns:
      server_timestamp: {type: TIMESTAMP, mode: REQUIRED, from: $fetched_at}
      id: {type: INTEGER, mode: REQUIRED, from: id}
      name: {type: STRING, from: name}
      begun_at: {type: TIMESTAMP, from: begun_at}
  hunts_dogs:
    description: A dog in a hunt.
    request: hunts
    each: dogs
    mode: merge
    parent: {hunt_id: id, hunt_name: name}
    key: [hunt_id, place]
    columns:
      server_timestamp: {type: TIMESTAMP, mode: REQUIRED, from: $fetched_at}
      place: {type: INTEGER, mode: REQUIRED, from: $index}
      zeal: {type: FLOAT, from: zeal}
      age: {type: INTEGER, from: age}
  lodge:
    description: The lodge.
    request: lodge
    columns:
      server_timestamp: {type: TIMESTAMP, mode: REQUIRED, from: $fetched_at}
      name: {type: STRING, from: name}
"""
NAME = "hunting_grounds"
#: What names all functions, or is made of all tables, changes with them.
OF_ALL = re.compile(r"google_(logging|monitoring)_|terraform_data\.checks$")
BACKUP = {'google_storage_bucket_object.source["backup"]', 'google_cloudfunctions2_function.this["backup"]'}


@pytest.fixture(scope="session")
def before(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    return planned(tmp_path_factory)


@pytest.fixture(scope="session")
def after(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """Give the plan with a folder more; nothing but endpoint.yaml and main.py is in it."""

    def made() -> str:
        checkout = Checkout.copy(tmp_path_factory.mktemp("more"), tmp_path_factory)
        folder = checkout.root / "functions" / NAME
        folder.mkdir()
        (folder / "main.py").write_text(MAIN, encoding="utf-8")
        (folder / "endpoint.yaml").write_text(ENDPOINT, encoding="utf-8")
        return checkout.plan(f"-var-file={TWO_FACTIONS}")

    return Plan.read(once(common(tmp_path_factory), "more", made))


def test_new_endpoint_has_what_others_have(before: Plan, after: Plan):
    """What is added is what every endpoint of an account has, its tables, views and alert."""
    of_crimes = [address for address in before.resources if re.search(r'\["crimes[/"]', address)]
    expected = {
        address.replace('["crimes', f'["{NAME}')
        for address in of_crimes
        if not address.startswith("google_bigquery_table.")
    }
    assert len(expected) > 10
    expected |= {f'google_bigquery_table.endpoint["{name}"]' for name in ("hunts", "hunts_dogs", "lodge")}
    expected |= {'google_bigquery_table.view["lodge_latest"]'}
    # Nothing else comes every 90 minutes, so that nobody would notice its absence.
    expected |= {'google_monitoring_alert_policy.this["stale_90"]'}
    assert after.resources.keys() - before.resources.keys() == expected


def test_nothing_else_changes(before: Plan, after: Plan):
    """No resource goes, and none changes but what is of all functions or all tables together."""
    assert before.resources.keys() <= after.resources.keys()
    was, now = before.said(), after.said()
    changed = {address for address in was if was[address] != now[address]}
    assert {address for address in changed if not OF_ALL.match(address)} == BACKUP


def test_new_endpoints_columns_are_in_order(after: Plan):
    """Without released.json the order is that of the file: the run, the parent's, then the table's own."""
    tables: dict[str, Any] = after.said()
    columns = tables['google_bigquery_table.endpoint["hunts_dogs"]']["schema"]
    assert [column["name"] for column in columns] == [
        "_run_id", "_account", "hunt_id", "hunt_name", "server_timestamp", "place", "zeal", "age",
    ]  # fmt: skip
    required = {column["name"] for column in columns if column["mode"] == "REQUIRED"}
    assert required == {"_run_id", "_account", "hunt_id", "server_timestamp", "place"}


def test_new_endpoint_has_its_schedule_and_names(after: Plan):
    """Its schedule is its own, and its names are the folder's, as each service allows them."""
    assert after.each("google_cloud_scheduler_job.this")[NAME]["schedule"] == "every 90 minutes synchronized"
    assert after.each("google_pubsub_topic.this")[NAME]["name"] == f"test-{NAME}"
    function = after.each("google_cloudfunctions2_function.this")[NAME]
    assert (function["name"], function["build_config"][0]["entry_point"]) == ("test-hunting-grounds", NAME)
    assert after.each("google_service_account.function")[NAME]["account_id"] == "test-fn-hunting-grounds"

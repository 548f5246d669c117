"""Terraform declares the tables and views that Python declares, from the same YAML."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from google.cloud import bigquery
from support.terraform import planned

from shared.endpoint_file import find_endpoints, load_endpoint
from shared.warehouse.bigquery_client import Place
from shared.warehouse.bigquery_tables import declared_tables

if TYPE_CHECKING:
    from typing import Any

    from support.plan import Plan

pytestmark = pytest.mark.timeout(300)

DECLARED = {
    table.table_id: table
    for table in declared_tables(
        Place("demo-project", "torn_test"), [load_endpoint(file) for file in find_endpoints().values()]
    )
}
TABLES = {name: table for name, table in DECLARED.items() if table.view_query is None}
VIEWS = {name: table for name, table in DECLARED.items() if table.view_query is not None}


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Give the plan's tables and views by name."""
    plan: Plan = planned(tmp_path_factory)
    return {values["table_id"]: values for values in plan.of("google_bigquery_table").values()}


def test_names_are_the_same(tables: dict[str, dict[str, Any]]):
    """What one of them has, the other has: no table and no view more or less."""
    assert tables.keys() == DECLARED.keys()
    assert TABLES
    assert VIEWS


@pytest.mark.parametrize("name", TABLES)
def test_table_is_the_same(tables: dict[str, dict[str, Any]], name: str):
    """A table's columns, in their order, its texts, its partition and its clusters are the same in both."""
    planned, declared = tables[name], TABLES[name]
    columns = [bigquery.SchemaField.from_api_repr(column) for column in json.loads(planned["schema"])]
    assert columns == declared.schema
    assert [column.description for column in columns] == [column.description for column in declared.schema]
    assert planned["description"] == declared.description
    partition = declared.time_partitioning
    assert [(one["type"], one["field"]) for one in planned["time_partitioning"]] == (
        [(partition.type_, partition.field)] if partition is not None else []
    )
    assert (planned["clustering"] or None) == declared.clustering_fields
    assert planned["labels"].items() >= declared.labels.items()
    assert planned["view"] == []
    assert planned["deletion_protection"] is False  # as the installation's variables say


@pytest.mark.parametrize("name", VIEWS)
def test_view_is_the_same(tables: dict[str, dict[str, Any]], name: str):
    """A view's SQL is the same to the letter in both, and so is what is said of it."""
    planned, declared = tables[name], VIEWS[name]
    (view,) = planned["view"]
    assert view["query"] == declared.view_query
    assert view["use_legacy_sql"] is False
    assert planned["description"] == declared.description

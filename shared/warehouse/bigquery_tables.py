"""Bring a dataset's tables up to what is declared, or say why not; where Terraform does not.

Columns are added and REQUIRED is relaxed; whatever would lose or retype data is refused, with the
exact difference. A table labelled as Terraform's is left to Terraform.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from google.api_core import exceptions
from google.cloud import bigquery

from shared.ledger import LEDGER
from shared.warehouse.bigquery_ledger import ledger_table, ledger_view, log_name
from shared.warehouse.bigquery_schema import declared_table
from shared.warehouse.views import all_bigquery_views

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from shared.endpoint import Endpoint
    from shared.warehouse.bigquery_client import Place

__all__ = ["TablePlan", "declared_tables", "make_tables", "plan_table"]

#: Labels by which a table is known as Terraform's: the provider's own, and this project's.
_TERRAFORMS = (("goog-terraform-provisioned", "true"), ("managed-by", "terraform"))


@dataclass(slots=True)
class TablePlan:
    """What one table needs; ``refused`` says what cannot be done, and why."""

    table: bigquery.Table
    #: Is to be made, rather than changed.
    missing: bool = False
    #: What is changed, each in words.
    changes: list[str] = field(default_factory=list)
    #: The table's properties that are changed, as the client names them.
    properties: set[str] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)

    def apply(self, place: Place) -> None:
        """Make or change the table."""
        if self.missing:
            place.client.create_table(self.table, exists_ok=True)
        elif self.properties:
            place.client.update_table(self.table, sorted(self.properties))


def declared_tables(place: Place, endpoints: Iterable[Endpoint]) -> Iterator[bigquery.Table]:
    """Yield every table and view of a dataset as it is declared: the ledger's, the endpoints', the views."""
    endpoints = list(endpoints)
    for name in LEDGER:
        yield ledger_table(place.table(log_name(name)), name)
        view = bigquery.Table(place.table(name))
        view.view_query = ledger_view(place.quoted, name)
        view.description = LEDGER[name].description
        yield view
    for endpoint in endpoints:
        for name in endpoint.tables:
            yield declared_table(place.table(name), endpoint, name)
    for one in all_bigquery_views(f"{place.project}.{place.dataset}", endpoints):
        view = bigquery.Table(place.table(one.name))
        view.view_query = one.sql
        view.description = one.description
        yield view


def plan_table(place: Place, wanted: bigquery.Table) -> TablePlan:
    """Compare one table with what is there."""
    try:
        there = place.client.get_table(wanted.reference)
    except exceptions.NotFound:
        return TablePlan(wanted, missing=True, changes=["made"])
    plan = TablePlan(there)
    if wanted.view_query is not None:
        _view(plan, wanted)
    elif there.table_type != "TABLE":
        plan.refused.append(f"it is a {there.table_type.lower()}; a table of this name is to be made")
    else:
        _columns(plan, wanted)
        _layout(plan, wanted)
        _texts(plan, wanted)
    if plan.changes and any(there.labels.get(name) == value for name, value in _TERRAFORMS):
        plan.refused = ["it is Terraform's, by its labels: `terraform apply` changes it", *plan.refused]
    return plan


def make_tables(place: Place, endpoints: Iterable[Endpoint]) -> list[str]:
    """Make what is missing; return the names of what was made. What is there is left as it is."""
    made = []
    for table in declared_tables(place, endpoints):
        try:
            place.client.create_table(table)
        except exceptions.Conflict:
            continue
        made.append(table.table_id)
    return made


def _view(plan: TablePlan, wanted: bigquery.Table) -> None:
    if plan.table.table_type != "VIEW":
        plan.refused.append(f"it is a {plan.table.table_type.lower()}; a view of this name is to be made")
        return
    if plan.table.view_query != wanted.view_query:
        plan.table.view_query = wanted.view_query
        plan.changes.append("SQL")
        plan.properties.add("view_query")


def _texts(plan: TablePlan, wanted: bigquery.Table) -> None:
    there = plan.table
    if (there.description or "") != (wanted.description or ""):
        plan.changes.append("description")
        plan.properties.add("description")
        there.description = wanted.description
    labels = {**there.labels, **wanted.labels}
    if labels != there.labels:
        plan.changes.append("labels")
        plan.properties.add("labels")
        there.labels = labels


def _columns(plan: TablePlan, wanted: bigquery.Table) -> None:
    known = {column.name: column for column in plan.table.schema}
    declared = {column.name: column for column in wanted.schema}
    schema = []
    for name, column in known.items():
        new = declared.get(name)
        if new is None:
            plan.refused.append(f"the column {name} is there and not declared: it would be lost")
            schema.append(column)
            continue
        schema.append(_column(plan, column, new))
    for name, column in declared.items():
        if name not in known and column.mode == "REQUIRED":
            plan.refused.append(f"the column {name} is new and REQUIRED: older rows do not have it")
        elif name not in known:
            plan.changes.append(f"column {name} added")
            schema.append(column)
    if schema != list(plan.table.schema):
        plan.table.schema = schema
        plan.properties.add("schema")


def _column(plan: TablePlan, there: bigquery.SchemaField, new: bigquery.SchemaField) -> bigquery.SchemaField:
    kinds = {"INT64": "INTEGER", "FLOAT64": "FLOAT", "BOOL": "BOOLEAN"}
    was = kinds.get(there.field_type, there.field_type)
    if was != new.field_type:
        plan.refused.append(f"the column {new.name} is {was} and declared {new.field_type}")
        return there
    if there.mode != new.mode and new.mode == "REQUIRED":
        plan.refused.append(f"the column {new.name} is NULLABLE and declared REQUIRED: it may hold NULLs")
        return there
    if there.mode != new.mode:
        plan.changes.append(f"column {new.name} may be NULL")
    elif (there.description or "") == (new.description or ""):
        return there
    else:
        plan.changes.append(f"description of {new.name}")
    return new


def _layout(plan: TablePlan, wanted: bigquery.Table) -> None:
    was = plan.table.time_partitioning.field if plan.table.time_partitioning else None
    now = wanted.time_partitioning.field if wanted.time_partitioning else None
    if was != now:
        plan.refused.append(f"it is partitioned by {was or 'nothing'} and declared by {now or 'nothing'}")
    if (plan.table.clustering_fields or None) != (wanted.clustering_fields or None):
        plan.table.clustering_fields = wanted.clustering_fields
        plan.changes.append(f"clustered by {', '.join(wanted.clustering_fields or []) or 'nothing'}")
        plan.properties.add("clustering_fields")

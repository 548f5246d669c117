"""A new endpoint, drafted from one operation of a document: its files, and what is left to decide."""

from __future__ import annotations

import builtins
import keyword
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.endpoint_rules import RESERVED_TABLES
from shared.errors import FixConfiguration
from shared.openapi.columns import one_line
from shared.openapi.emit import endpoint_yaml
from shared.openapi.naming import Names, singular, snake
from shared.openapi.records import find_records
from shared.openapi.requests import draft_request
from shared.openapi.tables import draft_tables
from shared.torn import ENVELOPE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from shared.openapi.document import Operation
    from shared.openapi.requests import RequestDraft
    from shared.openapi.tables import TableDraft

__all__ = ["Draft", "draft_endpoint", "endpoint_name", "name_problem"]

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
# main.py's own names, beside Python's: a function of such a name would take their place.
_TAKEN = {"collector", "functions_framework", *keyword.kwlist, *dir(builtins)}
_LISTED = 8
#: BigQuery's limit, without the columns that every table has.
_MOST_COLUMNS = 9_990

_MAIN = '''"""Collect {sentence}; everything about it is in endpoint.yaml."""

import functions_framework
from cloudevents.http import CloudEvent

from shared.collector import Collector

collector = Collector.of(__file__)


@functions_framework.cloud_event
def {name}(event: CloudEvent) -> None:
    """Collect what one Pub/Sub message asks for."""
    collector.handle(event)
'''


@dataclass(frozen=True, slots=True)
class Draft:
    """A new endpoint: its files by name, and what a person has to decide, in sentences."""

    name: str
    files: Mapping[str, str]
    tables: tuple[str, ...]
    decisions: tuple[str, ...]


def endpoint_name(path: str) -> str:
    """Return the name of a path's endpoint: ``/faction/{id}/basic`` is faction_id_basic."""
    name = snake(*(part.strip("{}") for part in path.split("/")))[:63].rstrip("_")
    return name if name_problem(name) is None else f"{name[:54]}_endpoint"


def name_problem(name: str) -> str | None:
    """Return why an endpoint cannot have a name, if so."""
    if not _NAME.fullmatch(name):
        return "lower-case letters, digits and _ are allowed, a letter first, at most 63"
    if name in _TAKEN:
        return "it is a word of Python's, and the function's name is the endpoint's"
    return None


def draft_endpoint(
    operation: Operation, name: str, *, given: Mapping[str, Any], taken: Iterable[str] = ()
) -> Draft:
    """Draft the endpoint that collects an operation.

    Args:
        operation: The operation.
        name: The endpoint's name.
        given: Values of parameters that a person has decided on.
        taken: Names that other endpoints' tables have.

    Raises:
        FixConfiguration: the answer is nothing that rows can be made of.
    """
    records = find_records(operation.body, ENVELOPE)
    if records is None:
        raise FixConfiguration(
            f"{operation.path}: the answer is no object{_found(operation)}, so it has no rows",
            next_step="choose another path; what is kept is an object, or a list of objects",
        )
    request = draft_request(operation, given)
    noun = singular(snake(records.place)) if records.place != "$" else singular(request.name)
    tables = draft_tables(name, records, noun, Names([*RESERVED_TABLES, *taken], prefix="torn"))
    widest = max(tables, key=lambda table: len(table.columns))
    if len(widest.columns) > _MOST_COLUMNS:
        raise FixConfiguration(
            f"{operation.path}: {widest.name} would have {len(widest.columns)} columns; "
            f"a table can have {_MOST_COLUMNS}",
            next_step="choose a path that answers with less",
        )
    title = one_line(operation.summary) or f"What {operation.path} answers."
    title = title if title.endswith((".", "!", "?", "…")) else f"{title}."
    description = one_line(f"{title} {one_line(operation.description)}")
    files = {
        "endpoint.yaml": endpoint_yaml(name, description, request, records.place, tables),
        "main.py": _MAIN.format(name=name, sentence=_sentence(operation.path)),
    }
    return Draft(
        name, files, tuple(table.name for table in tables), tuple(_decisions(request, tables, records.many))
    )


def _found(operation: Operation) -> str:
    return f" but {operation.body.why or operation.body.kind}"


def _sentence(path: str) -> str:
    return f"what the API has at {path}"


def _decisions(request: RequestDraft, tables: list[TableDraft], many: bool) -> Iterable[str]:  # noqa: FBT001
    for parameter in request.todo:
        yield f"{parameter} has no value: give it under params, or with every message"
    for parameter, remark in request.chosen.items():
        yield f"params: {parameter}: {request.params[parameter]} is proposed, {remark}"
    if request.window:
        yield f"lookback: {request.lookback} is proposed, with mode append: the time between two runs"
    root = tables[0]
    if root.key:
        yield f"{root.name}: key: {', '.join(root.key)} is proposed: rows that share it count once in a run"
    elif many and root.each is None:
        yield f"{root.name}: no column looks like a key: every row is kept"
    columns = [(table.name, column) for table in tables for column in table.columns]
    for about, said in _ABOUT.items():
        found = [f"{table}.{column.name}" for table, column in columns if column.about == about]
        if found:
            more = f" and {len(found) - _LISTED} more" if len(found) > _LISTED else ""
            yield f"{said}: {', '.join(found[:_LISTED])}{more}"
    for table in tables:
        yield from (f"{table.name}: {note}" for note in table.notes if note.startswith("No column"))


_ABOUT = {
    "time": "proposed as TIMESTAMP, by their names",
    "perhaps": "INTEGER, but perhaps times",
    "json": "kept as JSON, because they are of no one type",
    "enum": "not checked, because too many values are described",
}

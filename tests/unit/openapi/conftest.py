"""Small documents, and the endpoints that are made of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from shared.endpoint_file import load_endpoint
from shared.flatten import Flattener
from shared.openapi import Document
from shared.openapi.draft import draft_endpoint
from shared.torn import ENVELOPE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from shared.endpoint import Endpoint
    from shared.openapi import Node
    from shared.openapi.draft import Draft

MOMENT = {"$run_id": "r", "$account": "a", "$faction_id": None, "$fetched_at": None}


def document(body: dict[str, Any], *, path: str = "/faction/things", **more: Any) -> dict[str, Any]:
    """Return a document whose one path answers with a schema; ``components`` and the GET's keys as given."""
    components = more.pop("components", {})
    answer = {"200": {"content": {"application/json": {"schema": body}}}}
    return {
        "openapi": "3.1.0",
        "paths": {path: {"get": {"responses": answer, **more}}},
        "components": {"schemas": components},
    }


@pytest.fixture
def read() -> Callable[..., Node]:
    """Give a reader of one schema, with components beside it."""

    def of(schema: Any, **components: Any) -> Node:
        found = document(schema, components=components)
        return Document(found, "small.json").operation("/faction/things").body

    return of


class Made:
    """An endpoint made of a small document, as the loader reads it."""

    def __init__(self, draft: Draft, endpoint: Endpoint) -> None:
        self.draft = draft
        self.text = draft.files["endpoint.yaml"]
        self.endpoint = endpoint

    def columns(self, table: str = "things") -> dict[str, tuple[str, str | None]]:
        """Return a table's columns without those that every table has: name → type, from."""
        return {
            name: (column.type, column.from_)
            for name, column in self.endpoint.tables[table].columns.items()
            if name != "server_timestamp"
        }

    def rows(self, body: Any) -> dict[str, list[dict[str, Any]]]:
        """Return the rows that a body makes, without the columns that every table has."""
        (request,) = self.endpoint.requests
        flattener = Flattener(self.endpoint, request, envelope=ENVELOPE)
        moment = {**MOMENT, "$fetched_at": _now()}
        flat = flattener.page(json.dumps(body).encode(), moment)
        assert flat.rejected == []
        assert flattener.drift == {}
        always = {"_run_id", "_account", "server_timestamp"}
        return {
            name: [{k: v for k, v in row.items() if k not in always} for row in batch.to_pylist()]
            for name, batch in flat.batches.items()
        }


def _now() -> Any:
    from datetime import UTC, datetime  # noqa: PLC0415

    return datetime(2026, 11, 20, tzinfo=UTC)


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Made]:
    """Give a maker of endpoints, which writes and loads them as `new` does."""

    def of(
        body: dict[str, Any],
        *,
        name: str = "things",
        taken: tuple[str, ...] = (),
        given: Any = None,
        **more: Any,
    ) -> Made:
        path = more.get("path", "/faction/things")
        operation = Document(document(body, **more), "small.json").operation(path)
        draft = draft_endpoint(operation, name, given=given or {}, taken=taken)
        (tmp_path / name).mkdir(exist_ok=True)
        file = tmp_path / name / "endpoint.yaml"
        file.write_text(draft.files["endpoint.yaml"], encoding="utf-8")
        load_endpoint.cache_clear()
        return Made(draft, load_endpoint(file))

    return of

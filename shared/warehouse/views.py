"""Which views a warehouse has: the ledger's, the answers that are files, and the latest of append tables."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from shared.views import FOLDER, LEDGER_FOLDER, bigquery_views, duckdb_views
from shared.views.latest import latest_views

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from shared.endpoint import Endpoint
    from shared.views import View

__all__ = ["VIEWS", "all_bigquery_views", "digest", "endpoint_views", "ledger_views"]

#: The views over the ledger: they compare runs so that a run does not have to.
VIEWS = tuple(file.stem for file in sorted(LEDGER_FOLDER.glob("*.sql")))


def ledger_views() -> Sequence[View]:
    """Return the views over the ledger, for DuckDB."""
    return duckdb_views(LEDGER_FOLDER)


def endpoint_views(endpoint: Endpoint) -> list[View]:
    """Return the views that read any of an endpoint's tables, for DuckDB."""
    answers = [view for view in duckdb_views() if not view.tables.isdisjoint(endpoint.tables)]
    return [*latest_views(endpoint, table=_quoted, column=_quoted), *answers]


def all_bigquery_views(dataset: str, endpoints: Iterable[Endpoint]) -> list[View]:
    """Return every view of a dataset whose tables are declared; ``dataset`` is ``project.dataset``."""
    views = bigquery_views(dataset, LEDGER_FOLDER)
    tables: set[str] = set()
    for endpoint in endpoints:
        tables |= endpoint.tables.keys()
        views += latest_views(
            endpoint, table=lambda name: f"`{dataset}.{name}`", column=lambda name: f"`{name}`"
        )
    return views + [view for view in bigquery_views(dataset, FOLDER) if view.tables <= tables]


def digest(views: Iterable[View]) -> str:
    """Return the SHA-256 of what views are, by which it is told that they changed."""
    whole = hashlib.sha256()
    for view in views:
        whole.update(f"{view.name}\0{view.description}\0{view.sql}\0".encode())
    return whole.hexdigest()


def _quoted(name: str) -> str:
    return f'"{name}"'

"""dlt's REST API source, as its documentation says: follow the next link, merge on id into DuckDB.

``python -m tests.performance.dlt_rest URL KEY FOLDER [RESOURCE…]`` collects once, the crimes if nothing
is named and everything for ``all``; nested lists become tables.
"""

from __future__ import annotations

import sys
from typing import Any

import dlt
from dlt.sources.rest_api import rest_api_source

__all__ = ["RESOURCES", "collect"]

#: How each is written, and what is asked for; the same requests as in functions/*/endpoint.yaml.
RESOURCES: dict[str, tuple[str, dict[str, Any]]] = {
    "crimes": (
        "merge",
        {
            "path": "faction/crimes",
            "params": {"cat": "all", "limit": 100, "sort": "DESC"},
            "data_selector": "crimes",
        },
    ),
    "items": (
        "replace",
        {"path": "torn/items", "params": {"cat": "All", "sort": "ASC"}, "data_selector": "items"},
    ),
    "members": (
        "append",
        {"path": "faction/members", "params": {"striptags": "true"}, "data_selector": "members"},
    ),
    "points": ("append", {"path": "market/pointsmarket", "data_selector": "pointsmarket"}),
    "balance": ("append", {"path": "faction/balance", "params": {"cat": "all"}, "data_selector": "balance"}),
    "basic": ("append", {"path": "faction/basic", "data_selector": "basic"}),
    "territory": ("append", {"path": "faction/territory", "data_selector": "territory"}),
    "raids": (
        "merge",
        {"path": "faction/raids", "params": {"limit": 100, "sort": "DESC"}, "data_selector": "raids"},
    ),
    "wars": ("append", {"path": "faction/wars", "data_selector": "$"}),
}
_PAGED = {"crimes", "raids"}


def collect(url: str, key: str, folder: str, *names: str) -> None:
    """Collect resources of the faction once."""
    wanted = RESOURCES if names == ("all",) else names or ("crimes",)
    source = rest_api_source(
        {
            "client": {
                "base_url": f"{url}/",
                "auth": {
                    "type": "api_key",
                    "name": "Authorization",
                    "api_key": f"ApiKey {key}",
                    "location": "header",
                },
            },
            "resources": [_resource(name) for name in wanted],
        }
    )
    pipeline = dlt.pipeline(
        "crimes",
        pipelines_dir=f"{folder}/pipelines",
        destination=dlt.destinations.duckdb(f"{folder}/crimes.duckdb"),
        dataset_name="faction",
    )
    pipeline.run(source)


def _resource(name: str) -> dict[str, Any]:
    disposition, endpoint = RESOURCES[name]
    next_link = {"type": "json_link", "next_url_path": "_metadata.links.next"}
    paginator = next_link if name in _PAGED else "single_page"
    found = {"name": name, "write_disposition": disposition, "endpoint": {**endpoint, "paginator": paginator}}
    return {**found, "primary_key": "id"} if disposition == "merge" else found


if __name__ == "__main__":
    collect(*sys.argv[1:])

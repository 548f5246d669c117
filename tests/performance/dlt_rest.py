"""dlt's REST API source, as its documentation says: follow the next link, merge on id into DuckDB.

``python -m tests.performance.dlt_rest URL KEY FOLDER`` collects once; nested lists become tables.
"""

from __future__ import annotations

import sys

import dlt
from dlt.sources.rest_api import rest_api_source

__all__ = ["collect"]


def collect(url: str, key: str, folder: str) -> None:
    """Collect the faction's crimes once."""
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
                "paginator": {"type": "json_link", "next_url_path": "_metadata.links.next"},
            },
            "resources": [
                {
                    "name": "crimes",
                    "primary_key": "id",
                    "write_disposition": "merge",
                    "endpoint": {
                        "path": "faction/crimes",
                        "params": {"cat": "all", "limit": 100, "sort": "DESC"},
                        "data_selector": "crimes",
                    },
                }
            ],
        }
    )
    pipeline = dlt.pipeline(
        "crimes",
        pipelines_dir=f"{folder}/pipelines",
        destination=dlt.destinations.duckdb(f"{folder}/crimes.duckdb"),
        dataset_name="faction",
    )
    pipeline.run(source)


if __name__ == "__main__":
    collect(*sys.argv[1:])

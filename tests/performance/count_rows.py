"""Count the rows of every table of a DuckDB file.

``python -m tests.performance.count_rows FILE SCHEMA`` prints one line of JSON.
"""

from __future__ import annotations

import json
import sys

import duckdb

__all__: list[str] = []

if __name__ == "__main__":
    with duckdb.connect(sys.argv[1], read_only=True) as connection:
        names = connection.execute(
            "SELECT table_name FROM duckdb_tables() WHERE schema_name = ? ORDER BY ALL", [sys.argv[2]]
        ).fetchall()
        counts = {
            name: connection.execute(f'SELECT count(*) FROM {sys.argv[2]}."{name}"').fetchall()[0][0]
            for (name,) in names
        }
    print(json.dumps(counts))

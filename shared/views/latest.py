"""``<table>_latest``: the present, of tables that keep every reading.

With a key, the newest row of each key, and ``_in_newest_run`` says whether it is still there: a
member who left has a newest row, too. Without a key, the rows of the newest run. Newest is the
endpoint's newest run, not the table's: where that had no rows for a table, the table has no present.

The SQL is the same for BigQuery and DuckDB but for how each quotes a name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.endpoint_rules import root_table, table_columns
from shared.views import View

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.endpoint import Endpoint

__all__ = ["SUFFIX", "latest_views"]

SUFFIX = "_latest"

_NEWEST = """WITH newest AS (
  SELECT _account, _run_id
  FROM (
    {runs}
  ) AS r
  WHERE TRUE
  QUALIFY ROW_NUMBER() OVER (PARTITION BY _account ORDER BY _read_at DESC, _run_id DESC) = 1
)

SELECT
  {columns}"""
_WITH_KEY = """,
  n._run_id IS NOT NULL AS _in_newest_run
FROM {table} AS t
LEFT JOIN newest AS n
  ON n._account = t._account AND n._run_id = t._run_id
WHERE TRUE
QUALIFY ROW_NUMBER() OVER (PARTITION BY {key} ORDER BY t.{when} DESC, t._run_id DESC) = 1"""
_WITHOUT_KEY = """
FROM {table} AS t
JOIN newest AS n
  ON n._account = t._account AND n._run_id = t._run_id"""


def latest_views(
    endpoint: Endpoint, *, table: Callable[[str], str], column: Callable[[str], str]
) -> list[View]:
    """Return the views of an endpoint's append tables that say when they were read.

    Args:
        endpoint: What is declared.
        table: A table's name as the warehouse quotes it.
        column: A column's name as the warehouse quotes it.
    """
    dated = {
        name: declared.version_column
        for name, declared in endpoint.tables.items()
        if declared.mode == "append" and declared.version_column is not None
    }
    # A table without a parent, or of one that keeps no readings, has rows of its own to be newest.
    roots = {name: when for name, when in dated.items() if root_table(endpoint, name) not in dated}
    if not roots:
        return []
    runs = "\n    UNION ALL\n    ".join(
        f"SELECT _account, _run_id, {column(when)} AS _read_at FROM {table(name)}"
        for name, when in sorted(roots.items())
    )
    views = []
    for name, when in dated.items():
        form = _WITH_KEY if endpoint.tables[name].key else _WITHOUT_KEY
        sql = (_NEWEST + form).format(
            runs=runs,
            columns=",\n  ".join(f"t.{column(one)}" for one in table_columns(endpoint, name)),
            table=table(name),
            key=", ".join(f"t.{column(one)}" for one in ("_account", *endpoint.tables[name].key)),
            when=column(when),
        )
        description = _description(endpoint, name)
        views.append(View(name + SUFFIX, description, sql, frozenset({name, *roots}), is_generated=True))
    return views


def _description(endpoint: Endpoint, name: str) -> str:
    key = " and ".join(endpoint.tables[name].key)
    if key:
        return f"The newest row of each {key} in {name}; _in_newest_run: whether the newest run had it."
    return f"The rows of the newest run in {name}."

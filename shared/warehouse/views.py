"""Views over the ledger, which compare runs so that a run does not have to."""

from __future__ import annotations

__all__ = ["VIEWS"]

#: View → (DuckDB's SQL, what it shows).
VIEWS: dict[str, tuple[str, str]] = {
    "drift_history": (
        """
        SELECT endpoint, request, path, type,
               arg_min(run_id, seen_at) AS first_run, min(seen_at) AS first_seen,
               arg_max(run_id, seen_at) AS last_run, max(seen_at) AS last_seen,
               count(DISTINCT run_id) AS runs
        FROM drift GROUP BY ALL
        """,
        "Fields that nobody declared: the first and the last run that saw each.",
    ),
    "row_changes": (
        """
        SELECT endpoint, account, run_id, started_at, entry.table_name,
               CAST(entry.row_count AS BIGINT) AS row_count,
               lag(CAST(entry.row_count AS BIGINT)) OVER (
                   PARTITION BY endpoint, account, entry.table_name ORDER BY started_at
               ) AS previous_row_count
        FROM (
            SELECT endpoint, account, run_id, started_at, unnest(
                list_transform(json_keys("rows"),
                    lambda k: {'table_name': k, 'row_count': json_extract("rows", '$."' || k || '"')})
            ) AS entry
            FROM runs WHERE outcome = 'ok'
        )
        """,
        "Rows that each run wrote per table, beside the run before.",
    ),
    "null_share_changes": (
        """
        SELECT endpoint, account, run_id, started_at, table_name, column_name, share,
               lag(share) OVER (
                   PARTITION BY endpoint, account, table_name, column_name ORDER BY started_at
               ) AS previous_share
        FROM (
            SELECT endpoint, account, run_id, started_at, t.name AS table_name, c.name AS column_name,
                   CAST(json_extract(t.columns, '$."' || c.name || '"') AS DOUBLE) AS share
            FROM (
                SELECT endpoint, account, run_id, started_at,
                       unnest(json_keys(quality, '$.null_shares')) AS name,
                       json_extract(quality, '$.null_shares."' || name || '"') AS columns
                FROM runs WHERE outcome = 'ok'
            ) AS t, LATERAL (SELECT unnest(json_keys(t.columns)) AS name) AS c
        )
        """,
        "Share of NULLs per column and run, of the columns that have any, beside the run before.",
    ),
}

-- Rows that each run wrote per table, beside the run before.
SELECT
  endpoint,
  account,
  run_id,
  started_at,
  table_name,
  row_count,
  LAG(row_count) OVER (
    PARTITION BY endpoint, account, table_name ORDER BY started_at
  ) AS previous_row_count
FROM (
  SELECT
    r.endpoint,
    r.account,
    r.run_id,
    r.started_at,
    table_name,
    LAX_INT64(r.`rows`[table_name]) AS row_count
  FROM `${dataset}.runs` AS r
  CROSS JOIN UNNEST(JSON_KEYS(r.`rows`, 1)) AS table_name
  WHERE r.outcome = 'ok'
)

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
    t.table_name,
    CAST(json_extract(r."rows", '$."' || t.table_name || '"') AS BIGINT) AS row_count
  FROM "runs" AS r
  CROSS JOIN LATERAL (SELECT unnest(json_keys(r."rows")) AS table_name) AS t
  WHERE r.outcome = 'ok'
)

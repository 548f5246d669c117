-- Share of NULLs per column and run, of the columns that have any, beside the run before.
SELECT
  endpoint,
  account,
  run_id,
  started_at,
  table_name,
  column_name,
  share,
  LAG(share) OVER (
    PARTITION BY endpoint, account, table_name, column_name ORDER BY started_at
  ) AS previous_share
FROM (
  SELECT
    r.endpoint,
    r.account,
    r.run_id,
    r.started_at,
    table_name,
    column_name,
    LAX_FLOAT64(r.quality.null_shares[table_name][column_name]) AS share
  FROM `${dataset}.runs` AS r
  CROSS JOIN UNNEST(JSON_KEYS(r.quality.null_shares, 1)) AS table_name
  CROSS JOIN UNNEST(JSON_KEYS(r.quality.null_shares[table_name], 1)) AS column_name
  WHERE r.outcome = 'ok'
)

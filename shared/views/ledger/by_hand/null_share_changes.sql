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
    t.table_name,
    c.column_name,
    CAST(json_extract(t.shares, '$."' || c.column_name || '"') AS DOUBLE) AS share
  FROM "runs" AS r
  CROSS JOIN LATERAL (
    SELECT
      unnest(json_keys(r.quality, '$.null_shares')) AS table_name,
      json_extract(r.quality, '$.null_shares."' || table_name || '"') AS shares
  ) AS t
  CROSS JOIN LATERAL (SELECT unnest(json_keys(t.shares)) AS column_name) AS c
  WHERE r.outcome = 'ok'
)

-- Fields that nobody declared: the first and the last run that saw each.
SELECT
  endpoint,
  request,
  path,
  type,
  ANY_VALUE(run_id HAVING MIN seen_at) AS first_run,
  MIN(seen_at) AS first_seen,
  ANY_VALUE(run_id HAVING MAX seen_at) AS last_run,
  MAX(seen_at) AS last_seen,
  COUNT(DISTINCT run_id) AS runs
FROM `${dataset}.drift`
GROUP BY endpoint, request, path, type

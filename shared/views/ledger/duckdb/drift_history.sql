-- Made by `make generate` from ../drift_history.sql.
SELECT
  "endpoint",
  "request",
  "path",
  "type",
  ARG_MIN_NULL("run_id", "seen_at") AS "first_run",
  MIN("seen_at") AS "first_seen",
  ARG_MAX_NULL("run_id", "seen_at") AS "last_run",
  MAX("seen_at") AS "last_seen",
  COUNT(DISTINCT "run_id") AS "runs"
FROM "drift"
GROUP BY
  "endpoint",
  "request",
  "path",
  "type"

-- One row per member and executed crime: the role, its pass rate in percent, and how it went.
-- executed_at is NULL for crimes before 2025-01-15, outcome for old crimes; member is the newest name known.
SELECT
  c._account,
  DATE_TRUNC(DATE(c.executed_at, 'UTC'), MONTH) AS month,
  c.executed_at,
  c.id AS crime_id,
  c.name AS crime,
  c.difficulty,
  c.status = 'Successful' AS is_successful,
  s.user_id,
  m.member,
  s.position,
  s.checkpoint_pass_rate AS pass_rate,
  s.user_outcome AS outcome,
  s.user_outcome_duration AS outcome_seconds
FROM `${dataset}.crimes` AS c
JOIN `${dataset}.crimes_slots` AS s
  ON s._account = c._account AND s.crime_id = c.id
LEFT JOIN (
  SELECT _account, id, ANY_VALUE(name HAVING MAX server_timestamp) AS member
  FROM `${dataset}.members`
  GROUP BY _account, id
) AS m
  ON m._account = s._account AND m.id = s.user_id
WHERE c.status IN ('Successful', 'Failure') AND s.user_id IS NOT NULL

-- One row per crime's name, position in it and month: how often it was filled, succeeded, and its pass rates.
-- Rates are in percent; only slots that somebody took, of executed crimes. month as in success_by_member.
SELECT
  c._account,
  DATE_TRUNC(DATE(c.executed_at, 'UTC'), MONTH) AS month,
  c.name AS crime,
  c.difficulty,
  s.position,
  COUNT(*) AS slots,
  COUNTIF(c.status = 'Successful') AS successful,
  100 * SAFE_DIVIDE(COUNTIF(c.status = 'Successful'), COUNT(*)) AS success_rate,
  AVG(s.checkpoint_pass_rate) AS pass_rate,
  MIN(s.checkpoint_pass_rate) AS lowest_pass_rate,
  MAX(s.checkpoint_pass_rate) AS highest_pass_rate,
  COUNT(s.user_outcome) AS outcomes_known,
  COUNTIF(s.user_outcome = 'Successful') AS passed,
  100 * SAFE_DIVIDE(COUNTIF(s.user_outcome = 'Successful'), COUNT(s.user_outcome)) AS own_success_rate
FROM `${dataset}.crimes` AS c
JOIN `${dataset}.crimes_slots` AS s
  ON s._account = c._account AND s.crime_id = c.id
WHERE c.status IN ('Successful', 'Failure') AND s.user_id IS NOT NULL
GROUP BY c._account, month, c.name, c.difficulty, s.position

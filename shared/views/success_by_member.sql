-- One row per member and month: crimes taken part in, how many succeeded, and the member's average pass rate.
-- Rates are in percent. own_success_rate is of the crimes whose outcome for the member is known, passed of them.
-- month is that of the execution, in UTC; NULL for crimes before 2025-01-15, which have none.
SELECT
  c._account,
  DATE_TRUNC(DATE(c.executed_at, 'UTC'), MONTH) AS month,
  s.user_id,
  m.member,
  COUNT(*) AS crimes,
  COUNTIF(c.status = 'Successful') AS successful,
  100 * SAFE_DIVIDE(COUNTIF(c.status = 'Successful'), COUNT(*)) AS success_rate,
  AVG(s.checkpoint_pass_rate) AS pass_rate,
  COUNT(s.user_outcome) AS outcomes_known,
  COUNTIF(s.user_outcome = 'Successful') AS passed,
  100 * SAFE_DIVIDE(COUNTIF(s.user_outcome = 'Successful'), COUNT(s.user_outcome)) AS own_success_rate
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
GROUP BY c._account, month, s.user_id, m.member

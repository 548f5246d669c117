-- One row per crime's name and month: how many were executed, how many succeeded, and what they earned.
-- Rates are in percent; pass_rate is the average of all slots taken. Each crime's money counts once; it is NULL
-- where none succeeded. month as in success_by_member.
SELECT
  c._account,
  DATE_TRUNC(DATE(c.executed_at, 'UTC'), MONTH) AS month,
  c.name AS crime,
  c.difficulty,
  COUNT(*) AS crimes,
  COUNTIF(c.status = 'Successful') AS successful,
  100 * SAFE_DIVIDE(COUNTIF(c.status = 'Successful'), COUNT(*)) AS success_rate,
  SAFE_DIVIDE(SUM(s.pass_rates), SUM(s.slots)) AS pass_rate,
  CAST(SUM(c.rewards_money) AS INT64) AS earned_money,
  CAST(SUM(c.rewards_respect) AS INT64) AS earned_respect,
  CAST(SUM(c.rewards_scope) AS INT64) AS earned_scope
FROM `${dataset}.crimes` AS c
LEFT JOIN (
  SELECT
    _account,
    crime_id,
    SUM(checkpoint_pass_rate) AS pass_rates,
    COUNT(checkpoint_pass_rate) AS slots
  FROM `${dataset}.crimes_slots`
  WHERE user_id IS NOT NULL
  GROUP BY _account, crime_id
) AS s
  ON s._account = c._account AND s.crime_id = c.id
WHERE c.status IN ('Successful', 'Failure')
GROUP BY c._account, month, c.name, c.difficulty

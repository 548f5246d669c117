-- One row per successful crime: the money it earned and what of it the participants were paid; nothing counts
-- twice. paid columns are NULL unless the game paid it out, kept_money likewise.
-- paid_each is the share of one participant, all being equal; reward_items counts items beside the money.
WITH seats AS (
  SELECT _account, crime_id, COUNT(user_id) AS participants
  FROM `${dataset}.crimes_slots`
  GROUP BY _account, crime_id
),

goods AS (
  SELECT _account, crime_id, CAST(SUM(quantity) AS INT64) AS reward_items
  FROM `${dataset}.crimes_reward_items`
  GROUP BY _account, crime_id
)

SELECT
  c._account,
  DATE_TRUNC(DATE(c.executed_at, 'UTC'), MONTH) AS month,
  c.executed_at,
  c.id AS crime_id,
  c.name AS crime,
  c.difficulty,
  s.participants,
  c.rewards_money AS earned_money,
  c.rewards_respect AS earned_respect,
  g.reward_items,
  c.rewards_payout_paid_at IS NOT NULL AS is_paid,
  c.rewards_payout_type AS payout_type,
  c.rewards_payout_percentage AS payout_percentage,
  c.rewards_payout_paid_by AS paid_by,
  c.rewards_payout_paid_at AS paid_at,
  c.rewards_money * c.rewards_payout_percentage / 100 AS paid_money,
  SAFE_DIVIDE(c.rewards_money * c.rewards_payout_percentage / 100, s.participants) AS paid_each,
  c.rewards_money - c.rewards_money * c.rewards_payout_percentage / 100 AS kept_money
FROM `${dataset}.crimes` AS c
LEFT JOIN seats AS s
  ON s._account = c._account AND s.crime_id = c.id
LEFT JOIN goods AS g
  ON g._account = c._account AND g.crime_id = c.id
WHERE c.status = 'Successful'

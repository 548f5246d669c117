-- One row per month (UTC) of execution: the money that crimes earned, what of it was paid to participants, what
-- the faction kept of those crimes, and what crimes earned that the game has not paid out.
-- Sums are NULL where nothing is to be added up. month is NULL for crimes before 2025-01-15, which have none.
SELECT
  _account,
  DATE_TRUNC(DATE(executed_at, 'UTC'), MONTH) AS month,
  COUNT(*) AS crimes,
  COUNTIF(rewards_payout_paid_at IS NOT NULL) AS crimes_paid,
  CAST(SUM(rewards_money) AS INT64) AS earned_money,
  SUM(rewards_money * rewards_payout_percentage / 100) AS paid_money,
  SUM(rewards_money - rewards_money * rewards_payout_percentage / 100) AS kept_money,
  CAST(SUM(CASE WHEN rewards_payout_paid_at IS NULL THEN rewards_money END) AS INT64) AS unpaid_money
FROM `${dataset}.crimes`
WHERE status = 'Successful'
GROUP BY _account, month

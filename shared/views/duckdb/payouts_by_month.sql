-- Made by `make generate` from ../payouts_by_month.sql.
SELECT
  "_account",
  CAST(DATE_TRUNC('MONTH', CAST("executed_at" AT TIME ZONE 'UTC' AS DATE)) AS DATE) AS "month",
  COUNT(*) AS "crimes",
  COUNT(*) FILTER(WHERE
    NOT "rewards_payout_paid_at" IS NULL) AS "crimes_paid",
  CAST(SUM("rewards_money") AS BIGINT) AS "earned_money",
  SUM("rewards_money" * "rewards_payout_percentage" / 100) AS "paid_money",
  SUM("rewards_money" - "rewards_money" * "rewards_payout_percentage" / 100) AS "kept_money",
  CAST(SUM(CASE WHEN "rewards_payout_paid_at" IS NULL THEN "rewards_money" END) AS BIGINT) AS "unpaid_money"
FROM "crimes"
WHERE
  "status" = 'Successful'
GROUP BY
  "_account",
  "month"

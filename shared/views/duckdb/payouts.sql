-- Made by `make generate` from ../payouts.sql.
WITH "seats" AS (
  SELECT
    "_account",
    "crime_id",
    COUNT("user_id") AS "participants"
  FROM "crimes_slots"
  GROUP BY
    "_account",
    "crime_id"
), "goods" AS (
  SELECT
    "_account",
    "crime_id",
    CAST(SUM("quantity") AS BIGINT) AS "reward_items"
  FROM "crimes_reward_items"
  GROUP BY
    "_account",
    "crime_id"
)
SELECT
  "c"."_account",
  CAST(DATE_TRUNC('MONTH', CAST("c"."executed_at" AT TIME ZONE 'UTC' AS DATE)) AS DATE) AS "month",
  "c"."executed_at",
  "c"."id" AS "crime_id",
  "c"."name" AS "crime",
  "c"."difficulty",
  "s"."participants",
  "c"."rewards_money" AS "earned_money",
  "c"."rewards_respect" AS "earned_respect",
  "g"."reward_items",
  NOT "c"."rewards_payout_paid_at" IS NULL AS "is_paid",
  "c"."rewards_payout_type" AS "payout_type",
  "c"."rewards_payout_percentage" AS "payout_percentage",
  "c"."rewards_payout_paid_by" AS "paid_by",
  "c"."rewards_payout_paid_at" AS "paid_at",
  "c"."rewards_money" * "c"."rewards_payout_percentage" / 100 AS "paid_money",
  CASE
    WHEN "s"."participants" <> 0
    THEN (
      "c"."rewards_money" * "c"."rewards_payout_percentage" / 100
    ) / "s"."participants"
    ELSE NULL
  END AS "paid_each",
  "c"."rewards_money" - "c"."rewards_money" * "c"."rewards_payout_percentage" / 100 AS "kept_money"
FROM "crimes" AS "c"
LEFT JOIN "seats" AS "s"
  ON "s"."_account" = "c"."_account" AND "s"."crime_id" = "c"."id"
LEFT JOIN "goods" AS "g"
  ON "g"."_account" = "c"."_account" AND "g"."crime_id" = "c"."id"
WHERE
  "c"."status" = 'Successful'

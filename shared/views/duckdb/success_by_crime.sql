-- Made by `make generate` from ../success_by_crime.sql.
SELECT
  "c"."_account",
  CAST(DATE_TRUNC('MONTH', CAST("c"."executed_at" AT TIME ZONE 'UTC' AS DATE)) AS DATE) AS "month",
  "c"."name" AS "crime",
  "c"."difficulty",
  COUNT(*) AS "crimes",
  COUNT(*) FILTER(WHERE
    "c"."status" = 'Successful') AS "successful",
  100 * CASE
    WHEN COUNT(*) <> 0
    THEN COUNT(*) FILTER(WHERE
      "c"."status" = 'Successful') / COUNT(*)
    ELSE NULL
  END AS "success_rate",
  CASE
    WHEN SUM("s"."slots") <> 0
    THEN SUM("s"."pass_rates") / SUM("s"."slots")
    ELSE NULL
  END AS "pass_rate",
  CAST(SUM("c"."rewards_money") AS BIGINT) AS "earned_money",
  CAST(SUM("c"."rewards_respect") AS BIGINT) AS "earned_respect",
  CAST(SUM("c"."rewards_scope") AS BIGINT) AS "earned_scope"
FROM "crimes" AS "c"
LEFT JOIN (
  SELECT
    "_account",
    "crime_id",
    SUM("checkpoint_pass_rate") AS "pass_rates",
    COUNT("checkpoint_pass_rate") AS "slots"
  FROM "crimes_slots"
  WHERE
    NOT "user_id" IS NULL
  GROUP BY
    "_account",
    "crime_id"
) AS "s"
  ON "s"."_account" = "c"."_account" AND "s"."crime_id" = "c"."id"
WHERE
  "c"."status" IN ('Successful', 'Failure')
GROUP BY
  "c"."_account",
  "month",
  "c"."name",
  "c"."difficulty"

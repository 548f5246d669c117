-- Made by `make generate` from ../success_by_role.sql.
SELECT
  "c"."_account",
  CAST(DATE_TRUNC('MONTH', CAST("c"."executed_at" AT TIME ZONE 'UTC' AS DATE)) AS DATE) AS "month",
  "c"."name" AS "crime",
  "c"."difficulty",
  "s"."position",
  COUNT(*) AS "slots",
  COUNT(*) FILTER(WHERE
    "c"."status" = 'Successful') AS "successful",
  100 * CASE
    WHEN COUNT(*) <> 0
    THEN COUNT(*) FILTER(WHERE
      "c"."status" = 'Successful') / COUNT(*)
    ELSE NULL
  END AS "success_rate",
  AVG("s"."checkpoint_pass_rate") AS "pass_rate",
  MIN("s"."checkpoint_pass_rate") AS "lowest_pass_rate",
  MAX("s"."checkpoint_pass_rate") AS "highest_pass_rate",
  COUNT("s"."user_outcome") AS "outcomes_known",
  COUNT(*) FILTER(WHERE
    "s"."user_outcome" = 'Successful') AS "passed",
  100 * CASE
    WHEN COUNT("s"."user_outcome") <> 0
    THEN COUNT(*) FILTER(WHERE
      "s"."user_outcome" = 'Successful') / COUNT("s"."user_outcome")
    ELSE NULL
  END AS "own_success_rate"
FROM "crimes" AS "c"
JOIN "crimes_slots" AS "s"
  ON "s"."_account" = "c"."_account" AND "s"."crime_id" = "c"."id"
WHERE
  "c"."status" IN ('Successful', 'Failure') AND NOT "s"."user_id" IS NULL
GROUP BY
  "c"."_account",
  "month",
  "c"."name",
  "c"."difficulty",
  "s"."position"

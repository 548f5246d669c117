-- Made by `make generate` from ../crime_participations.sql.
SELECT
  "c"."_account",
  CAST(DATE_TRUNC('MONTH', CAST("c"."executed_at" AT TIME ZONE 'UTC' AS DATE)) AS DATE) AS "month",
  "c"."executed_at",
  "c"."id" AS "crime_id",
  "c"."name" AS "crime",
  "c"."difficulty",
  "c"."status" = 'Successful' AS "is_successful",
  "s"."user_id",
  "m"."member",
  "s"."position",
  "s"."checkpoint_pass_rate" AS "pass_rate",
  "s"."user_outcome" AS "outcome",
  "s"."user_outcome_duration" AS "outcome_seconds"
FROM "crimes" AS "c"
JOIN "crimes_slots" AS "s"
  ON "s"."_account" = "c"."_account" AND "s"."crime_id" = "c"."id"
LEFT JOIN (
  SELECT
    "_account",
    "id",
    ARG_MAX_NULL("name", "server_timestamp") AS "member"
  FROM "members"
  GROUP BY
    "_account",
    "id"
) AS "m"
  ON "m"."_account" = "s"."_account" AND "m"."id" = "s"."user_id"
WHERE
  "c"."status" IN ('Successful', 'Failure') AND NOT "s"."user_id" IS NULL

-- Made by `make generate` from ../delayed_crimes.sql.
WITH "ends" AS (
  SELECT
    *,
    "status" IN ('Recruiting', 'Planning') AS "is_open",
    CASE
      WHEN "status" IN ('Recruiting', 'Planning')
      THEN "server_timestamp"
      WHEN "status" = 'Expired'
      THEN "expired_at"
      ELSE "executed_at"
    END AS "waited_until"
  FROM "crimes"
), "waits" AS (
  SELECT
    *,
    (
      EPOCH_US("waited_until") - EPOCH_US("ready_at")
    ) / 3600000000 AS "waited_hours"
  FROM "ends"
), "seats" AS (
  SELECT
    "_account",
    "crime_id",
    COUNT("user_id") AS "taken",
    COUNT(*) FILTER(WHERE
      "user_id" IS NULL) AS "empty_slots",
    COUNT(*) FILTER(WHERE
      NOT "user_id" IS NULL AND "item_requirement_is_available" = FALSE) AS "without_item",
    COUNT(*) FILTER(WHERE
      "user_progress" >= 100) AS "planned"
  FROM "crimes_slots"
  GROUP BY
    "_account",
    "crime_id"
), "away" AS (
  SELECT
    "w"."_account",
    "w"."id" AS "crime_id",
    COUNT(DISTINCT "m"."id") AS "members_away"
  FROM "waits" AS "w"
  JOIN "crimes_slots" AS "s"
    ON "s"."_account" = "w"."_account" AND "s"."crime_id" = "w"."id"
  JOIN "members" AS "m"
    ON "m"."_account" = "s"."_account"
    AND "m"."id" = "s"."user_id"
    AND "m"."server_timestamp" BETWEEN "w"."ready_at" AND "w"."waited_until"
  WHERE
    "w"."waited_hours" >= 1 AND "m"."status_state" <> 'Okay'
  GROUP BY
    "w"."_account",
    "w"."id"
), "delays" AS (
  SELECT
    "w"."_account",
    "w"."id" AS "crime_id",
    "w"."name" AS "crime",
    "w"."difficulty",
    "w"."status",
    "w"."ready_at",
    "w"."executed_at",
    "w"."server_timestamp" AS "read_at",
    CASE WHEN "w"."waited_hours" >= 1 THEN "w"."waited_hours" END AS "delayed_hours",
    "s"."empty_slots",
    CASE WHEN "w"."is_open" THEN "s"."without_item" END AS "slots_without_item",
    CASE WHEN "w"."waited_hours" >= 1 THEN COALESCE("a"."members_away", 0) END AS "members_away" /* Members were looked up only where there was a delay to explain. */
  FROM "waits" AS "w"
  JOIN "seats" AS "s"
    ON "s"."_account" = "w"."_account" AND "s"."crime_id" = "w"."id"
  LEFT JOIN "away" AS "a"
    ON "a"."_account" = "w"."_account" AND "a"."crime_id" = "w"."id"
  WHERE
    "w"."waited_hours" >= 1
    OR (
      "w"."is_open"
      AND "s"."empty_slots" > 0
      AND "s"."taken" > 0
      AND "s"."planned" = "s"."taken"
    )
)
SELECT
  "_account",
  "crime_id",
  "crime",
  "difficulty",
  "status",
  "ready_at",
  "executed_at",
  "read_at",
  CASE
    WHEN (
      "empty_slots" > 0 OR "members_away" > 0
    ) AND "slots_without_item" > 0
    THEN 'member and item'
    WHEN "empty_slots" > 0 OR "members_away" > 0
    THEN 'member'
    WHEN "slots_without_item" > 0
    THEN 'item'
  END AS "waits_for",
  "delayed_hours",
  "empty_slots",
  "slots_without_item",
  "members_away"
FROM "delays"

-- Made by `make generate` from ../idle_spells.sql.
SELECT
  "_account",
  "id" AS "user_id",
  ARG_MAX_NULL("name", "server_timestamp") AS "member",
  "last_action_timestamp" AS "idle_from",
  MAX("server_timestamp") AS "idle_until",
  (
    EPOCH_US(MAX("server_timestamp")) - EPOCH_US("last_action_timestamp")
  ) / 3600000000 AS "hours",
  LEAD("last_action_timestamp") OVER (PARTITION BY "_account", "id" ORDER BY "last_action_timestamp" NULLS FIRST) AS "next_action_at",
  MAX("server_timestamp") = MAX(MAX("server_timestamp")) OVER (PARTITION BY "_account") AS "is_still_idle"
FROM "members"
WHERE
  NOT "last_action_timestamp" IS NULL
GROUP BY
  "_account",
  "id",
  "last_action_timestamp"

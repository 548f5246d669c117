-- Made by `make generate` from ../points_price_history.sql.
SELECT
  "_account",
  CAST("server_timestamp" AT TIME ZONE 'UTC' AS DATE) AS "day",
  MIN("buy_price") AS "lowest_price",
  AVG("buy_price") AS "average_price",
  MAX("buy_price") AS "highest_price",
  AVG("circulation") AS "average_on_offer",
  COUNT(*) AS "readings"
FROM "currency"
GROUP BY
  "_account",
  "day"

-- Made by `make generate` from ../item_price_history.sql.
SELECT
  "_account",
  CAST("server_timestamp" AT TIME ZONE 'UTC' AS DATE) AS "day",
  "item_id",
  ARG_MAX_NULL("name", "server_timestamp") AS "item",
  MIN("market_value") AS "lowest_price",
  AVG("market_value") AS "average_price",
  MAX("market_value") AS "highest_price",
  AVG("circulation") AS "average_circulation",
  COUNT(*) AS "readings"
FROM "item_prices"
GROUP BY
  "_account",
  "day",
  "item_id"

-- One row per item and day (UTC): its average price on the item market, as the day's readings had it, and how
-- many of it there were. Prices are NULL when no reading had one.
SELECT
  _account,
  DATE(server_timestamp, 'UTC') AS day,
  item_id,
  ANY_VALUE(name HAVING MAX server_timestamp) AS item,
  MIN(market_value) AS lowest_price,
  AVG(market_value) AS average_price,
  MAX(market_value) AS highest_price,
  AVG(circulation) AS average_circulation,
  COUNT(*) AS readings
FROM `${dataset}.item_prices`
GROUP BY _account, day, item_id

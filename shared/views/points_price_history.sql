-- One row per day (UTC): what points cost on the points market, at its readings, and how many were on offer.
-- Prices are NULL when none was on offer all day.
SELECT
  _account,
  DATE(server_timestamp, 'UTC') AS day,
  MIN(buy_price) AS lowest_price,
  AVG(buy_price) AS average_price,
  MAX(buy_price) AS highest_price,
  AVG(circulation) AS average_on_offer,
  COUNT(*) AS readings
FROM `${dataset}.currency`
GROUP BY _account, day

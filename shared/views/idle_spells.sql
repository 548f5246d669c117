-- One row per member and time without any action, as far as readings prove it: from the last action to the last
-- reading that still showed it. Who was idle from A to B: WHERE idle_from <= A AND idle_until >= B.
-- next_action_at is the next action that a reading showed; is_still_idle says that the newest reading shows none.
SELECT
  _account,
  id AS user_id,
  ANY_VALUE(name HAVING MAX server_timestamp) AS member,
  last_action_timestamp AS idle_from,
  MAX(server_timestamp) AS idle_until,
  (UNIX_MICROS(MAX(server_timestamp)) - UNIX_MICROS(last_action_timestamp)) / 3600000000 AS hours,
  LEAD(last_action_timestamp) OVER (
    PARTITION BY _account, id ORDER BY last_action_timestamp
  ) AS next_action_at,
  MAX(server_timestamp) = MAX(MAX(server_timestamp)) OVER (PARTITION BY _account) AS is_still_idle
FROM `${dataset}.members`
WHERE last_action_timestamp IS NOT NULL
GROUP BY _account, id, last_action_timestamp

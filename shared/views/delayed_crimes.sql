-- One row per crime that was ready for an hour or more before it was executed, or still is; or whose members
-- have all planned and wait for somebody to take an empty slot. As last read.
-- waits_for says for want of what, as far as is known; members_away: who of them a reading showed in hospital,
-- in jail or abroad since the crime was ready; slots_without_item is NULL once the crime is over.
-- delayed_hours counts from ready_at; NULL where that is to come.
WITH ends AS (
  SELECT
    *,
    status IN ('Recruiting', 'Planning') AS is_open,
    CASE
      WHEN status IN ('Recruiting', 'Planning') THEN server_timestamp
      WHEN status = 'Expired' THEN expired_at
      ELSE executed_at
    END AS waited_until
  FROM `${dataset}.crimes`
),

waits AS (
  SELECT
    *,
    (UNIX_MICROS(waited_until) - UNIX_MICROS(ready_at)) / 3600000000 AS waited_hours
  FROM ends
),

seats AS (
  SELECT
    _account,
    crime_id,
    COUNT(user_id) AS taken,
    COUNTIF(user_id IS NULL) AS empty_slots,
    COUNTIF(user_id IS NOT NULL AND item_requirement_is_available = FALSE) AS without_item,
    COUNTIF(user_progress >= 100) AS planned
  FROM `${dataset}.crimes_slots`
  GROUP BY _account, crime_id
),

away AS (
  SELECT w._account, w.id AS crime_id, COUNT(DISTINCT m.id) AS members_away
  FROM waits AS w
  JOIN `${dataset}.crimes_slots` AS s
    ON s._account = w._account AND s.crime_id = w.id
  JOIN `${dataset}.members` AS m
    ON m._account = s._account AND m.id = s.user_id
    AND m.server_timestamp BETWEEN w.ready_at AND w.waited_until
  WHERE w.waited_hours >= 1 AND m.status_state <> 'Okay'
  GROUP BY w._account, w.id
),

delays AS (
  SELECT
    w._account,
    w.id AS crime_id,
    w.name AS crime,
    w.difficulty,
    w.status,
    w.ready_at,
    w.executed_at,
    w.server_timestamp AS read_at,
    CASE WHEN w.waited_hours >= 1 THEN w.waited_hours END AS delayed_hours,
    s.empty_slots,
    CASE WHEN w.is_open THEN s.without_item END AS slots_without_item,
    -- Members were looked up only where there was a delay to explain.
    CASE WHEN w.waited_hours >= 1 THEN COALESCE(a.members_away, 0) END AS members_away
  FROM waits AS w
  JOIN seats AS s
    ON s._account = w._account AND s.crime_id = w.id
  LEFT JOIN away AS a
    ON a._account = w._account AND a.crime_id = w.id
  WHERE
    w.waited_hours >= 1
    OR (w.is_open AND s.empty_slots > 0 AND s.taken > 0 AND s.planned = s.taken)
)

SELECT
  _account,
  crime_id,
  crime,
  difficulty,
  status,
  ready_at,
  executed_at,
  read_at,
  CASE
    WHEN (empty_slots > 0 OR members_away > 0) AND slots_without_item > 0 THEN 'member and item'
    WHEN empty_slots > 0 OR members_away > 0 THEN 'member'
    WHEN slots_without_item > 0 THEN 'item'
  END AS waits_for,
  delayed_hours,
  empty_slots,
  slots_without_item,
  members_away
FROM delays

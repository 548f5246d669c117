-- One row per member who joined, left or was renamed, between happened_after and seen_at, two readings.
-- Who was there at an account's first reading did not join. A member whom a reading lacks has not left if
-- days_in_faction ran on; one whose days began anew has left and joined.
WITH readings AS (
  SELECT
    _account,
    _run_id,
    MAX(server_timestamp) AS read_at,
    ROW_NUMBER() OVER (PARTITION BY _account ORDER BY MAX(server_timestamp), _run_id) AS reading
  FROM `${dataset}.members`
  GROUP BY _account, _run_id
),

neighbours AS (
  SELECT
    _account,
    _run_id,
    read_at,
    reading,
    LAG(read_at) OVER (PARTITION BY _account ORDER BY reading) AS before_at,
    LEAD(read_at) OVER (PARTITION BY _account ORDER BY reading) AS after_at
  FROM readings
),

states AS (
  SELECT
    m._account,
    m.id,
    m.name,
    m.days_in_faction AS days,
    n.reading,
    n.read_at,
    n.before_at,
    n.after_at,
    LAG(m.name) OVER (PARTITION BY m._account, m.id ORDER BY n.reading) AS last_name,
    LAG(m.days_in_faction) OVER (PARTITION BY m._account, m.id ORDER BY n.reading) AS last_days,
    LAG(n.reading) OVER (PARTITION BY m._account, m.id ORDER BY n.reading) AS last_reading,
    LAG(n.read_at) OVER (PARTITION BY m._account, m.id ORDER BY n.reading) AS last_read_at,
    LAG(n.after_at) OVER (PARTITION BY m._account, m.id ORDER BY n.reading) AS last_after_at,
    LEAD(n.reading) OVER (PARTITION BY m._account, m.id ORDER BY n.reading) AS next_reading
  FROM `${dataset}.members` AS m
  JOIN neighbours AS n
    ON n._account = m._account AND n._run_id = m._run_id
),

known AS (
  SELECT
    *,
    CASE
      WHEN last_reading IS NULL THEN FALSE
      WHEN days IS NULL OR last_days IS NULL THEN reading > last_reading + 1
      WHEN days = 0 AND reading > last_reading + 1 THEN TRUE
      -- A day less than the time between may be how the game rounds.
      ELSE days < last_days + (UNIX_MICROS(read_at) - UNIX_MICROS(last_read_at)) / 86400000000 - 1
    END AS is_back
  FROM states
)

SELECT
  _account,
  CASE WHEN kind = 'gone' THEN 'left' ELSE kind END AS event,
  id AS user_id,
  CASE WHEN kind = 'left' THEN last_name ELSE name END AS member,
  CASE WHEN kind = 'renamed' THEN last_name END AS previous_name,
  CASE kind
    WHEN 'joined' THEN before_at
    WHEN 'gone' THEN read_at
    ELSE last_read_at
  END AS happened_after,
  CASE kind
    WHEN 'left' THEN last_after_at
    WHEN 'gone' THEN after_at
    ELSE read_at
  END AS seen_at
FROM known
CROSS JOIN UNNEST(['joined', 'left', 'gone', 'renamed']) AS kind
WHERE
  CASE kind
    WHEN 'joined' THEN is_back OR (last_reading IS NULL AND before_at IS NOT NULL)
    WHEN 'left' THEN is_back
    WHEN 'gone' THEN next_reading IS NULL AND after_at IS NOT NULL
    ELSE name <> last_name
  END

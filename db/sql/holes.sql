-- name: holes
-- Neighbours whose ids do not follow each other, among what is stored and the edges given. The window of
-- time lets the planner prune days; ids decide.
WITH known AS (
    SELECT trade_id, min(ts) AS ts
    FROM (
        SELECT trade_id, ts
        FROM trades
        WHERE exchange_id = $1 AND instrument_id = $2
          AND ts >= $3 AND ts < $4 AND trade_id BETWEEN $5 AND $6
        UNION ALL
        SELECT * FROM unnest($7::bigint[], $8::timestamptz[])
    ) AS stored
    GROUP BY trade_id
), neighbours AS (
    SELECT trade_id, ts,
           lead(trade_id) OVER (ORDER BY trade_id) AS next_id, lead(ts) OVER (ORDER BY trade_id) AS next_ts
    FROM known
)
SELECT trade_id, ts, next_id, next_ts
FROM neighbours
WHERE next_id > trade_id + 1
ORDER BY trade_id
LIMIT $9

-- name: first
-- The trade that bounds a past which no gap bounds.
SELECT trade_id, ts
FROM trades
WHERE exchange_id = $1 AND instrument_id = $2 AND ts >= $3
ORDER BY ts, trade_id
LIMIT 1

-- name: last
-- The trade before it.
SELECT trade_id, ts
FROM trades
WHERE exchange_id = $1 AND instrument_id = $2 AND ts < $3
ORDER BY ts DESC, trade_id DESC
LIMIT 1

-- name: due
-- Where the log of bars tells of minutes beyond what is scored: new ones, and corrections of old ones; and where live
-- could not tell what was scored.
SELECT instrument_id
FROM scorings
WHERE EXISTS (
    SELECT FROM publications
    WHERE publications.instrument_id = scorings.instrument_id AND family = 'bars'
      AND publications."offset" > scorings."offset" AND about = '1m'
)
OR EXISTS (SELECT FROM staged WHERE staged.instrument_id = scorings.instrument_id AND purpose = 'rescore')
ORDER BY instrument_id

-- name: lock
-- Several may score; one scores an instrument.
SELECT "offset" FROM scorings WHERE instrument_id = $1 FOR UPDATE SKIP LOCKED

-- name: news
-- What the log says about minutes beyond what is scored.
SELECT "offset", ts
FROM publications
WHERE instrument_id = $1 AND family = 'bars' AND "offset" > $2 AND about = '1m'
ORDER BY "offset"
LIMIT $3

-- name: head
-- How far live is with the instrument is in the newest head of its shard.
SELECT instruments.shard, version, head
FROM states
JOIN instruments USING (shard)
WHERE instrument_id = $1
ORDER BY version DESC
LIMIT 1

-- name: eras
-- The models that decide for minutes that end in ($2, $3].
SELECT model_id, version, from_ts, to_ts
FROM trained_models
WHERE instrument_id = $1 AND from_ts < $3 AND (to_ts IS NULL OR to_ts > $2)
ORDER BY from_ts

-- name: ends
-- The first and the last trade of minutes: the ends of what a signal was computed from.
SELECT minute.start, first.ts, first.trade_id, last.ts, last.trade_id, last.received_at
FROM unnest($2::timestamptz[]) AS minute (start)
JOIN instruments ON instrument_id = $1
CROSS JOIN LATERAL (
    SELECT ts, trade_id
    FROM trades
    WHERE trades.exchange_id = instruments.exchange_id AND trades.instrument_id = $1
      AND ts >= minute.start AND ts < minute.start + interval '1 minute'
    ORDER BY ts, trade_id
    LIMIT 1
) AS first
CROSS JOIN LATERAL (
    SELECT ts, trade_id, received_at
    FROM trades
    WHERE trades.exchange_id = instruments.exchange_id AND trades.instrument_id = $1
      AND ts >= minute.start AND ts < minute.start + interval '1 minute'
    ORDER BY ts DESC, trade_id DESC
    LIMIT 1
) AS last

-- name: waits
-- Whether something that was scored before is not told yet.
SELECT EXISTS (SELECT FROM staged WHERE instrument_id = $1 AND purpose = 'score')

-- name: unscored_from
-- The end of the first minute that waits to be scored, or the beginning of what waits to be told.
SELECT least(
    (
        SELECT min(ts) + interval '1 minute'
        FROM publications
        JOIN scorings USING (instrument_id)
        WHERE instrument_id = $1 AND family = 'bars' AND publications."offset" > scorings."offset" AND about = '1m'
    ),
    (SELECT min(from_ts) FROM staged WHERE instrument_id = $1 AND purpose IN ('score', 'rescore'))
)

-- name: take_again
-- What live could not tell: other code had scored it.
DELETE FROM staged WHERE instrument_id = $1 AND purpose = 'rescore' RETURNING from_ts, to_ts

-- name: move
-- In the transaction that hands over what it came to.
UPDATE scorings SET "offset" = $2 WHERE instrument_id = $1

-- name: heads
-- How far live is with each instrument is in the newest head of its shard. An old one is right, too: live never goes back.
SELECT latest.head
FROM (SELECT DISTINCT instruments.shard FROM dirty JOIN instruments USING (instrument_id)) AS waiting
CROSS JOIN LATERAL (
    SELECT states.head
    FROM states
    WHERE states.shard = waiting.shard
    ORDER BY states.version DESC
    LIMIT 1
) AS latest

-- name: lock_newest
-- Only what live has left for good, so that the lanes never write the same row; an instrument that live has
-- not begun with is not in the list, and waits.
SELECT dirty.instrument_id, instruments.exchange_id, dirty.to_ts
FROM dirty
JOIN unnest($1::int[], $2::timestamptz[]) AS live (instrument_id, settled_ts) USING (instrument_id)
JOIN instruments USING (instrument_id)
WHERE dirty.to_ts <= live.settled_ts
ORDER BY dirty.to_ts DESC, dirty.dirty_id
LIMIT 1
FOR UPDATE OF dirty SKIP LOCKED

-- name: lock_between
-- All that asks for bars of the same hour: they are computed once. Locked before the trades are read, so that a
-- row that comes later, for a trade that may not have been read, stays.
SELECT dirty_id, interval_seconds, from_ts, to_ts
FROM dirty
WHERE instrument_id = $1 AND to_ts > $2 AND to_ts <= $3
FOR UPDATE SKIP LOCKED

-- name: clear_bars
-- What stood in the interval before it was computed again; hours have a table of their own.
WITH cleared AS (
    DELETE FROM bars WHERE instrument_id = $1 AND interval_seconds = $2 AND start >= $3 AND start < $4
)
DELETE FROM bars_1h WHERE $2 = 3600 AND instrument_id = $1 AND start >= $3 AND start < $4

-- name: add_rebuilt_bars
-- In place of what was cleared in the same transaction.
WITH rebuilt AS (
    SELECT *
    FROM unnest($1::int[], $2::int[], $3::timestamptz[], $4::float8[], $5::float8[], $6::float8[], $7::float8[],
                $8::float8[], $9::float8[], $10::float8[], $11::float8[], $12::int[])
        AS bar (instrument_id, interval_seconds, start, open, high, low, close,
                volume, quote_volume, buy_volume, sell_volume, trades)
), hours AS (
    INSERT INTO bars_1h (instrument_id, start, open, high, low, close,
                         volume, quote_volume, buy_volume, sell_volume, trades, source)
    SELECT instrument_id, start, open, high, low, close,
           volume, quote_volume, buy_volume, sell_volume, trades, 'backfill'
    FROM rebuilt WHERE interval_seconds = 3600
)
INSERT INTO bars (instrument_id, interval_seconds, start, open, high, low, close,
                  volume, quote_volume, buy_volume, sell_volume, trades, source)
SELECT *, 'backfill' FROM rebuilt WHERE interval_seconds < 3600

-- name: done
-- The intervals that were computed again.
DELETE FROM dirty WHERE dirty_id = ANY($1::bigint[])

-- name: shorten
-- A row that reaches further back than what was computed: the rest is another claim's.
UPDATE dirty SET to_ts = $2 WHERE dirty_id = ANY($1::bigint[])

-- name: lock_ready
-- Newest first. Only bars that the live fold has left behind by 2 s, so that the lanes never write the same row.
SELECT dirty.dirty_id, dirty.instrument_id, instruments.exchange_id,
       dirty.interval_seconds, dirty.from_ts, dirty.to_ts
FROM dirty
JOIN instruments USING (instrument_id)
WHERE dirty.to_ts + interval '2 seconds' <= coalesce(
    (SELECT max(bars.start) + interval '1 second' FROM bars
     WHERE bars.instrument_id = dirty.instrument_id AND bars.interval_seconds = 1),
    'infinity')
ORDER BY dirty.to_ts DESC, dirty.dirty_id
LIMIT $1
FOR UPDATE OF dirty SKIP LOCKED

-- name: clear_bars
-- What stood in the interval before it was computed again.
DELETE FROM bars WHERE instrument_id = $1 AND interval_seconds = $2 AND start >= $3 AND start < $4

-- name: add_rebuilt_bars
-- In place of what was cleared in the same transaction.
INSERT INTO bars (instrument_id, interval_seconds, start, open, high, low, close,
                  volume, quote_volume, buy_volume, sell_volume, trades, source)
SELECT *, 'backfill'
FROM unnest($1::int[], $2::int[], $3::timestamptz[], $4::float8[], $5::float8[], $6::float8[], $7::float8[],
            $8::float8[], $9::float8[], $10::float8[], $11::float8[], $12::int[])

-- name: done
-- The intervals that were computed again.
DELETE FROM dirty WHERE dirty_id = ANY($1::bigint[])

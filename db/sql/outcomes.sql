-- name: add_bars
-- Final bars. One that stands already was rebuilt before this claim came to it: the first stays.
INSERT INTO bars (instrument_id, interval_seconds, start, open, high, low, close,
                  volume, quote_volume, buy_volume, sell_volume, trades, source)
SELECT *, 'live'
FROM unnest($1::int[], $2::int[], $3::timestamptz[], $4::float8[], $5::float8[], $6::float8[], $7::float8[],
            $8::float8[], $9::float8[], $10::float8[], $11::float8[], $12::int[])
ON CONFLICT DO NOTHING

-- name: bars_since
-- What was told of a stretch that is folded again: each interval from its own start on.
SELECT interval_seconds, start, open, high, low, close, volume, quote_volume, buy_volume, sell_volume, trades
FROM unnest($2::int[], $3::timestamptz[]) AS since (seconds, at)
JOIN bars ON bars.instrument_id = $1 AND bars.interval_seconds = since.seconds AND bars.start >= since.at

-- name: remove_bars
-- Bars that a second fold found otherwise.
DELETE FROM bars
USING unnest($1::int[], $2::int[], $3::timestamptz[]) AS gone (instrument_id, seconds, start)
WHERE bars.instrument_id = gone.instrument_id AND bars.interval_seconds = gone.seconds AND bars.start = gone.start

-- name: add_signals
-- Under the content key: computing again gives the same row.
INSERT INTO signals (instrument_id, kind, version, ts, direction, strength, confidence, price,
                     evidence, from_ts, to_ts, received_at, committed_at)
SELECT instrument_id, kind, version, ts, direction, strength, confidence, price,
       evidence::jsonb, from_ts, to_ts, received_at, $13
FROM unnest($1::int[], $2::text[], $3::smallint[], $4::timestamptz[], $5::text[], $6::float8[], $7::float8[],
            $8::float8[], $9::text[], $10::timestamptz[], $11::timestamptz[], $12::timestamptz[])
    AS new (instrument_id, kind, version, ts, direction, strength, confidence, price,
            evidence, from_ts, to_ts, received_at)
ON CONFLICT DO NOTHING

-- name: signals_since
-- What was told of a stretch that is folded again.
SELECT kind, version, ts, direction, strength, confidence, price, evidence::text, from_ts, to_ts
FROM signals
WHERE instrument_id = $1 AND ts >= $2

-- name: remove_signals
-- Signals that a second fold found otherwise.
DELETE FROM signals
USING unnest($1::int[], $2::text[], $3::smallint[], $4::timestamptz[]) AS gone (instrument_id, kind, version, ts)
WHERE signals.instrument_id = gone.instrument_id AND signals.kind = gone.kind
  AND signals.version = gone.version AND signals.ts = gone.ts

-- name: told_at
-- The offset that a correction revises: the newest entry about the same thing, looked for near the end of the log.
SELECT "offset"
FROM publications
WHERE instrument_id = $1 AND family = $2 AND "offset" > $3 AND about = $4 AND ts = $5
ORDER BY "offset" DESC
LIMIT 1

-- name: publish
-- The log; dense offsets are given by the shard's holder, and a repeated one is a unique violation.
INSERT INTO publications (instrument_id, family, "offset", op, revises, about, ts, data, committed_at)
SELECT *, $9
FROM unnest($1::int[], $2::text[], $3::bigint[], $4::text[], $5::bigint[], $6::text[], $7::timestamptz[], $8::json[])

-- name: mark_dirty
-- Whole intervals, aligned; the same interval twice is one more row, and computed once.
INSERT INTO dirty (instrument_id, interval_seconds, from_ts, to_ts, reason)
SELECT *, $5 FROM unnest($1::int[], $2::int[], $3::timestamptz[], $4::timestamptz[])

-- name: bury_fold
-- A fold that failed: the dead letter and the quarantine stand or fall together.
WITH letter AS (
    INSERT INTO dead_letters (source, exchange, instrument_id, reason, payload, code_version)
    VALUES ('fold', $1, $2, $3, $4, $5)
    RETURNING dead_letter_id
)
INSERT INTO quarantines (instrument_id, kind, from_ts, dead_letter_id)
SELECT $2, $6, $7, dead_letter_id FROM letter
ON CONFLICT (instrument_id, kind) DO NOTHING

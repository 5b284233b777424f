-- name: add_bars
-- Final bars; hours have a table of their own. Backfill writes none that live may write; should one stand all the
-- same, it is computed again.
WITH final AS (
    SELECT *
    FROM unnest($1::int[], $2::int[], $3::timestamptz[], $4::float8[], $5::float8[], $6::float8[], $7::float8[],
                $8::float8[], $9::float8[], $10::float8[], $11::float8[], $12::int[])
        AS bar (instrument_id, interval_seconds, start, open, high, low, close,
                volume, quote_volume, buy_volume, sell_volume, trades)
), added AS (
    INSERT INTO bars (instrument_id, interval_seconds, start, open, high, low, close,
                      volume, quote_volume, buy_volume, sell_volume, trades, source)
    SELECT *, $13 FROM final WHERE interval_seconds < 3600
    ON CONFLICT DO NOTHING
    RETURNING instrument_id, interval_seconds, start
), added_hours AS (
    INSERT INTO bars_1h (instrument_id, start, open, high, low, close,
                         volume, quote_volume, buy_volume, sell_volume, trades, source)
    SELECT instrument_id, start, open, high, low, close,
           volume, quote_volume, buy_volume, sell_volume, trades, $13
    FROM final WHERE interval_seconds = 3600
    ON CONFLICT DO NOTHING
    RETURNING instrument_id, 3600, start
)
INSERT INTO dirty (instrument_id, from_ts, to_ts, reason)
SELECT instrument_id, start, start + make_interval(secs => interval_seconds), 'stood already'
FROM final
WHERE (instrument_id, interval_seconds, start) NOT IN (TABLE added UNION ALL TABLE added_hours)

-- name: bars_since
-- What was told of a stretch that is folded again: each interval from its own start on.
SELECT interval_seconds, start, open, high, low, close, volume, quote_volume, buy_volume, sell_volume, trades
FROM unnest($2::int[], $3::timestamptz[]) AS since (seconds, at)
JOIN bars ON bars.instrument_id = $1 AND bars.interval_seconds = since.seconds AND bars.start >= since.at
UNION ALL
SELECT 3600, start, open, high, low, close, volume, quote_volume, buy_volume, sell_volume, trades
FROM unnest($2::int[], $3::timestamptz[]) AS since (seconds, at)
JOIN bars_1h AS hours ON since.seconds = 3600 AND hours.instrument_id = $1 AND hours.start >= since.at

-- name: bars_in
-- What was told of a stretch that was computed again: of each interval those that start in its range.
SELECT interval_seconds, start, open, high, low, close, volume, quote_volume, buy_volume, sell_volume, trades
FROM unnest($2::int[], $3::timestamptz[], $4::timestamptz[]) AS range (seconds, from_ts, to_ts)
JOIN bars ON bars.instrument_id = $1 AND bars.interval_seconds = range.seconds
    AND bars.start >= range.from_ts AND bars.start < range.to_ts
UNION ALL
SELECT 3600, start, open, high, low, close, volume, quote_volume, buy_volume, sell_volume, trades
FROM unnest($2::int[], $3::timestamptz[], $4::timestamptz[]) AS range (seconds, from_ts, to_ts)
JOIN bars_1h AS hours ON range.seconds = 3600 AND hours.instrument_id = $1
    AND hours.start >= range.from_ts AND hours.start < range.to_ts

-- name: remove_bars
-- Bars that a second fold found otherwise.
WITH gone AS (
    SELECT * FROM unnest($1::int[], $2::int[], $3::timestamptz[]) AS bar (instrument_id, seconds, start)
), removed AS (
    DELETE FROM bars
    USING gone
    WHERE bars.instrument_id = gone.instrument_id AND bars.interval_seconds = gone.seconds
      AND bars.start = gone.start
)
DELETE FROM bars_1h AS hours
USING gone
WHERE gone.seconds = 3600 AND hours.instrument_id = gone.instrument_id AND hours.start = gone.start

-- name: add_signals
-- Under the content key: computing again gives the same row.
INSERT INTO signals (instrument_id, kind, version, ts, direction, strength, confidence, price,
                     evidence, from_ts, to_ts, received_at, parameters_version, parameters,
                     first_ts, first_id, last_ts, last_id, warm, decided_ts, stored_at, claimed_at,
                     source, committed_at, code_version)
SELECT instrument_id, kind, version, ts, direction, strength, confidence, price,
       evidence::jsonb, from_ts, to_ts, received_at, parameters_version, parameters::jsonb,
       first_ts, first_id, last_ts, last_id, warm, decided_ts, stored_at, claimed_at,
       source, $24, $25
FROM unnest($1::int[], $2::text[], $3::smallint[], $4::timestamptz[], $5::text[], $6::float8[], $7::float8[],
            $8::float8[], $9::text[], $10::timestamptz[], $11::timestamptz[], $12::timestamptz[],
            $13::int[], $14::text[], $15::timestamptz[], $16::bigint[], $17::timestamptz[], $18::bigint[],
            $19::bool[], $20::timestamptz[], $21::timestamptz[], $22::timestamptz[], $23::text[])
    AS new (instrument_id, kind, version, ts, direction, strength, confidence, price,
            evidence, from_ts, to_ts, received_at, parameters_version, parameters,
            first_ts, first_id, last_ts, last_id, warm, decided_ts, stored_at, claimed_at, source)
ON CONFLICT DO NOTHING

-- name: signals_since
-- What was told of a stretch that is folded again.
SELECT kind, version, ts, direction, strength, confidence, price, evidence::text, from_ts, to_ts,
       parameters_version, parameters::text, first_ts, first_id, last_ts, last_id, warm, source
FROM signals
WHERE instrument_id = $1 AND ts >= $2

-- name: signals_in
-- The same of a stretch of event time.
SELECT kind, version, ts, direction, strength, confidence, price, evidence::text, from_ts, to_ts,
       parameters_version, parameters::text, first_ts, first_id, last_ts, last_id, warm, source
FROM signals
WHERE instrument_id = $1 AND ts >= $2 AND ts < $3

-- name: remove_signals
-- Signals that a second fold found otherwise.
DELETE FROM signals
USING unnest($1::int[], $2::text[], $3::smallint[], $4::timestamptz[]) AS gone (instrument_id, kind, version, ts)
WHERE signals.instrument_id = gone.instrument_id AND signals.kind = gone.kind
  AND signals.version = gone.version AND signals.ts = gone.ts

-- name: told_at
-- The offsets that corrections revise: of each thing the newest entry about it, however long ago it was told.
SELECT wanted.about, wanted.ts, latest."offset"
FROM unnest($3::text[], $4::timestamptz[]) AS wanted (about, ts)
CROSS JOIN LATERAL (
    SELECT max(publications."offset") AS "offset"
    FROM publications
    WHERE publications.instrument_id = $1 AND publications.family = $2
      AND publications.ts = wanted.ts AND publications.about = wanted.about
) AS latest
WHERE latest."offset" IS NOT NULL

-- name: publish
-- The log; dense offsets are given by the shard's holder, and a repeated one is a unique violation.
INSERT INTO publications (instrument_id, family, "offset", op, revises, about, ts, data, committed_at)
SELECT *, $9
FROM unnest($1::int[], $2::text[], $3::bigint[], $4::text[], $5::bigint[], $6::text[], $7::timestamptz[], $8::json[])

-- name: bury_fold
-- A fold that failed: the dead letter and the quarantine stand or fall together. The earliest failure counts.
WITH letter AS (
    INSERT INTO dead_letters (source, exchange, instrument_id, reason, payload, code_version)
    VALUES ('fold', $1, $2, $3, $4, $5)
    RETURNING dead_letter_id
)
INSERT INTO quarantines (instrument_id, kind, from_ts, dead_letter_id)
SELECT $2, $6, $7, dead_letter_id FROM letter
ON CONFLICT (instrument_id, kind) DO UPDATE
SET from_ts = excluded.from_ts, dead_letter_id = excluded.dead_letter_id
WHERE excluded.from_ts < quarantines.from_ts

-- name: lift
-- What failed is folded again, with ticks between that came a little later: it failed only if it fails again.
WITH lifted AS (
    DELETE FROM quarantines WHERE instrument_id = $1 AND kind = ANY($2::text[])
    RETURNING dead_letter_id
)
DELETE FROM dead_letters USING lifted WHERE dead_letters.dead_letter_id = lifted.dead_letter_id

-- name: quarantines
-- Kinds that say nothing of an instrument from a time on, until they are requeued.
SELECT instrument_id, kind, from_ts FROM quarantines WHERE instrument_id = ANY($1::int[])

-- name: head
-- How far live is, in the snapshot in which everything else is read.
SELECT head FROM states WHERE shard = $1 ORDER BY version DESC LIMIT 1

-- name: bars
-- Bars that start in the range of their interval; hours have a table of their own.
SELECT interval_seconds, start, open, high, low, close, volume, quote_volume, buy_volume, sell_volume, trades
FROM unnest($2::int[], $3::timestamptz[], $4::timestamptz[]) AS range (seconds, from_ts, to_ts)
JOIN bars ON bars.instrument_id = $1 AND bars.interval_seconds = range.seconds
    AND bars.start >= range.from_ts AND bars.start < range.to_ts
UNION ALL
SELECT 3600, start, open, high, low, close, volume, quote_volume, buy_volume, sell_volume, trades
FROM unnest($2::int[], $3::timestamptz[], $4::timestamptz[]) AS range (seconds, from_ts, to_ts)
JOIN bars_1h AS hours ON range.seconds = 3600 AND hours.instrument_id = $1
    AND hours.start >= range.from_ts AND hours.start < range.to_ts

-- name: signals
-- All that is content, and nothing of delivery.
SELECT kind, version, ts, direction, strength, confidence, price, evidence::text, from_ts, to_ts,
       parameters_version, parameters::text, first_ts, first_id, last_ts, last_id, warm, source
FROM signals
WHERE instrument_id = $1 AND ts >= $2 AND ts < $3

-- name: dirty
-- What is known to be wrong between two times: pieces of a backfill are dirty only when they end.
SELECT from_ts, to_ts FROM dirty WHERE instrument_id = $1 AND to_ts > $2 AND from_ts < $3
UNION ALL
SELECT from_ts, to_ts FROM staged WHERE instrument_id = $1 AND to_ts > $2 AND from_ts < $3
UNION ALL
SELECT chunks.from_ts, chunks.to_ts
FROM chunks JOIN jobs USING (job_id)
WHERE kind = 'backfill' AND chunks.state = 'waiting' AND stored > 0
  AND instrument_id = $1 AND chunks.to_ts > $2 AND chunks.from_ts < $3

-- name: waiting
-- What no worker has claimed yet: ticks behind the cursor among it are nobody's dirty interval so far.
SELECT listing FROM batches WHERE shard = $1

-- name: indicators
-- As signals.
SELECT kind, version, ts, measured::text, confidence, from_ts, to_ts, source
FROM indicators
WHERE instrument_id = $1 AND ts >= $2 AND ts < $3

-- name: measured_since
-- Since when a version of a kind has measured this tape: not before there were indicators, nor before an upgrade.
SELECT kinds.kind,
       (SELECT min(ts) FROM indicators
        WHERE instrument_id = $1 AND kind = kinds.kind AND version = kinds.version) AS since
FROM unnest($2::text[], $3::smallint[]) AS kinds (kind, version)

-- name: eras
-- Kinds that other versions have told of this tape: since when this version has told of it, if it has.
SELECT kinds.kind,
       (SELECT min(ts) FROM signals
        WHERE instrument_id = $1 AND kind = kinds.kind AND version = kinds.version AND ts > other.last) AS since
FROM unnest($2::text[], $3::smallint[]) AS kinds (kind, version)
CROSS JOIN LATERAL (
    SELECT max(ts) AS last FROM signals
    WHERE instrument_id = $1 AND kind = kinds.kind AND version <> kinds.version
) AS other
WHERE other.last IS NOT NULL

-- name: began
-- The first time at which there is anything of an instrument; once days of it were dropped, its first tick.
SELECT least(
    (SELECT ts FROM trades WHERE exchange_id = $1 AND instrument_id = $2 ORDER BY ts LIMIT 1),
    (SELECT ts FROM depths WHERE exchange_id = $1 AND instrument_id = $2 ORDER BY ts LIMIT 1),
    CASE WHEN NOT EXISTS (SELECT FROM dropped_days WHERE instrument_id = $2 AND kind IN ('trades', 'depths')) THEN least(
        (SELECT min(first.start)
         FROM unnest(ARRAY[1, 60, 300]) AS length (seconds)
         CROSS JOIN LATERAL (
            SELECT start FROM bars WHERE instrument_id = $2 AND interval_seconds = seconds ORDER BY start LIMIT 1
         ) AS first),
        (SELECT min(start) FROM bars_1h WHERE instrument_id = $2),
        (SELECT min(ts) FROM signals WHERE instrument_id = $2)
    ) END
)

-- name: anything
-- Whether there is a tape, or anything that was made of one, between two times.
SELECT EXISTS (SELECT FROM trades WHERE exchange_id = $1 AND instrument_id = $2 AND ts >= $3 AND ts < $4)
    OR EXISTS (SELECT FROM depths WHERE exchange_id = $1 AND instrument_id = $2 AND ts >= $3 AND ts < $4)
    OR EXISTS (SELECT FROM signals WHERE instrument_id = $2 AND ts >= $3 AND ts < $4)
    OR EXISTS (SELECT FROM bars_1h WHERE instrument_id = $2 AND start >= $3 AND start < $4)
    OR EXISTS (SELECT FROM bars WHERE instrument_id = $2 AND interval_seconds IN (1, 60, 300)
                                  AND start >= $3 AND start < $4)

-- name: record
-- One instrument's part of a scheduled run.
INSERT INTO verifications (instrument_id, from_ts, to_ts, started_at, finished_at, code_version,
                           bars, signals, indicators, differences, found, unverified)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)

-- name: newest
-- What the newest night came to, with the days that it made up for: of each instrument's day, how it was found last.
SELECT count(DISTINCT instrument_id)::int AS instruments, coalesce(sum(differences), 0)::bigint AS differences,
       extract(epoch FROM clock_timestamp() - max(finished_at))::float8 AS age_seconds
FROM (
    SELECT DISTINCT ON (instrument_id, from_ts) instrument_id, differences, finished_at
    FROM verifications
    WHERE finished_at > (SELECT max(finished_at) FROM verifications) - interval '12 hours'
    ORDER BY instrument_id, from_ts, finished_at DESC
) AS last

-- name: verified_since
-- Whose turn it was before a run was interrupted.
SELECT instrument_id FROM verifications WHERE from_ts = $1 AND finished_at >= $2

-- name: lock
-- Whoever imports a file into an instrument holds this until its connection ends: nobody else goes on with it.
SELECT pg_try_advisory_lock($1::int, hashtext($2::text))

-- name: resume
-- The import of this file that did not come to its end, if there is one; its lease is ours, as the lock is.
UPDATE chunks
SET leased_by = $3, leased_until = clock_timestamp() + $4::float8 * interval '1 second'
FROM jobs
WHERE jobs.job_id = chunks.job_id AND jobs.kind = 'import' AND chunks.state = 'waiting'
  AND chunks.instrument_id = $1 AND starts_with(chunks.cursor, $2)
RETURNING chunk_id, chunks.job_id, cursor, chunks.from_ts, chunks.to_ts, stored

-- name: begin
-- A job of one chunk, which nobody but the command itself works on.
WITH job AS (
    INSERT INTO jobs (kind, state, detail) VALUES ('import', 'running', $1) RETURNING job_id
)
INSERT INTO chunks (job_id, instrument_id, from_ts, to_ts, cursor, state, leased_by, leased_until)
SELECT job_id, $2, $3, $3, $4, 'waiting', $5, clock_timestamp() + $6::float8 * interval '1 second' FROM job
RETURNING chunk_id, job_id

-- name: reach
-- How far back its rows go.
UPDATE chunks SET from_ts = least(from_ts, $2::timestamptz) WHERE chunk_id = $1

-- name: equals
-- How many trades stand already within the time that an offered one may be of, with its price and size.
SELECT offered.ts, offered.price, offered.size, count(*) AS stored
FROM unnest($3::timestamptz[], $4::float8[], $5::float8[]) AS offered (ts, price, size)
JOIN trades ON trades.exchange_id = $1 AND trades.instrument_id = $2
    AND trades.ts >= offered.ts AND trades.ts < offered.ts + $6::float8 * interval '1 microsecond'
    AND trades.ts >= $7 AND trades.ts < $8
    AND trades.price = offered.price AND trades.size = offered.size
GROUP BY offered.ts, offered.price, offered.size

-- name: awaited
-- Whether pieces are still to be fetched that overlap a stretch, or gaps of trades to be healed there.
SELECT EXISTS (
    SELECT FROM chunks JOIN jobs USING (job_id)
    WHERE instrument_id = $1 AND chunks.state = 'waiting' AND kind IN ('backfill', 'recent')
      AND chunks.from_ts < $3 AND chunks.to_ts > $2
) OR EXISTS (
    SELECT FROM gaps
    WHERE instrument_id = $1 AND kind = 'trades' AND state IN ('open', 'healing') AND job_id IS NOT NULL
      AND from_ts < $3 AND to_ts > $2
)

-- name: fail
-- What cannot be gone on with.
WITH failed AS (
    UPDATE chunks SET state = 'failed', leased_until = NULL, leased_by = NULL WHERE chunk_id = $1 RETURNING job_id
)
UPDATE jobs
SET state = 'failed', finished_at = clock_timestamp(), detail = jobs.detail || ': ' || $2
FROM failed
WHERE jobs.job_id = failed.job_id

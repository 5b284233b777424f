-- name: histories
-- What each instrument could be trained on, and when that was last asked for. $1: days before its newest minute.
SELECT instruments.instrument_id, exchanges.name AS exchange, instruments.symbol,
       history.from_ts, history.to_ts, history.minutes, asked.waits,
       extract(epoch FROM clock_timestamp() - asked.created_at)::float8 AS asked_seconds_ago
FROM instruments
JOIN exchanges USING (exchange_id)
CROSS JOIN LATERAL (
    SELECT max(start) AS start FROM bars WHERE instrument_id = instruments.instrument_id AND interval_seconds = 60
) AS newest
CROSS JOIN LATERAL (
    SELECT min(start) AS from_ts, max(start) + interval '1 minute' AS to_ts, count(*)::int AS minutes
    FROM bars
    WHERE instrument_id = instruments.instrument_id AND interval_seconds = 60
      AND start > newest.start - $1::float8 * interval '1 day'
) AS history
CROSS JOIN LATERAL (
    SELECT max(jobs.created_at) AS created_at, coalesce(bool_or(chunks.state = 'waiting'), FALSE) AS waits
    FROM chunks
    JOIN jobs USING (job_id)
    WHERE jobs.kind = 'train' AND chunks.instrument_id = instruments.instrument_id
) AS asked
WHERE history.minutes > 0
ORDER BY exchanges.name, instruments.symbol

-- name: enqueue
-- A job of one chunk; its bars are read in days, and it is trained in one go.
WITH job AS (
    INSERT INTO jobs (kind, state) VALUES ('train', 'waiting') RETURNING job_id
)
INSERT INTO chunks (job_id, instrument_id, from_ts, to_ts, state)
SELECT job_id, $1, $2, $3, 'waiting' FROM job
RETURNING job_id

-- name: claim
-- The one that has waited longest, leased: a lease outlives a lost connection, and ends by itself.
UPDATE chunks
SET leased_until = clock_timestamp() + $2::float8 * interval '1 second', leased_by = $1, attempts = attempts + 1
WHERE chunk_id = (
    SELECT chunk_id
    FROM chunks
    JOIN jobs USING (job_id)
    WHERE jobs.kind = 'train' AND chunks.state = 'waiting' AND due_at <= clock_timestamp()
      AND (leased_until IS NULL OR leased_until <= clock_timestamp())
    ORDER BY due_at, chunk_id
    LIMIT 1
    FOR UPDATE OF chunks SKIP LOCKED
)
RETURNING chunk_id, job_id, instrument_id, from_ts, to_ts, attempts

-- name: give_up
-- With the reason on the job.
WITH given_up AS (
    UPDATE chunks
    SET state = 'failed', detail = $2, leased_until = NULL, leased_by = NULL
    WHERE chunk_id = $1
    RETURNING job_id
)
UPDATE jobs SET state = 'failed', finished_at = clock_timestamp(), detail = $2
FROM given_up
WHERE jobs.job_id = given_up.job_id

-- name: try_later
-- Given back until later, with what went wrong.
UPDATE chunks
SET due_at = clock_timestamp() + $2::float8 * interval '1 second', detail = $3, leased_until = NULL, leased_by = NULL
WHERE chunk_id = $1

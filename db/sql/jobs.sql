-- name: enqueue_recent
-- A job of one chunk, for the past of a feed that is new.
WITH job AS (
    INSERT INTO jobs (kind, state) VALUES ('recent', 'waiting') RETURNING job_id
)
INSERT INTO chunks (job_id, instrument_id, from_ts, to_ts, state)
SELECT job_id, $1, $2, $3, 'waiting' FROM job
RETURNING job_id

-- name: enqueue_recent
-- A job of one chunk, for the past of a feed that is new.
WITH job AS (
    INSERT INTO jobs (kind, state) VALUES ('recent', 'waiting') RETURNING job_id
)
INSERT INTO chunks (job_id, instrument_id, from_ts, to_ts, state)
SELECT job_id, $1, $2, $3, 'waiting' FROM job
RETURNING job_id

-- name: unfinished_recent
-- The venue's answer about an instrument that it does not have is found here.
SELECT instrument_id, chunks.detail
FROM chunks
JOIN jobs USING (job_id)
WHERE kind = 'recent' AND chunks.state = 'waiting' AND instrument_id = ANY ($1::int[])

-- name: give_up_recent
-- Of an instrument that its venue does not have.
WITH given_up AS (
    UPDATE chunks SET state = 'failed'
    FROM jobs
    WHERE jobs.job_id = chunks.job_id AND kind = 'recent' AND chunks.state = 'waiting' AND instrument_id = $1
    RETURNING chunks.job_id, chunks.detail
)
UPDATE jobs SET state = 'failed', finished_at = clock_timestamp(), detail = given_up.detail
FROM given_up
WHERE jobs.job_id = given_up.job_id

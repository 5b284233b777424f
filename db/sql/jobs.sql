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

-- name: enqueue
-- A job that an operator asked for, with its pieces in the order in which they are to be done, behind what heals.
WITH job AS (
    INSERT INTO jobs (kind, state, from_ts, to_ts) VALUES ($1, 'waiting', $2, $3) RETURNING job_id
)
INSERT INTO chunks (job_id, instrument_id, from_ts, to_ts, rows, priority, state)
SELECT job_id, piece.instrument_id, piece.from_ts, piece.to_ts, piece.rows, 1, 'waiting'
FROM job
CROSS JOIN unnest($4::int[], $5::timestamptz[], $6::timestamptz[], $7::bigint[])
    WITH ORDINALITY AS piece (instrument_id, from_ts, to_ts, rows, number)
ORDER BY piece.number
RETURNING job_id

-- name: overview
-- Jobs with what their pieces add up to: of these kinds, or these jobs; the newest first.
SELECT jobs.job_id, jobs.kind, jobs.state, jobs.created_at, jobs.finished_at,
       coalesce(nullif(jobs.detail, ''), piece.detail, '') AS detail,
       coalesce(jobs.from_ts, piece.from_ts) AS from_ts, coalesce(jobs.to_ts, piece.to_ts) AS to_ts,
       coalesce(piece.names, '{}') AS names, piece.pieces, piece.done, piece.failed,
       piece.rows, piece.fetched, piece.stored, piece.requests
FROM jobs
CROSS JOIN LATERAL (
    SELECT count(*)::int AS pieces, (count(*) FILTER (WHERE chunks.state = 'done'))::int AS done,
           (count(*) FILTER (WHERE chunks.state = 'failed'))::int AS failed,
           coalesce(sum(chunks.rows), 0)::bigint AS rows, coalesce(sum(fetched), 0)::bigint AS fetched,
           coalesce(sum(stored), 0)::bigint AS stored, coalesce(sum(requests), 0)::bigint AS requests,
           min(chunks.from_ts) AS from_ts, max(chunks.to_ts) AS to_ts,
           array_agg(DISTINCT exchanges.name || ':' || instruments.symbol)
               FILTER (WHERE instruments.symbol IS NOT NULL) AS names,
           max(chunks.detail) FILTER (WHERE chunks.detail <> '' AND chunks.state <> 'done') AS detail
    FROM chunks
    LEFT JOIN instruments USING (instrument_id)
    LEFT JOIN exchanges USING (exchange_id)
    WHERE chunks.job_id = jobs.job_id
) AS piece
WHERE ($1::text[] IS NULL OR jobs.kind = ANY($1)) AND ($2::bigint[] IS NULL OR jobs.job_id = ANY($2))
ORDER BY jobs.job_id DESC
LIMIT $3

-- name: pieces
-- Of one job, in order of time; of more than $2, those that are not done before others.
SELECT chunk_id, instrument_id, from_ts, to_ts,
       CASE WHEN state = 'waiting' AND leased_until > clock_timestamp() THEN 'running' ELSE state END AS state,
       rows, fetched, stored, requests, attempts, rounds, due_at, detail
FROM (
    SELECT * FROM chunks WHERE job_id = $1 ORDER BY state = 'done', chunk_id LIMIT $2::bigint
) AS shown
ORDER BY instrument_id, from_ts

-- name: state
-- For a change that depends on it, or on whether somebody works on it.
SELECT kind, state,
       EXISTS (SELECT FROM chunks
               WHERE chunks.job_id = jobs.job_id AND chunks.state = 'waiting' AND leased_until > clock_timestamp()) AS held
FROM jobs
WHERE job_id = $1

-- name: pause
-- Whoever works on it lays it down after the page.
UPDATE jobs SET state = 'paused' WHERE job_id = $1 AND state IN ('waiting', 'running') RETURNING job_id

-- name: resume_pieces
-- Whatever was put off is due.
UPDATE chunks SET due_at = clock_timestamp()
FROM jobs
WHERE jobs.job_id = $1 AND jobs.state = 'paused' AND chunks.job_id = jobs.job_id AND chunks.state = 'waiting'

-- name: resume
-- After its pieces.
UPDATE jobs SET state = 'running' WHERE job_id = $1 AND state = 'paused' RETURNING job_id

-- name: cancel_pieces
-- What is not done; whoever works on one finds it gone, and stores no more.
UPDATE chunks SET state = 'cancelled', leased_until = NULL, leased_by = NULL
WHERE job_id = $1 AND state IN ('waiting', 'failed')
RETURNING chunk_id

-- name: cancel
-- After its pieces.
UPDATE jobs SET state = 'cancelled', finished_at = clock_timestamp()
WHERE job_id = $1 AND state IN ('waiting', 'running', 'paused', 'failed')
RETURNING job_id

-- name: retry_pieces
-- What failed, was cancelled, or waits for another try, from where it was.
UPDATE chunks SET state = 'waiting', attempts = 0, rounds = 0, due_at = clock_timestamp(), detail = ''
WHERE job_id = $1 AND state IN ('failed', 'cancelled', 'waiting')
RETURNING chunk_id

-- name: retry
-- After its pieces.
UPDATE jobs SET state = 'running', finished_at = NULL
WHERE job_id = $1 AND state IN ('waiting', 'running', 'failed', 'cancelled')
RETURNING job_id

-- name: dirty_left
-- Stretches of these instruments in a range that are to be computed again, and results that are to be told.
SELECT (SELECT count(*) FROM dirty WHERE instrument_id = ANY($1::int[]) AND from_ts < $3 AND to_ts > $2)
     + (SELECT count(*) FROM staged WHERE instrument_id = ANY($1::int[]) AND from_ts < $3 AND to_ts > $2)

-- name: hand_on
-- The next piece of a recomputation, while nothing of its instrument waits that was handed on before: so a job that is
-- paused, or cancelled, soon has nothing under way.
UPDATE chunks
SET state = 'done'
FROM (
    SELECT chunk_id
    FROM chunks
    JOIN jobs USING (job_id)
    WHERE jobs.kind = 'recompute' AND jobs.state <> 'paused' AND chunks.state = 'waiting'
      AND NOT EXISTS (
        SELECT FROM dirty WHERE dirty.instrument_id = chunks.instrument_id AND dirty.reason = 'recompute'
      )
    ORDER BY priority, chunk_id
    LIMIT 1
    FOR UPDATE OF chunks SKIP LOCKED
) AS next
WHERE chunks.chunk_id = next.chunk_id
RETURNING job_id, instrument_id, from_ts, to_ts

-- name: told_otherwise
-- Since when a kind was told by another version than this one; null as `since` where it was not, `told` whether ever.
SELECT min(ts) FILTER (WHERE version <> $3) AS since, count(*) > 0 AS told
FROM (
    SELECT ts, version FROM signals WHERE instrument_id = $1 AND kind = $2
    UNION ALL
    SELECT ts, version FROM indicators WHERE instrument_id = $1 AND kind = $2
) AS said

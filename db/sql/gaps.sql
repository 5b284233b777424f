-- name: narrow
-- What is known better now of gaps that still stand. One that its healer holds is left to it, so that
-- neither lane waits for the other: what was found is then a gap of its own. A chunk's end is its healer's to move,
-- with the cursor that belongs to it.
WITH found AS (
    SELECT *
    FROM unnest($1::int[], $2::text[], $3::timestamptz[], $4::bigint[], $5::timestamptz[], $6::bigint[])
        AS finding (instrument_id, kind, from_ts, after_id, to_ts, before_id)
), free AS (
    SELECT gaps.gap_id, found.to_ts, found.before_id
    FROM found
    JOIN gaps ON gaps.instrument_id = found.instrument_id AND gaps.kind = found.kind
        AND gaps.from_ts = found.from_ts AND gaps.after_id IS NOT DISTINCT FROM found.after_id
        AND gaps.state IN ('open', 'healing')
    FOR UPDATE OF gaps SKIP LOCKED
), due AS (
    UPDATE chunks
    SET due_at = clock_timestamp()
    FROM (
        SELECT chunks.chunk_id
        FROM chunks
        JOIN free USING (gap_id)
        WHERE chunks.state = 'waiting' AND free.before_id IS NOT NULL
        FOR UPDATE OF chunks SKIP LOCKED
    ) AS bounded
    WHERE chunks.chunk_id = bounded.chunk_id
)
UPDATE gaps
SET to_ts = greatest(gaps.to_ts, free.to_ts), before_id = coalesce(free.before_id, gaps.before_id)
FROM free
WHERE gaps.gap_id = free.gap_id
RETURNING gaps.gap_id, instrument_id, kind, cause, state, from_ts, gaps.to_ts, after_id, gaps.before_id, job_id,
          opened_at, closed_at, detail

-- name: close
-- Found to miss nothing. One that its healer holds is left to it: it finds the same.
UPDATE gaps
SET state = 'closed', closed_at = clock_timestamp(), detail = free.detail
FROM (
    SELECT gaps.gap_id, found.detail
    FROM unnest($1::int[], $2::text[], $3::timestamptz[], $4::bigint[], $5::text[])
        AS found (instrument_id, kind, from_ts, after_id, detail)
    JOIN gaps ON gaps.instrument_id = found.instrument_id AND gaps.kind = found.kind
        AND gaps.from_ts = found.from_ts AND gaps.after_id IS NOT DISTINCT FROM found.after_id
        AND gaps.state IN ('open', 'healing')
    FOR UPDATE OF gaps SKIP LOCKED
) AS free
WHERE gaps.gap_id = free.gap_id
RETURNING gaps.gap_id, instrument_id, kind, cause, state, from_ts, to_ts, after_id, before_id, job_id,
          opened_at, closed_at, gaps.detail

-- name: finish_jobs
-- The chunks and jobs of gaps that are closed; what its healer holds, the healer finishes.
WITH over AS (
    SELECT chunks.chunk_id, jobs.job_id
    FROM chunks
    JOIN jobs USING (job_id)
    WHERE job_id = ANY($1::bigint[]) AND chunks.state = 'waiting'
    FOR UPDATE SKIP LOCKED
), done AS (
    UPDATE chunks
    SET state = 'done', leased_until = NULL, leased_by = NULL
    FROM over
    WHERE chunks.chunk_id = over.chunk_id
)
UPDATE jobs
SET state = 'done', finished_at = clock_timestamp()
FROM over
WHERE jobs.job_id = over.job_id

-- name: open
-- With the job that heals it and the job's one chunk, which waits a little while no trade has come since:
-- the next one may continue the last.
WITH found AS MATERIALIZED (
    SELECT *, CASE WHEN heals THEN nextval(pg_get_serial_sequence('jobs', 'job_id')) END AS job_id
    FROM unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[],
                $7::bigint[], $8::bigint[], $9::text[], $10::boolean[])
        AS finding (instrument_id, kind, cause, state, from_ts, to_ts, after_id, before_id, detail, heals)
), job AS (
    INSERT INTO jobs (job_id, kind, state)
    SELECT job_id, 'heal', 'waiting' FROM found WHERE heals
), gap AS (
    INSERT INTO gaps (instrument_id, kind, cause, state, from_ts, to_ts, after_id, before_id, job_id, detail)
    SELECT instrument_id, kind, cause, state, from_ts, to_ts, after_id, before_id, job_id, detail
    FROM found
    RETURNING *
), chunk AS (
    INSERT INTO chunks (job_id, gap_id, instrument_id, from_ts, to_ts, state, due_at)
    SELECT job_id, gap_id, instrument_id, from_ts, to_ts, 'waiting',
           clock_timestamp() + CASE WHEN before_id IS NULL THEN $11::float8 * interval '1 second' ELSE '0' END
    FROM gap
    WHERE job_id IS NOT NULL
)
SELECT gap_id, instrument_id, kind, cause, state, from_ts, to_ts, after_id, before_id, job_id,
       opened_at, closed_at, detail
FROM gap

-- name: settle
-- The healer's end of a gap; nothing when live found more about it meanwhile.
UPDATE gaps
SET state = $4, closed_at = clock_timestamp(), detail = $5
WHERE gap_id = $1 AND to_ts = $2 AND before_id IS NOT DISTINCT FROM $3::bigint AND state IN ('open', 'healing')
RETURNING gap_id, instrument_id, kind, cause, state, from_ts, to_ts, after_id, before_id, job_id,
          opened_at, closed_at, detail

-- name: begin_healing
-- Shown as healing once its first page is asked for.
UPDATE gaps SET state = 'healing' WHERE gap_id = $1 AND state = 'open'

-- name: told
-- What subscribers of these instruments are told: what is not settled, what became of the gaps $2, and what was
-- found since the gap $3; each looked for in its own index.
SELECT gap_id, instrument_id, kind, cause, state, from_ts, to_ts, after_id, before_id, job_id,
       opened_at, closed_at, detail
FROM gaps
WHERE instrument_id = ANY($1::int[]) AND gap_id IN (
    SELECT gap_id FROM gaps WHERE state IN ('open', 'healing') AND instrument_id = ANY($1::int[])
    UNION
    SELECT unnest($2::bigint[])
    UNION
    SELECT gap_id FROM gaps WHERE gap_id > $3
)
ORDER BY gap_id

-- name: newest
-- The gap after which everything is news.
SELECT coalesce(max(gap_id), 0) FROM gaps

-- name: silences
-- What became of the gap since a stream's last trade that reaches to now, and the last trade that is stored.
SELECT silent.instrument_id, gap.state, trade.trade_id, trade.ts
FROM unnest($1::smallint[], $2::int[], $3::bigint[], $4::timestamptz[])
    AS silent (exchange_id, instrument_id, after_id, at)
CROSS JOIN LATERAL (
    SELECT g.state FROM gaps AS g
    WHERE g.instrument_id = silent.instrument_id AND g.kind = 'trades'
      AND g.after_id IS NOT DISTINCT FROM silent.after_id AND g.to_ts >= silent.at
    ORDER BY g.gap_id DESC LIMIT 1
) AS gap
LEFT JOIN LATERAL (
    SELECT t.trade_id, t.ts FROM trades AS t
    WHERE t.exchange_id = silent.exchange_id AND t.instrument_id = silent.instrument_id
      AND t.ts < now() + interval '10 minutes'
    ORDER BY t.ts DESC, t.trade_id DESC LIMIT 1
) AS trade ON true

-- name: by_id
-- For who holds their ids.
SELECT gap_id, instrument_id, kind, cause, state, from_ts, to_ts, after_id, before_id, job_id,
       opened_at, closed_at, detail
FROM gaps
WHERE gap_id = ANY($1::bigint[])
ORDER BY gap_id

-- name: heal_again
-- Gaps that stand and that nobody is to heal any more, not being too long: each is given a new job.
WITH stray AS (
    SELECT gap_id, instrument_id, from_ts, to_ts, nextval(pg_get_serial_sequence('jobs', 'job_id')) AS job_id
    FROM gaps
    WHERE state IN ('open', 'healing') AND kind = 'trades' AND opened_at < clock_timestamp() - interval '1 minute'
      AND (cause = 'mute' OR to_ts - from_ts <= $1::float8 * interval '1 second')
      AND NOT EXISTS (SELECT FROM chunks
                      WHERE chunks.gap_id = gaps.gap_id AND chunks.state NOT IN ('done', 'failed', 'cancelled'))
    FOR UPDATE SKIP LOCKED
), job AS (
    INSERT INTO jobs (job_id, kind, state) SELECT job_id, 'heal', 'waiting' FROM stray
), chunk AS (
    INSERT INTO chunks (job_id, gap_id, instrument_id, from_ts, to_ts, state)
    SELECT job_id, gap_id, instrument_id, from_ts, to_ts, 'waiting' FROM stray
)
UPDATE gaps SET job_id = stray.job_id, state = 'open' FROM stray WHERE gaps.gap_id = stray.gap_id
RETURNING gaps.gap_id

-- name: standing
-- What nobody heals and is not closed, of trades in a stretch: a backfill may have brought it.
SELECT gap_id, instrument_id, kind, cause, state, from_ts, to_ts, after_id, before_id, job_id,
       opened_at, closed_at, detail
FROM gaps
WHERE instrument_id = $1 AND kind = 'trades' AND to_ts > $2 AND from_ts < $3
  AND (state = 'unrecoverable' OR state = 'open' AND job_id IS NULL)
ORDER BY gap_id

-- name: brought
-- What a backfill or a file brought, though nobody healed it.
UPDATE gaps SET state = 'closed', closed_at = clock_timestamp(), detail = $2
WHERE gap_id = ANY($1::bigint[]) AND state <> 'closed'
RETURNING gap_id, instrument_id, kind, cause, state, from_ts, to_ts, after_id, before_id, job_id,
          opened_at, closed_at, detail

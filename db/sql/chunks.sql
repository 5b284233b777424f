-- name: claim
-- The one that has waited longest, leased: a lease outlives a lost connection, and ends by itself when its
-- holder died. Only what somebody wants to listen to, as its feed says where the venue is. What heals comes first;
-- of kinds $3, of no venue of $4, and no backfill of $5: so that no venue has all hands, nor backfill.
UPDATE chunks
SET leased_until = clock_timestamp() + $2::float8 * interval '1 second', leased_by = $1
FROM (
    SELECT chunk_id
    FROM chunks
    JOIN jobs USING (job_id)
    JOIN instruments USING (instrument_id)
    JOIN exchanges USING (exchange_id)
    JOIN feeds ON feeds.exchange = exchanges.name AND feeds.symbol = instruments.symbol
    WHERE jobs.kind = ANY($3::text[]) AND jobs.state <> 'paused'
      AND chunks.state = 'waiting' AND due_at <= clock_timestamp()
      AND (leased_until IS NULL OR leased_until <= clock_timestamp())
      AND exchanges.name <> ALL($4::text[]) AND (jobs.kind <> 'backfill' OR exchanges.name <> ALL($5::text[]))
    ORDER BY chunks.priority, due_at, chunk_id
    LIMIT 1
    FOR UPDATE OF chunks SKIP LOCKED
) AS due, jobs, instruments
JOIN exchanges USING (exchange_id)
JOIN feeds ON feeds.exchange = exchanges.name AND feeds.symbol = instruments.symbol
WHERE chunks.chunk_id = due.chunk_id AND instruments.instrument_id = chunks.instrument_id
  AND jobs.job_id = chunks.job_id
RETURNING chunks.chunk_id, chunks.job_id, jobs.kind, gap_id, chunks.instrument_id, exchange_id, exchanges.name AS exchange,
          instruments.symbol, protocol, rest_url, chunks.from_ts, chunks.to_ts, cursor, attempts, rounds

-- name: add_trades
-- Row by row in the order in which every writer takes its locks. A trade that stands already under this id,
-- though a road that rounds tells another microsecond, is the same trade; no socket's writer adds one meanwhile.
INSERT INTO trades (exchange_id, instrument_id, ts, trade_id, price, size, side, received_at)
SELECT $1, $2, page.ts, page.trade_id, price, size, side, received_at
FROM unnest($4::timestamptz[], $5::bigint[], $6::float8[], $7::float8[], $8::smallint[], $9::timestamptz[])
    AS page (ts, trade_id, price, size, side, received_at)
WHERE NOT EXISTS (
    SELECT FROM trades
    WHERE trades.exchange_id = $1 AND trades.instrument_id = $2 AND trades.trade_id = page.trade_id
      AND trades.ts BETWEEN page.ts - $3::float8 * interval '1 microsecond'
                        AND page.ts + $3::float8 * interval '1 microsecond'
)
ORDER BY date_bin('1 day', page.ts, '2000-01-01Z'), page.ts, page.trade_id
ON CONFLICT DO NOTHING
RETURNING ts

-- name: advance
-- With the page, in one transaction: whoever lost the lease meanwhile gets nothing back, and takes all back.
UPDATE chunks
SET cursor = $3, to_ts = $6, requests = requests + 1, stored = stored + $4, fetched = fetched + $7, attempts = 0, detail = '',
    leased_until = clock_timestamp() + $5::float8 * interval '1 second'
WHERE chunk_id = $1 AND leased_by = $2 AND state = 'waiting'
RETURNING chunk_id

-- name: hold
-- Whether the lease is still ours; if so, until the end of the transaction.
SELECT chunk_id FROM chunks WHERE chunk_id = $1 AND leased_by = $2 AND state = 'waiting' FOR UPDATE

-- name: postpone
-- Given back until later.
UPDATE chunks
SET due_at = clock_timestamp() + $3::float8 * interval '1 second', cursor = $4, attempts = $5, rounds = $6,
    detail = $7, leased_until = NULL, leased_by = NULL
WHERE chunk_id = $1 AND leased_by = $2 AND state = 'waiting'

-- name: release
-- What a holder still has when it begins or ends.
UPDATE chunks SET leased_until = NULL, leased_by = NULL WHERE leased_by = $1 AND state = 'waiting'

-- name: wanted
-- Whether a chunk is still to be worked on by its holder: its job may be paused or cancelled meanwhile.
SELECT EXISTS (
    SELECT FROM chunks JOIN jobs USING (job_id)
    WHERE chunk_id = $1 AND leased_by = $2 AND chunks.state = 'waiting' AND jobs.state <> 'paused'
)

-- name: end
-- Done, or failed.
UPDATE chunks
SET state = $2, detail = $3, leased_until = NULL, leased_by = NULL
WHERE chunk_id = $1

-- name: mark_stored
-- What a backfill stored is computed again once, when its chunk ends: page by page each minute would be computed
-- many times over, with all that remembers it.
INSERT INTO dirty (instrument_id, from_ts, to_ts, reason)
SELECT instrument_id, from_ts, to_ts, 'history' FROM chunks WHERE chunk_id = ANY($1::bigint[]) AND stored > 0

-- name: lock_job
-- Before its chunks are counted: two of them may end in one instant.
SELECT job_id FROM jobs WHERE job_id = $1 FOR UPDATE

-- name: end_job
-- With its last chunk.
UPDATE jobs
SET state = CASE
        WHEN EXISTS (SELECT FROM chunks WHERE chunks.job_id = jobs.job_id AND chunks.state = 'failed')
        THEN 'failed' ELSE 'done'
    END,
    finished_at = clock_timestamp()
WHERE job_id = $1 AND state IN ('waiting', 'running', 'paused')
  AND NOT EXISTS (SELECT FROM chunks WHERE chunks.job_id = $1 AND chunks.state = 'waiting')

-- name: begin
-- A job is running once one of its chunks is.
UPDATE jobs SET state = 'running' WHERE job_id = $1 AND state = 'waiting'

-- name: alone
-- Until the transaction ends: whether trades are missing between two pieces that touch, whoever ends last finds out.
SELECT pg_advisory_xact_lock($1::int, $2::int)

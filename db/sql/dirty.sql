-- name: heads
-- How far live is with each instrument is in the newest head of its shard. An old one is right, too: live never goes back.
SELECT latest.version, latest.head
FROM (SELECT DISTINCT instruments.shard FROM dirty JOIN instruments USING (instrument_id)) AS waiting
CROSS JOIN LATERAL (
    SELECT states.version, states.head
    FROM states
    WHERE states.shard = waiting.shard
    ORDER BY states.version DESC
    LIMIT 1
) AS latest

-- name: head
-- The same of one shard.
SELECT version, head FROM states WHERE shard = $1 ORDER BY version DESC LIMIT 1

-- name: due
-- Whose tape has something dirty that live has come to: the newest first. An instrument that live has not begun
-- with is not in the list, and waits.
SELECT dirty.instrument_id, instruments.exchange_id, instruments.shard
FROM dirty
JOIN unnest($1::int[], $2::timestamptz[]) AS live (instrument_id, ts) USING (instrument_id)
JOIN instruments USING (instrument_id)
WHERE dirty.from_ts <= live.ts
GROUP BY dirty.instrument_id, instruments.exchange_id, instruments.shard
ORDER BY max(dirty.to_ts) DESC

-- name: lock_instrument
-- One at a time: so what is staged of an instrument stands in the order in which its tape was read.
SELECT pg_try_advisory_xact_lock($1::int, $2::int)

-- name: lock_newest
-- What is asked for last, as far as nobody has it.
SELECT from_ts, to_ts
FROM dirty
WHERE instrument_id = $1 AND from_ts <= $2
ORDER BY to_ts DESC
LIMIT 1
FOR UPDATE SKIP LOCKED

-- name: lock_after
-- All that reaches beyond a time: it is computed once. Locked before the tape is read, so that a row that comes
-- later, for a tick that may not have been read, stays.
SELECT dirty_id, from_ts, to_ts
FROM dirty
WHERE instrument_id = $1 AND from_ts <= $2 AND to_ts > $3
FOR UPDATE SKIP LOCKED

-- name: keep_later
-- Live reads on from its cursor what its batches list, and these ticks have none: what of a row lies beyond it waits
-- until live has passed it. What asks for another fold of the same ticks goes on with the state of the repair.
INSERT INTO dirty (instrument_id, from_ts, to_ts, reason)
SELECT instrument_id, $2::timestamptz, to_ts, reason
FROM dirty
WHERE dirty_id = ANY($1::bigint[]) AND to_ts > $2 AND reason NOT IN ('requeue', 'parameters', 'recompute')

-- name: done
-- What was computed again.
DELETE FROM dirty WHERE dirty_id = ANY($1::bigint[])

-- name: shorten
-- A row that reaches further back than what was computed: the rest is another claim's.
UPDATE dirty SET to_ts = $2 WHERE dirty_id = ANY($1::bigint[])

-- name: mark
-- One row a stretch. That another one stands for the same says nothing: it may be under repair already, by somebody
-- who has not read what this one is for.
INSERT INTO dirty (instrument_id, from_ts, to_ts, reason)
SELECT DISTINCT new.*, $4
FROM unnest($1::int[], $2::timestamptz[], $3::timestamptz[]) AS new (instrument_id, from_ts, to_ts)

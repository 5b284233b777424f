-- name: due
-- Shards with a batch beyond what is done, oldest first. `done` may be old: then the walk is longer, never wrong.
-- The version tells a worker which of them it remembers; the oldest batch of each writer, up to where all is done.
SELECT due.shard, coalesce(latest.version, 0), extract(epoch FROM clock_timestamp() - due.since)::float8,
       due.writers, due.seqs
FROM (
    SELECT shards.shard, min(oldest.created_at) AS since,
           array_agg(writers.writer) AS writers, array_agg(oldest.seq) AS seqs
    FROM shards
    CROSS JOIN writers
    LEFT JOIN unnest($1::smallint[], $2::int[], $3::bigint[]) AS done (shard, writer, seq)
        ON done.shard = shards.shard AND done.writer = writers.writer
    CROSS JOIN LATERAL (
        SELECT batches.created_at, batches.seq
        FROM batches
        WHERE batches.shard = shards.shard
          AND batches.writer = writers.writer
          AND batches.seq > coalesce(done.seq, 0)
        ORDER BY batches.seq
        LIMIT 1
    ) AS oldest
    GROUP BY shards.shard
) AS due
LEFT JOIN LATERAL (
    SELECT states.version
    FROM states
    WHERE states.shard = due.shard
    ORDER BY states.version DESC
    LIMIT 1
) AS latest ON TRUE
ORDER BY due.since

-- name: lock
-- The claim. LIMIT counts what was locked, not what was looked at, so workers spread over the due shards;
-- nothing else is read here: a snapshot taken before the lock is too old for state and batches.
SELECT shards.shard
FROM unnest($1::smallint[]) WITH ORDINALITY AS due (shard, place)
JOIN shards USING (shard)
ORDER BY due.place
LIMIT $2
FOR UPDATE OF shards SKIP LOCKED

-- name: heads
-- Read after the lock. The head travels only when it is not the version that this worker remembers.
SELECT known.shard, latest.version, CASE WHEN latest.version <> known.version THEN latest.head END AS head
FROM unnest($1::smallint[], $2::bigint[]) AS known (shard, version)
CROSS JOIN LATERAL (
    SELECT states.version, states.head
    FROM states
    WHERE states.shard = known.shard
    ORDER BY states.version DESC
    LIMIT 1
) AS latest

-- name: batches
-- Beyond `done`, so that deleted entries are never walked. Oldest first, yet each writer's in its commit order
-- even if the clock was set back: the running maximum keeps any beginning of this list a prefix for every writer.
SELECT open.shard, open.writer, open.seq, open.ticks, open.listing, open.created_at
FROM unnest($1::smallint[]) AS mine (shard)
CROSS JOIN writers
LEFT JOIN unnest($2::smallint[], $3::int[], $4::bigint[]) AS done (shard, writer, seq)
    ON done.shard = mine.shard AND done.writer = writers.writer
CROSS JOIN LATERAL (
    SELECT batches.*
    FROM batches
    WHERE batches.shard = mine.shard
      AND batches.writer = writers.writer
      AND batches.seq > coalesce(done.seq, 0)
    ORDER BY batches.seq
    LIMIT $5
) AS open
ORDER BY max(open.created_at) OVER (PARTITION BY open.shard, open.writer ORDER BY open.seq), open.writer, open.seq

-- name: checkpoint
-- Where a takeover begins.
SELECT folds FROM checkpoints WHERE shard = $1 ORDER BY version DESC LIMIT 1

-- name: append_state
-- version = read + 1: a second fold of the same batches is a unique violation.
INSERT INTO states (shard, version, head)
SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::bytea[])

-- name: delete_batches
-- Exactly those that were read: one committed meanwhile is nobody's yet. The array holds the planner to one look
-- into the index for each: where statistics call the queue empty, a join would walk all that was ever deleted.
DELETE FROM batches
WHERE ctid = ANY(ARRAY(
    SELECT batch.place
    FROM unnest($1::smallint[], $2::int[], $3::bigint[]) AS folded (shard, writer, seq)
    CROSS JOIN LATERAL (
        SELECT batches.ctid AS place
        FROM batches
        WHERE batches.shard = folded.shard AND batches.writer = folded.writer AND batches.seq = folded.seq
        LIMIT 1
    ) AS batch
))

-- name: add_checkpoint
-- Seconds apart: the whole state is some 20 kB.
INSERT INTO checkpoints (shard, version, folds) VALUES ($1, $2, $3)

-- name: sweep_states
-- Old versions, by the holder of the shard, when it writes a checkpoint: from the one before, where it swept last.
DELETE FROM states
WHERE shard = $1 AND version < $2
  AND version >= coalesce((SELECT max(version) FROM checkpoints WHERE shard = $1 AND version < $2), 0)

-- name: sweep_checkpoints
-- The same: the one before is the only one that stands.
DELETE FROM checkpoints
WHERE shard = $1 AND version < $2
  AND version >= coalesce((SELECT max(version) FROM checkpoints WHERE shard = $1 AND version < $2), 0)

-- name: oldest_batch
-- Health, and what to scale by: the age in seconds of the oldest unclaimed batch.
SELECT coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8 FROM batches

-- name: instruments
-- What a worker must know of the instruments that it folds; asked once for each.
SELECT instruments.instrument_id, instruments.exchange_id, exchanges.name AS exchange, instruments.symbol
FROM instruments JOIN exchanges USING (exchange_id)
WHERE instruments.instrument_id = ANY($1::int[])

-- name: live_workers
-- How many share the due shards: heartbeats not older than 5 s.
SELECT count(*)::int FROM processes
WHERE role = 'worker-live' AND stopped_at IS NULL AND seen_at > clock_timestamp() - interval '5 seconds'

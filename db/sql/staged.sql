-- name: add
-- In the transaction that computed it and that forgets what it was computed for.
INSERT INTO staged (shard, instrument_id, purpose, version, from_ts, to_ts, body)
VALUES ($1, $2, $3, $4, $5, $6, $7)

-- name: waiting
-- Shards for which something is staged, the longest waiting first; the version tells a worker which it remembers.
SELECT waiting.shard, coalesce(latest.version, 0), extract(epoch FROM clock_timestamp() - waiting.since)::float8
FROM (
    SELECT shard, min(created_at) AS since FROM staged WHERE purpose <> 'rescore' GROUP BY shard
) AS waiting
LEFT JOIN LATERAL (
    SELECT states.version
    FROM states
    WHERE states.shard = waiting.shard
    ORDER BY states.version DESC
    LIMIT 1
) AS latest ON TRUE
ORDER BY waiting.since

-- name: next
-- By the holder of the shard. Of one instrument always in the order in which they were staged.
SELECT staged_id, shard, instrument_id, purpose, version, from_ts, to_ts, body
FROM staged
WHERE shard = $1 AND purpose <> 'rescore'
ORDER BY staged_id
LIMIT 1

-- name: remove
-- In the transaction that tells it.
DELETE FROM staged WHERE staged_id = $1

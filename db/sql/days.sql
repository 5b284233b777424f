-- name: head
-- How far live is with an instrument is in the newest head of its shard.
SELECT states.head
FROM instruments
JOIN states USING (shard)
WHERE instruments.instrument_id = $1
ORDER BY states.version DESC
LIMIT 1

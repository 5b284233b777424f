-- name: head
-- How far live is with an instrument is in the newest head of its shard.
SELECT states.head
FROM instruments
JOIN states USING (shard)
WHERE instruments.instrument_id = $1
ORDER BY states.version DESC
LIMIT 1

-- name: unsettled
-- What may still change of an instrument's past: what memory of the earliest repair reaches, to the end; and gaps.
SELECT min(from_ts) AS from_ts, NULL::timestamptz AS to_ts
FROM (SELECT from_ts FROM dirty WHERE instrument_id = $1
      UNION ALL
      SELECT from_ts FROM staged WHERE instrument_id = $1) AS repair
HAVING count(*) > 0
UNION ALL
SELECT from_ts, to_ts FROM gaps WHERE instrument_id = $1 AND state IN ('open', 'healing')

-- name: beat
-- One row a process, about once a second: who runs, since when, with which totals.
INSERT INTO processes (process_id, role, host, pid, started_at, seen_at, stopped_at, counters)
VALUES ($1, $2, $3, $4, $5, clock_timestamp(), $6, $7::jsonb)
ON CONFLICT (process_id) DO UPDATE
SET seen_at = excluded.seen_at, stopped_at = excluded.stopped_at, counters = excluded.counters

-- name: freshest
-- Health: how long ago a process of this role was last seen running on this host (any host when empty).
SELECT extract(epoch FROM clock_timestamp() - max(seen_at))::float8
FROM processes
WHERE role = $1 AND stopped_at IS NULL AND ($2 = '' OR host = $2)

-- name: totals
-- What the processes of one role have counted, each since its start.
SELECT process_id, role, host, pid, started_at, seen_at, stopped_at, counters::text
FROM processes
WHERE role = $1 AND started_at >= $2
ORDER BY started_at, process_id

-- name: running
-- How many processes of these roles were seen running lately.
SELECT count(*)::int
FROM processes
WHERE role = ANY($1::text[]) AND stopped_at IS NULL AND seen_at > clock_timestamp() - interval '10 seconds'

-- name: forget
-- The scheduler's: rows of processes that ended long ago. Those whose totals are summed are kept:
-- a counter that falls would be taken for one that began again.
DELETE FROM processes
WHERE seen_at < clock_timestamp() - interval '7 days' AND role NOT IN ('ingest', 'worker-live')

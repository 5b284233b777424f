-- name: begin
-- A run begins because its time has come.
INSERT INTO scheduled_runs (name, state, began_at) VALUES ($1, 'running', clock_timestamp())
RETURNING run_id

-- name: begin_asked
-- What was asked for, the oldest of each chore first; only the elected scheduler looks.
UPDATE scheduled_runs
SET state = 'running', began_at = clock_timestamp()
WHERE state = 'asked'
RETURNING run_id, name

-- name: finish
-- A run ended in order, or failed.
UPDATE scheduled_runs
SET state = $2, detail = $3, ended_at = clock_timestamp()
WHERE run_id = $1 AND state = 'running'

-- name: interrupt
-- Whoever is elected finds what the one before left: its runs ended with it.
UPDATE scheduled_runs
SET state = 'interrupted', ended_at = clock_timestamp(),
    detail = 'the scheduler that ran it ended, or lost PostgreSQL'
WHERE state = 'running'

-- name: ask
-- Begun by the elected scheduler within seconds; two who ask at once are given one run.
WITH waiting AS (
    SELECT run_id FROM scheduled_runs WHERE name = $1 AND state = 'asked' ORDER BY run_id LIMIT 1
), made AS (
    INSERT INTO scheduled_runs (name, state)
    SELECT $1, 'asked' WHERE NOT EXISTS (SELECT FROM waiting)
    RETURNING run_id
)
SELECT run_id FROM waiting UNION ALL SELECT run_id FROM made

-- name: run
-- How a run stands.
SELECT run_id, name, state, asked_at, began_at, ended_at, detail FROM scheduled_runs WHERE run_id = $1

-- name: last
-- The newest run of each chore that has begun; how many were interrupted since one ended by itself, and since when.
SELECT run.run_id, run.name, run.state, run.asked_at, run.began_at, run.ended_at, run.detail,
       lost.count::int AS interrupted, lost.since AS interrupted_since
FROM (SELECT DISTINCT name FROM scheduled_runs) AS chore
CROSS JOIN LATERAL (
    SELECT * FROM scheduled_runs AS r
    WHERE r.name = chore.name AND r.began_at IS NOT NULL
    ORDER BY r.run_id DESC LIMIT 1
) AS run
LEFT JOIN LATERAL (
    SELECT s.run_id FROM scheduled_runs AS s
    WHERE s.name = chore.name AND s.state IN ('done', 'failed')
    ORDER BY s.run_id DESC LIMIT 1
) AS settled ON true
CROSS JOIN LATERAL (
    SELECT count(*), min(i.began_at) AS since FROM scheduled_runs AS i
    WHERE i.name = chore.name AND i.state = 'interrupted' AND i.run_id > coalesce(settled.run_id, 0)
) AS lost
ORDER BY run.name

-- name: runs
-- The newest runs of all chores, or of one.
SELECT run_id, name, state, asked_at, began_at, ended_at, detail
FROM scheduled_runs
WHERE $1::text IS NULL OR name = $1
ORDER BY run_id DESC
LIMIT $2

-- name: paused
-- What is not run by itself.
SELECT name FROM paused_chores ORDER BY name

-- name: pause
-- Paused once, however often it is asked.
INSERT INTO paused_chores (name) VALUES ($1) ON CONFLICT DO NOTHING RETURNING name

-- name: resume
-- Run by itself again.
DELETE FROM paused_chores WHERE name = $1 RETURNING name

-- name: forget
-- The scheduler's: runs of long ago, but for the newest ten of each chore.
DELETE FROM scheduled_runs AS old
WHERE old.asked_at < clock_timestamp() - interval '30 days'
  AND (SELECT count(*) FROM scheduled_runs AS newer
       WHERE newer.name = old.name AND newer.run_id > old.run_id) >= 10

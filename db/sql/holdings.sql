-- name: try_lock
-- A session's lock on an idle connection: it ends with the connection, so nothing is held by the dead.
SELECT pg_try_advisory_lock($1::int, $2::int)

-- name: unlock
-- Given back before the end.
SELECT pg_advisory_unlock($1::int, $2::int)

-- name: identify
-- Said later of this session, should it be lost.
SELECT pid, backend_start AS began_at FROM pg_stat_activity WHERE pid = pg_backend_pid()

-- name: end_session
-- A network that is lost tells a server nothing: the session would keep its locks until its keepalive ends.
SELECT pg_terminate_backend(pid, $3)
FROM pg_stat_activity
WHERE pid = $1 AND backend_start = $2 AND usename = current_user AND pid <> pg_backend_pid()

-- name: join
-- Shared: every ingester has it, and each can count the others.
SELECT pg_advisory_lock_shared($1::int, 0)

-- name: leave
-- Said before the end, so that others take the feeds over while they are still listened to.
SELECT pg_advisory_unlock_shared($1::int, 0)

-- name: held
-- Who has which of these locks, by the process of PostgreSQL that serves them.
SELECT classid::bigint::int AS class, objid::bigint::int AS key, pid
FROM pg_locks
WHERE locktype = 'advisory' AND objsubid = 2 AND granted AND classid = ANY ($1::int[]::oid[])
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())

-- name: wanted
-- What is to be listened to.
SELECT feed_id, exchange, symbol, protocol, stream_url, rest_url
FROM feeds
WHERE state = 'active'
ORDER BY feed_id

-- name: notify
-- Heard by all ingesters, which look every second even if they do not hear.
SELECT pg_notify($1, '')

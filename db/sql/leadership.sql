-- name: try_lead
-- A session lock on an idle connection: the leader's death releases it, and no transaction stays open.
SELECT pg_try_advisory_lock($1)

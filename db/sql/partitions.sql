-- name: ensure_day
-- A function, so that the ingest role may call it without owning the tables.
SELECT heliograph_ensure_day($1::text, $2::date)

-- name: existing_days
-- What the scheduler and `db status` report: days for which a table has a partition.
SELECT substring(child.relname FROM '\d{8}$')::date AS day
FROM pg_inherits
JOIN pg_class AS parent ON parent.oid = pg_inherits.inhparent
JOIN pg_class AS child ON child.oid = pg_inherits.inhrelid
WHERE parent.relname = $1
ORDER BY day

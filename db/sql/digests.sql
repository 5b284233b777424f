-- name: digesting
-- For each table, its partitions together, the statement that counts its rows and adds up their hashes, in any order.
SELECT c.relname AS "table",
       format('SELECT count(*) AS rows, coalesce(sum(hashtextextended(row::text, 0)), 0)::text AS digest FROM %s AS row',
              c.oid::regclass) AS statement
FROM pg_class AS c
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = current_schema()::regnamespace
ORDER BY c.relname

-- name: revision
-- Of the schema that the rows are in.
SELECT version_num FROM alembic_version

-- name: tables
-- Whether anything is there already.
SELECT count(*)::int FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = current_schema()::regnamespace

-- name: snapshot
-- Seen by others too, for as long as this transaction is open.
SELECT pg_export_snapshot()

-- name: rename_log
-- The log goes on from an older moment: subscribers who saw later offsets are to hear of it.
UPDATE installation SET epoch = to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint)

-- name: begin_restore
-- Kept with the database, whatever becomes of who restores into it.
DO $$ BEGIN
    EXECUTE format('COMMENT ON DATABASE %I IS %L', current_database(), 'heliograph restore has not ended');
END $$

-- name: end_restore
-- All is there, and equal.
DO $$ BEGIN
    EXECUTE format('COMMENT ON DATABASE %I IS NULL', current_database());
END $$

-- name: is_part
-- Whether a restore into it has begun and not ended.
SELECT coalesce(shobj_description(oid, 'pg_database') = 'heliograph restore has not ended', false)
FROM pg_database WHERE datname = current_database()

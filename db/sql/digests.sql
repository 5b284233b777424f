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

-- name: partitioned
-- Nobody analyzes these by himself: autovacuum looks at partitions only.
SELECT format('ANALYZE ONLY %s', oid::regclass) AS statement
FROM pg_class
WHERE relkind = 'p' AND relnamespace = current_schema()::regnamespace
ORDER BY relname

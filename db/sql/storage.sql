-- name: relations
-- Every table of ours, or day of one, with what its rows, its indexes, and what is kept beside its rows take. Rows are
-- what the planner believes: counting a closed day would read it whole.
SELECT coalesce(parent.relname, relation.relname) AS table, relation.relname AS name,
       CASE WHEN parent.relname IS NOT NULL THEN substring(relation.relname FROM '\d{8}$')::date END AS day,
       greatest(relation.reltuples, 0)::bigint AS rows,
       pg_relation_size(relation.oid) AS heap_bytes, pg_indexes_size(relation.oid) AS index_bytes,
       pg_total_relation_size(relation.oid) - pg_relation_size(relation.oid) - pg_indexes_size(relation.oid)
           AS other_bytes
FROM pg_class AS relation
LEFT JOIN pg_inherits ON pg_inherits.inhrelid = relation.oid
LEFT JOIN pg_class AS parent ON parent.oid = pg_inherits.inhparent
WHERE relation.relkind = 'r' AND relation.relnamespace = 'public'::regnamespace
ORDER BY 1, 3, 2

-- name: samples
-- Of every table, and day of one: each has an estimate of its own. Or of those that hold something and have none yet.
SELECT format('ANALYZE %I', relname) AS statement
FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
  AND ($1::boolean OR reltuples < 0 AND pg_relation_size(oid) > 0)
ORDER BY relname

-- name: indexes
-- The same of each index; those of days are told apart by the index that they are a part of.
SELECT coalesce(parent.relname, relation.relname) AS table, coalesce(whole.relname, part.relname) AS index,
       sum(pg_relation_size(part.oid))::bigint AS bytes
FROM pg_index
JOIN pg_class AS part ON part.oid = pg_index.indexrelid
JOIN pg_class AS relation ON relation.oid = pg_index.indrelid
LEFT JOIN pg_inherits AS of_table ON of_table.inhrelid = relation.oid
LEFT JOIN pg_class AS parent ON parent.oid = of_table.inhparent
LEFT JOIN pg_inherits AS of_index ON of_index.inhrelid = part.oid
LEFT JOIN pg_class AS whole ON whole.oid = of_index.inhparent
WHERE relation.relkind = 'r' AND relation.relnamespace = 'public'::regnamespace
GROUP BY 1, 2
ORDER BY 1, 2

-- name: database_bytes
-- All that it takes, without the log.
SELECT pg_database_size(current_database())

-- name: folder
-- Of a server on this machine, to who may know; another's disk cannot be seen.
SELECT CASE WHEN (inet_server_addr() IS NULL OR inet_server_addr() = inet_client_addr())
                 AND pg_has_role('pg_read_all_settings', 'USAGE')
       THEN current_setting('data_directory') END

-- name: loose
-- Keys of days before a day that take more than their entries need, by how many there were when last counted: as trades
-- of several instruments come beside each other, pages are split in halves that are never filled. An entry is 32 bytes
-- and 4 to find it; what takes less than a megabyte is let be.
SELECT part.relname AS index, pg_relation_size(part.oid) AS bytes,
       format('ALTER INDEX %I SET (fillfactor = 100)', part.relname) AS fill,
       format('REINDEX INDEX CONCURRENTLY %I', part.relname) AS reindex
FROM pg_index
JOIN pg_class AS part ON part.oid = pg_index.indexrelid
JOIN pg_class AS relation ON relation.oid = pg_index.indrelid
JOIN pg_inherits ON pg_inherits.inhrelid = relation.oid
JOIN pg_class AS parent ON parent.oid = pg_inherits.inhparent
WHERE pg_index.indisprimary AND relation.relnamespace = 'public'::regnamespace
  AND parent.relname = ANY($1::text[]) AND substring(relation.relname FROM '\d{8}$')::date < $2::date
  AND pg_relation_size(part.oid) > $3::bigint
  AND pg_relation_size(part.oid) > 38.5 * greatest(part.reltuples, 0)
ORDER BY relation.relname

-- name: left_behind
-- What was left by a REINDEX that did not come to its end; live waits for none of it.
SELECT format('DROP INDEX CONCURRENTLY IF EXISTS %I', part.relname) AS statement
FROM pg_index
JOIN pg_class AS part ON part.oid = pg_index.indexrelid
WHERE NOT pg_index.indisvalid AND part.relkind = 'i' AND part.relnamespace = 'public'::regnamespace
  AND part.relname ~ '_cc(new|old)\d*$'

-- name: try_alone
-- One at a time.
SELECT pg_try_advisory_lock($1::bigint)

-- name: leave
-- Others may.
SELECT pg_advisory_unlock($1::bigint)

-- name: bytes_of
-- After it is written anew.
SELECT pg_relation_size(oid) FROM pg_class WHERE relname = $1 AND relnamespace = 'public'::regnamespace

-- name: dead_letters
-- Of the last day, the newest ten thousand: counted at a cost that does not grow.
SELECT source, count(*)::int AS letters
FROM (SELECT source, created_at FROM dead_letters ORDER BY dead_letter_id DESC LIMIT 10000) AS newest
WHERE created_at > clock_timestamp() - interval '1 day'
GROUP BY source

-- name: server
-- What holds vacuum back, and what there is of room: connections to all databases share it. Of other users' only those
-- who may read all statistics see more than that they are there.
SELECT coalesce(max(extract(epoch FROM clock_timestamp() - xact_start))
                FILTER (WHERE backend_xmin IS NOT NULL AND datname = current_database()), 0)::float8
           AS oldest_snapshot_seconds,
       count(*)::int AS connections,
       current_setting('max_connections')::int AS connections_limit,
       pg_database_size(current_database()) AS bytes
FROM pg_stat_activity
WHERE usesysid IS NOT NULL AND coalesce(backend_type, 'client backend') = 'client backend'

-- name: dead_rows
-- By table, its partitions together.
SELECT regexp_replace(relname, '_\d{8}$', '') AS "table", sum(n_dead_tup)::bigint AS rows
FROM pg_stat_user_tables
GROUP BY 1

-- name: breakers
-- How the processes that ask venues stand with each host.
SELECT processes.host || ':' || pid AS process, told.key AS host, told.value <> 'closed' AS is_open
FROM processes
CROSS JOIN LATERAL jsonb_each_text(counters #> '{outbound,hosts}') AS told
WHERE role IN ('ingest', 'ingest-history') AND stopped_at IS NULL
  AND seen_at > clock_timestamp() - interval '15 seconds'

-- name: listened
-- The instruments of active feeds, and the last hour, or as much of it as they were wanted; the newest seconds are not proven yet.
SELECT instrument_id, feeds.exchange, feeds.symbol, greatest(added_at, clock_timestamp() - interval '1 hour') AS from_ts,
       clock_timestamp() - interval '5 seconds' AS to_ts
FROM feeds
JOIN exchanges ON exchanges.name = feeds.exchange
JOIN instruments USING (exchange_id)
WHERE feeds.state = 'active' AND instruments.symbol = feeds.symbol

-- name: sockets
-- Connections to venues as their processes last told, ages by this server's clock; those of a process that
-- ended, in order or not, are gone. Before its first frame one is silent since it was wanted.
SELECT exchange, url, state, symbols, detail,
       extract(epoch FROM clock_timestamp() - last_frame_at)::float8 AS frame_age_seconds,
       extract(epoch FROM clock_timestamp() - coalesce(last_frame_at, greatest(
           (SELECT started_at FROM processes WHERE processes.process_id = sockets.process_id),
           (SELECT min(changed_at) FROM feeds
            WHERE feeds.exchange = sockets.exchange AND feeds.symbol = ANY (sockets.symbols)))))::float8 AS silent_seconds,
       extract(epoch FROM clock_timestamp() - updated_at)::float8 AS row_age_seconds
FROM sockets
WHERE updated_at > clock_timestamp() - interval '15 seconds'
ORDER BY exchange, url, number, process_id

-- name: unheard
-- Feeds that are wanted and that nobody has listened to for some seconds.
SELECT exchange || ':' || symbol AS feed
FROM feeds
WHERE state = 'active' AND changed_at < clock_timestamp() - interval '15 seconds'
  AND NOT EXISTS (SELECT FROM sockets
                  WHERE sockets.exchange = feeds.exchange AND feeds.symbol = ANY (sockets.symbols)
                    AND updated_at > clock_timestamp() - interval '15 seconds')
ORDER BY exchange, symbol

-- name: processes
-- Processes that run, or died without a word within a day and nobody took their place; who stopped in
-- order is no news.
SELECT process_id, role, host, pid, started_at,
       extract(epoch FROM clock_timestamp() - seen_at)::float8 AS beat_age_seconds
FROM processes AS process
WHERE stopped_at IS NULL AND seen_at > clock_timestamp() - interval '1 day'
  AND NOT EXISTS (SELECT FROM processes AS successor
                  WHERE successor.role = process.role AND successor.started_at > process.seen_at)
ORDER BY role, process_id

-- name: queue
-- How much waits for the workers, and how long the oldest of it does.
SELECT count(*) AS batches, coalesce(sum(ticks), 0)::bigint AS ticks,
       coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8 AS oldest_seconds
FROM batches

-- name: gaps
-- What feeds missed and what of it will stay missing; what closed is no news.
SELECT count(*) FILTER (WHERE state = 'open') AS open,
       count(*) FILTER (WHERE state = 'healing') AS healing,
       count(*) FILTER (WHERE state = 'unrecoverable') AS unrecoverable
FROM gaps
WHERE state <> 'closed'

-- name: repairs
-- What waits to be computed again, and to be told, how long the oldest of it does, and which kinds are stopped.
SELECT (SELECT count(*) FROM dirty) AS dirty,
       (SELECT count(*) FROM staged) AS staged,
       coalesce(extract(epoch FROM clock_timestamp() - least(
           (SELECT min(created_at) FROM dirty), (SELECT min(created_at) FROM staged))), 0)::float8 AS oldest_seconds,
       (SELECT count(*) FROM quarantines) AS quarantines

-- name: ingesters
-- How full the buffers of the ingesters that run are, and how the books stand that they keep.
SELECT process_id, host, pid, counters -> 'pressure' AS pressure, counters -> 'books' AS books
FROM processes
WHERE role = 'ingest' AND stopped_at IS NULL AND seen_at > clock_timestamp() - interval '15 seconds'
ORDER BY process_id

-- name: newest_beat
-- The same row on a replica tells how far that is behind: processes of the API beat about once a second.
SELECT max(seen_at) FROM processes

-- name: budgets
-- How the venues' budgets stand with the processes that ask venues; of a budget that several share each has a part.
SELECT host, pid, counters -> 'outbound' -> 'budgets' AS budgets
FROM processes
WHERE role IN ('ingest', 'ingest-history') AND stopped_at IS NULL
  AND seen_at > clock_timestamp() - interval '15 seconds'
ORDER BY process_id

-- name: listing
-- Changes whenever an instrument is listed; told cheaply, many times a second.
SELECT count(*)::int, coalesce(max(instrument_id), 0) FROM instruments

-- name: tallies
-- What became of ticks, over all ingesters that are remembered; rejections are counted by reason.
SELECT feed.key AS exchange, kind.key AS kind,
       sum((kind.value ->> 'stored')::bigint)::bigint AS stored,
       sum((kind.value ->> 'duplicates')::bigint)::bigint AS duplicates,
       coalesce(sum((kind.value ->> 'conflated')::bigint), 0)::bigint AS conflated,
       coalesce(sum((SELECT sum(reason.value::bigint) FROM jsonb_each_text(kind.value -> 'rejected') AS reason)), 0)::bigint
           AS rejected
FROM processes
CROSS JOIN LATERAL jsonb_each(counters -> 'feeds') AS feed
CROSS JOIN LATERAL jsonb_each(feed.value) AS kind
WHERE role = 'ingest'
GROUP BY feed.key, kind.key

-- name: published
-- What live workers handed to the bus, and how long that took from their commits, in sum.
SELECT coalesce(sum((counters ->> 'published')::bigint), 0)::bigint AS publications,
       coalesce(sum((counters ->> 'publishing_seconds')::float8), 0) AS seconds
FROM processes
WHERE role = 'worker-live'

-- name: signals
-- Signals by kind, over all live workers that are remembered.
SELECT kind.key AS kind, sum(kind.value::bigint)::bigint AS signals
FROM processes
CROSS JOIN LATERAL jsonb_each_text(counters -> 'signals') AS kind
WHERE role = 'worker-live'
GROUP BY kind.key

-- name: counted
-- What each process that runs has counted since it began.
SELECT process_id, role, host, pid, extract(epoch FROM clock_timestamp() - seen_at)::float8 AS age_seconds,
       counters::text AS counters
FROM processes
WHERE stopped_at IS NULL AND seen_at > clock_timestamp() - interval '15 seconds'
ORDER BY role, process_id

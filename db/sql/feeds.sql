-- name: offer
-- The environment's and the commands' way in. What is the same is not written; a closed feed is tried again.
INSERT INTO feeds AS feed (exchange, symbol, protocol, stream_url, rest_url, state)
VALUES ($1, $2, $3, $4, $5, 'active')
ON CONFLICT (exchange, symbol) DO UPDATE
SET protocol = excluded.protocol, stream_url = excluded.stream_url, rest_url = excluded.rest_url,
    state = CASE feed.state WHEN 'closed' THEN 'active' ELSE feed.state END, reason = '',
    changed_at = clock_timestamp()
WHERE feed.state = 'closed'
   OR (feed.protocol, feed.stream_url, feed.rest_url)
      IS DISTINCT FROM (excluded.protocol, excluded.stream_url, excluded.rest_url)

-- name: all_feeds
-- Every feed, with the process that listens to it and how its connection does.
SELECT feed_id, feeds.exchange, symbol, protocol, stream_url, rest_url, feeds.state, reason, added_at,
       changed_at, process_id AS process, socket.state AS socket, last_frame_at
FROM feeds
LEFT JOIN LATERAL (
    SELECT process_id, state, last_frame_at
    FROM sockets
    WHERE sockets.exchange = feeds.exchange AND feeds.symbol = ANY (sockets.symbols)
      AND updated_at > clock_timestamp() - interval '15 seconds'
    ORDER BY last_frame_at DESC NULLS LAST
    LIMIT 1
) AS socket ON true
ORDER BY exchange, symbol

-- name: take_turns
-- Who changes feeds knows what they are until his transaction ends: nobody else changes them meanwhile.
SELECT pg_advisory_xact_lock(hashtextextended('heliograph.feeds', 0))

-- name: remove
-- Gone, so that a later start whose environment names it can add it again.
DELETE FROM feeds
WHERE (exchange, symbol) IN (SELECT * FROM unnest($1::text[], $2::text[]))

-- name: become
-- Pause or resume.
UPDATE feeds
SET state = $3, reason = '', changed_at = clock_timestamp()
WHERE (exchange, symbol) IN (SELECT * FROM unnest($1::text[], $2::text[])) AND state <> $3

-- name: close
-- The venue does not have it. One that was paused or removed meanwhile stays as it is.
UPDATE feeds SET state = 'closed', reason = $2, changed_at = clock_timestamp()
WHERE feed_id = $1 AND state = 'active'

-- name: clear
-- A simulated venue is at another address in each run.
DELETE FROM feeds

-- name: notify
-- Heard by ingesters, which look every second even if they do not hear.
SELECT pg_notify($1, '')

-- name: saturated
-- Whether every ingester that runs has a full buffer; null when none runs.
SELECT bool_and(coalesce((counters #>> '{writer,saturated}')::boolean, false))
FROM processes
WHERE role = 'ingest' AND stopped_at IS NULL AND seen_at > clock_timestamp() - interval '10 seconds'

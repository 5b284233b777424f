-- name: upsert
-- One row a connection, about once a second.
INSERT INTO feeds (exchange, url, state, symbols, last_frame_at, detail, updated_at)
SELECT exchange, url, state, string_to_array(symbols, ' '), last_frame_at, detail, clock_timestamp()
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[])
    AS feed (exchange, url, state, symbols, last_frame_at, detail)
ON CONFLICT (exchange, url) DO UPDATE
SET state = excluded.state, symbols = excluded.symbols, last_frame_at = excluded.last_frame_at,
    detail = excluded.detail, updated_at = excluded.updated_at

-- name: all_feeds
-- Health: how each connection does.
SELECT exchange, url, state, symbols, last_frame_at, detail, updated_at
FROM feeds
ORDER BY exchange, url

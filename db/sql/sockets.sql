-- name: tell
-- One row a connection, about once a second; PostgreSQL's clock gives updated_at.
WITH told AS (
    SELECT exchange, url, number, state, string_to_array(symbols, ' ') AS symbols, last_frame_at, detail
    FROM unnest($2::text[], $3::text[], $4::int[], $5::text[], $6::text[], $7::timestamptz[], $8::text[])
        AS socket (exchange, url, number, state, symbols, last_frame_at, detail)
), forgotten AS (
    DELETE FROM sockets
    WHERE process_id = $1 AND (exchange, url, number) NOT IN (SELECT exchange, url, number FROM told)
)
INSERT INTO sockets (process_id, exchange, url, number, state, symbols, last_frame_at, detail, updated_at)
SELECT $1, exchange, url, number, state, symbols, last_frame_at, detail, clock_timestamp()
FROM told
ON CONFLICT (process_id, exchange, url, number) DO UPDATE
SET state = excluded.state, symbols = excluded.symbols, last_frame_at = excluded.last_frame_at,
    detail = excluded.detail, updated_at = excluded.updated_at

-- name: all_sockets
-- How each connection did when it was last told.
SELECT exchange, url, number, state, symbols, last_frame_at, detail, updated_at
FROM sockets
ORDER BY exchange, url, number, process_id

-- name: forget
-- The scheduler's: what processes told that ended without a word.
DELETE FROM sockets WHERE updated_at < clock_timestamp() - interval '1 day'

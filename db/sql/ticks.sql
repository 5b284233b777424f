-- name: stage_trades
-- One a session and not one a commit: making a table writes the catalog.
CREATE TEMP TABLE IF NOT EXISTS staged_trades (LIKE trades) ON COMMIT DELETE ROWS

-- name: stage_quotes
-- As trades.
CREATE TEMP TABLE IF NOT EXISTS staged_quotes (LIKE quotes) ON COMMIT DELETE ROWS

-- name: stage_depths
-- As trades.
CREATE TEMP TABLE IF NOT EXISTS staged_depths (LIKE depths) ON COMMIT DELETE ROWS

-- name: insert_trades
-- Row by row in the order of the key, by day first as COPY goes through partitions: unsorted, two
-- writers with the same rows deadlock. One that is there already never touches its neighbours.
INSERT INTO trades
SELECT * FROM staged_trades
ORDER BY date_bin('1 day', ts, '2000-01-01Z'), exchange_id, instrument_id, ts, trade_id
ON CONFLICT DO NOTHING
RETURNING instrument_id, ts, trade_id

-- name: insert_quotes
-- As trades.
INSERT INTO quotes
SELECT * FROM staged_quotes
ORDER BY date_bin('1 day', ts, '2000-01-01Z'), exchange_id, instrument_id, ts, update_id
ON CONFLICT DO NOTHING
RETURNING instrument_id, ts, update_id

-- name: insert_depths
-- As trades.
INSERT INTO depths
SELECT * FROM staged_depths
ORDER BY date_bin('1 day', ts, '2000-01-01Z'), exchange_id, instrument_id, ts, update_id
ON CONFLICT DO NOTHING
RETURNING instrument_id, ts, update_id

-- name: insert_watermarks
-- A few a second: not worth a COPY.
INSERT INTO watermarks (exchange_id, instrument_id, ts, received_at)
SELECT *
FROM unnest($1::smallint[], $2::int[], $3::timestamptz[], $4::timestamptz[])
    AS passed (exchange_id, instrument_id, ts, received_at)
ORDER BY exchange_id, instrument_id, ts
ON CONFLICT DO NOTHING
RETURNING instrument_id, ts, 0::bigint

-- name: insert_batches
-- What workers claim.
INSERT INTO batches (shard, writer, seq, ticks, listing)
SELECT shard, $1::int, $2::bigint, ticks, listing
FROM unnest($3::smallint[], $4::int[], $5::bytea[]) AS listed (shard, ticks, listing)

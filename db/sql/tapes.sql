-- name: trades
-- Both bounds are places on the tape. `ts >=` beside the row comparison finds the days of each part; the bounds of all
-- parts together, known when the statement begins, leave all other days out of the plan: else it grows with each day.
SELECT tape.instrument_id, tape.ts, tape.trade_id, tape.price, tape.size, tape.side, tape.received_at
FROM unnest($1::smallint[], $2::int[], $3::timestamptz[], $4::bigint[], $5::timestamptz[], $6::bigint[])
    AS part (exchange_id, instrument_id, from_ts, from_id, to_ts, to_id)
CROSS JOIN LATERAL (
    SELECT * FROM trades AS t
    WHERE t.exchange_id = part.exchange_id AND t.instrument_id = part.instrument_id
      AND t.ts >= $7 AND t.ts <= $8
      AND t.ts >= part.from_ts AND t.ts <= part.to_ts
      AND (t.ts, t.trade_id) > (part.from_ts, part.from_id) AND (t.ts, t.trade_id) <= (part.to_ts, part.to_id)
    ORDER BY t.ts, t.trade_id
) AS tape

-- name: quotes
-- As trades.
SELECT tape.instrument_id, tape.ts, tape.update_id,
       tape.bid_price, tape.bid_size, tape.ask_price, tape.ask_size, tape.received_at
FROM unnest($1::smallint[], $2::int[], $3::timestamptz[], $4::bigint[], $5::timestamptz[], $6::bigint[])
    AS part (exchange_id, instrument_id, from_ts, from_id, to_ts, to_id)
CROSS JOIN LATERAL (
    SELECT * FROM quotes AS t
    WHERE t.exchange_id = part.exchange_id AND t.instrument_id = part.instrument_id
      AND t.ts >= $7 AND t.ts <= $8
      AND t.ts >= part.from_ts AND t.ts <= part.to_ts
      AND (t.ts, t.update_id) > (part.from_ts, part.from_id) AND (t.ts, t.update_id) <= (part.to_ts, part.to_id)
    ORDER BY t.ts, t.update_id
) AS tape

-- name: depths
-- As trades.
SELECT tape.instrument_id, tape.ts, tape.update_id,
       tape.bid_prices, tape.bid_sizes, tape.ask_prices, tape.ask_sizes, tape.received_at
FROM unnest($1::smallint[], $2::int[], $3::timestamptz[], $4::bigint[], $5::timestamptz[], $6::bigint[])
    AS part (exchange_id, instrument_id, from_ts, from_id, to_ts, to_id)
CROSS JOIN LATERAL (
    SELECT * FROM depths AS t
    WHERE t.exchange_id = part.exchange_id AND t.instrument_id = part.instrument_id
      AND t.ts >= $7 AND t.ts <= $8
      AND t.ts >= part.from_ts AND t.ts <= part.to_ts
      AND (t.ts, t.update_id) > (part.from_ts, part.from_id) AND (t.ts, t.update_id) <= (part.to_ts, part.to_id)
    ORDER BY t.ts, t.update_id
) AS tape

-- name: watermarks
-- As trades; a watermark has no id.
SELECT tape.instrument_id, tape.ts, tape.received_at
FROM unnest($1::smallint[], $2::int[], $3::timestamptz[], $4::bigint[], $5::timestamptz[], $6::bigint[])
    AS part (exchange_id, instrument_id, from_ts, from_id, to_ts, to_id)
CROSS JOIN LATERAL (
    SELECT * FROM watermarks AS t
    WHERE t.exchange_id = part.exchange_id AND t.instrument_id = part.instrument_id
      AND t.ts >= $7 AND t.ts <= $8
      AND t.ts >= part.from_ts AND t.ts <= part.to_ts
      AND (t.ts, 0::bigint) > (part.from_ts, part.from_id) AND (t.ts, 0::bigint) <= (part.to_ts, part.to_id)
    ORDER BY t.ts
) AS tape

-- name: second_before
-- The start of the so many-th newest second before a time that has a trade, or of the oldest there is. Each
-- step is one look into the index: of a lively tape only a few of its trades are touched.
WITH RECURSIVE seconds (second, number) AS (
    (
        SELECT date_bin('1 second', ts, '2000-01-01Z'), 1
        FROM trades
        WHERE exchange_id = $1 AND instrument_id = $2 AND ts < $3
        ORDER BY ts DESC
        LIMIT 1
    )
    UNION ALL
    SELECT date_bin('1 second', earlier.ts, '2000-01-01Z'), seconds.number + 1
    FROM seconds
    CROSS JOIN LATERAL (
        SELECT ts
        FROM trades
        WHERE exchange_id = $1 AND instrument_id = $2 AND trades.ts < seconds.second
        ORDER BY ts DESC
        LIMIT 1
    ) AS earlier
    WHERE seconds.number < $4
)
SELECT min(second) FROM seconds

-- name: depth_before
-- The time of the so many-th newest depth before a time, or of the oldest there is.
SELECT min(ts)
FROM (
    SELECT ts
    FROM depths
    WHERE exchange_id = $1 AND instrument_id = $2 AND ts < $3
    ORDER BY ts DESC
    LIMIT $4
) AS newest

-- name: newest_before
-- The last of each kind before a time, each one look into an index.
SELECT (SELECT max(ts) FROM trades WHERE exchange_id = $1 AND instrument_id = $2 AND ts < $3),
       (SELECT max(ts) FROM watermarks WHERE exchange_id = $1 AND instrument_id = $2 AND ts < $3),
       (SELECT max(ts) FROM depths WHERE exchange_id = $1 AND instrument_id = $2 AND ts < $3)

-- name: count_after
-- How many ticks lie between two times, counted up to a number of each kind.
SELECT (SELECT count(*) FROM (
           SELECT FROM trades
           WHERE exchange_id = $1 AND instrument_id = $2 AND ts >= $3 AND ts <= $4 LIMIT $5) AS counted)
     + (SELECT count(*) FROM (
           SELECT FROM quotes
           WHERE exchange_id = $1 AND instrument_id = $2 AND ts >= $3 AND ts <= $4 LIMIT $5) AS counted)
     + (SELECT count(*) FROM (
           SELECT FROM depths
           WHERE exchange_id = $1 AND instrument_id = $2 AND ts >= $3 AND ts <= $4 LIMIT $5) AS counted)

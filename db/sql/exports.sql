-- name: trades
-- In the order of the key.
SELECT ts, trade_id, price, size, side, received_at
FROM trades
WHERE exchange_id = $1 AND instrument_id = $2 AND ts >= $3 AND ts < $4
ORDER BY ts, trade_id

-- name: quotes
-- As trades.
SELECT ts, update_id, bid_price, bid_size, ask_price, ask_size, received_at
FROM quotes
WHERE exchange_id = $1 AND instrument_id = $2 AND ts >= $3 AND ts < $4
ORDER BY ts, update_id

-- name: depths
-- As trades.
SELECT ts, update_id, bid_prices, bid_sizes, ask_prices, ask_sizes, received_at
FROM depths
WHERE exchange_id = $1 AND instrument_id = $2 AND ts >= $3 AND ts < $4
ORDER BY ts, update_id

-- name: bars
-- Of all lengths: those of an hour have a table of their own.
SELECT interval_seconds, start, open, high, low, close, volume, quote_volume, buy_volume, sell_volume, trades, source
FROM (SELECT * FROM bars
      UNION ALL
      SELECT instrument_id, 3600, start, open, high, low, close, volume, quote_volume, buy_volume, sell_volume, trades,
             source
      FROM bars_1h) AS every
WHERE $1::smallint IS NOT NULL AND instrument_id = $2 AND start >= $3 AND start < $4
ORDER BY start, interval_seconds

-- name: signals
-- With all that is known of each.
SELECT ts, kind, version, direction, strength, confidence, price, evidence::text AS evidence, from_ts, to_ts, received_at,
       committed_at, parameters_version, parameters::text AS parameters, code_version, first_ts, first_id, last_ts,
       last_id, warm, decided_ts, stored_at, claimed_at, source
FROM signals
WHERE $1::smallint IS NOT NULL AND instrument_id = $2 AND ts >= $3 AND ts < $4
ORDER BY ts, kind, version

-- name: first_trades
-- Where the next day begins that has any.
SELECT ts FROM trades
WHERE exchange_id = $1 AND instrument_id = $2 AND ts >= $3 AND ts < $4
ORDER BY ts
LIMIT 1

-- name: first_quotes
-- The same of quotes.
SELECT ts FROM quotes
WHERE exchange_id = $1 AND instrument_id = $2 AND ts >= $3 AND ts < $4
ORDER BY ts
LIMIT 1

-- name: first_depths
-- The same of depths.
SELECT ts FROM depths
WHERE exchange_id = $1 AND instrument_id = $2 AND ts >= $3 AND ts < $4
ORDER BY ts
LIMIT 1

-- name: first_bars
-- The same of bars, from the front of the key of each length.
SELECT least(
    (SELECT min(first.start)
     FROM unnest(ARRAY[1, 60, 300]) AS length (seconds)
     CROSS JOIN LATERAL (
        SELECT start FROM bars
        WHERE instrument_id = $2 AND interval_seconds = seconds AND start >= $3 AND start < $4
        ORDER BY start
        LIMIT 1
     ) AS first),
    (SELECT min(start) FROM bars_1h WHERE instrument_id = $2 AND start >= $3 AND start < $4)
)
WHERE $1::smallint IS NOT NULL

-- name: first_signals
-- The same of signals.
SELECT min(ts) FROM signals
WHERE $1::smallint IS NOT NULL AND instrument_id = $2 AND ts >= $3 AND ts < $4

-- name: restore_bars
-- What stands is left alone.
INSERT INTO bars (instrument_id, interval_seconds, start, open, high, low, close, volume, quote_volume, buy_volume,
                  sell_volume, trades, source)
SELECT $1, each.* FROM unnest($2::int[], $3::timestamptz[], $4::float8[], $5::float8[], $6::float8[], $7::float8[],
                              $8::float8[], $9::float8[], $10::float8[], $11::float8[], $12::int[], $13::text[])
    AS each (interval_seconds, start, open, high, low, close, volume, quote_volume, buy_volume, sell_volume, trades, source)
WHERE interval_seconds <> 3600
ON CONFLICT DO NOTHING
RETURNING 1

-- name: restore_hours
-- The same of hours.
INSERT INTO bars_1h (instrument_id, start, open, high, low, close, volume, quote_volume, buy_volume, sell_volume, trades,
                     source)
SELECT $1, start, open, high, low, close, volume, quote_volume, buy_volume, sell_volume, trades, source
FROM unnest($2::int[], $3::timestamptz[], $4::float8[], $5::float8[], $6::float8[], $7::float8[], $8::float8[],
            $9::float8[], $10::float8[], $11::float8[], $12::int[], $13::text[])
    AS each (interval_seconds, start, open, high, low, close, volume, quote_volume, buy_volume, sell_volume, trades, source)
WHERE interval_seconds = 3600
ON CONFLICT DO NOTHING
RETURNING 1

-- name: restore_signals
-- The same of signals.
INSERT INTO signals (instrument_id, ts, kind, version, direction, strength, confidence, price, evidence, from_ts, to_ts,
                     received_at, committed_at, parameters_version, parameters, code_version, first_ts, first_id, last_ts,
                     last_id, warm, decided_ts, stored_at, claimed_at, source)
SELECT $1, ts, kind, version, direction, strength, confidence, price, evidence::jsonb, from_ts, to_ts, received_at,
       committed_at, parameters_version, parameters::jsonb, code_version, first_ts, first_id, last_ts, last_id, warm,
       decided_ts, stored_at, claimed_at, source
FROM unnest($2::timestamptz[], $3::text[], $4::smallint[], $5::text[], $6::float8[], $7::float8[], $8::float8[], $9::text[],
            $10::timestamptz[], $11::timestamptz[], $12::timestamptz[], $13::timestamptz[], $14::int[], $15::text[],
            $16::text[], $17::timestamptz[], $18::bigint[], $19::timestamptz[], $20::bigint[], $21::bool[],
            $22::timestamptz[], $23::timestamptz[], $24::timestamptz[], $25::text[])
    AS each (ts, kind, version, direction, strength, confidence, price, evidence, from_ts, to_ts, received_at, committed_at,
             parameters_version, parameters, code_version, first_ts, first_id, last_ts, last_id, warm, decided_ts,
             stored_at, claimed_at, source)
ON CONFLICT DO NOTHING
RETURNING 1

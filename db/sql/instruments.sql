-- name: list_exchange
-- Ingesters of one exchange may start together; the first wins, the others find it.
INSERT INTO exchanges (name) VALUES ($1) ON CONFLICT (name) DO NOTHING

-- name: list_instrument
-- The shard is given once, from the number of shards that this installation was made with.
INSERT INTO instruments
    (exchange_id, symbol, venue_symbol, market, base, quote, contract_size, size_unit, shard)
SELECT exchange_id, $2, $3, $4, $5, $6, $7, $8, $9
FROM exchanges
WHERE name = $1
ON CONFLICT (exchange_id, symbol) DO NOTHING

-- name: shards
-- How many shards there are, set at the first migration.
SELECT shards FROM installation

-- name: all_listed
-- Every instrument with its exchange: small, read at start and when an unknown id is met.
SELECT instrument_id, exchange_id, shard, name AS exchange, symbol, venue_symbol, market, base, quote,
       contract_size, size_unit
FROM instruments
JOIN exchanges USING (exchange_id)
ORDER BY instrument_id

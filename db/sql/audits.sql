-- name: trades_of
-- A whole tape of one instrument, to be compared with what its venue says.
SELECT trade_id, ts, price, size, side
FROM trades
WHERE exchange_id = $1 AND instrument_id = $2
ORDER BY ts, trade_id

-- name: bars_of
-- All final bars of one instrument.
SELECT interval_seconds, start, open, high, low, close, volume, trades
FROM bars
WHERE instrument_id = $1
UNION ALL
SELECT 3600, start, open, high, low, close, volume, trades
FROM bars_1h
WHERE instrument_id = $1
ORDER BY 1, 2

-- name: dirty_of
-- Intervals of one instrument that wait to be computed again.
SELECT from_ts, to_ts
FROM dirty
WHERE instrument_id = $1

-- name: unsettled
-- What is still under way: gaps that may heal, batches that no worker has folded, intervals to compute again.
SELECT (SELECT count(*) FROM gaps WHERE state IN ('open', 'healing')) AS gaps,
       (SELECT count(*) FROM batches) AS batches,
       (SELECT count(*) FROM dirty) AS dirty

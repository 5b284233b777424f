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

-- name: log_of
-- The whole log of one instrument, as a subscriber from its beginning hears it.
SELECT family, "offset", revises, about, ts, data::text = 'null' AS withdrawn
FROM publications
WHERE instrument_id = $1
ORDER BY family, "offset"

-- name: signals_of
-- What names the signals of one instrument.
SELECT kind, ts FROM signals WHERE instrument_id = $1

-- name: dirty_of
-- Stretches of one instrument that wait to be computed again, or to be told: whole hours, as every bar that
-- overlaps one is judged by its start.
SELECT date_bin('1 hour', from_ts, '2000-01-01Z'), date_bin('1 hour', to_ts, '2000-01-01Z') + interval '1 hour'
FROM (
    SELECT from_ts, to_ts FROM dirty WHERE instrument_id = $1
    UNION ALL
    SELECT from_ts, to_ts FROM staged WHERE instrument_id = $1
) AS waiting

-- name: unsettled
-- What is still under way: gaps that may heal, batches that no worker has folded, intervals to compute again.
SELECT (SELECT count(*) FROM gaps WHERE state IN ('open', 'healing')) AS gaps,
       (SELECT count(*) FROM batches) AS batches,
       (SELECT count(*) FROM dirty) + (SELECT count(*) FROM staged) AS dirty

-- name: published
-- Every offset of the log, to be compared with what subscribers were sent.
SELECT instrument_id, family, array_agg("offset" ORDER BY "offset")
FROM publications
GROUP BY instrument_id, family

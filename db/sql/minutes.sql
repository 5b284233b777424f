-- name: read
-- Each with the last best bid and ask of its minute: of a quote, else of a book's depth. A quote that came late changes
-- nothing but minutes that are read again.
SELECT start, open, high, low, close, volume, quote_volume, buy_volume, sell_volume, trades,
       coalesce(quoted.bid, booked.bid) AS bid, coalesce(quoted.ask, booked.ask) AS ask
FROM bars
JOIN instruments USING (instrument_id)
LEFT JOIN LATERAL (
    SELECT bid_price AS bid, ask_price AS ask
    FROM quotes
    WHERE quotes.exchange_id = instruments.exchange_id AND quotes.instrument_id = bars.instrument_id
      AND quotes.ts >= bars.start AND quotes.ts < bars.start + interval '1 minute'
    ORDER BY quotes.ts DESC, update_id DESC
    LIMIT 1
) AS quoted ON TRUE
LEFT JOIN LATERAL (
    SELECT bid_prices[1] AS bid, ask_prices[1] AS ask
    FROM depths
    WHERE quoted.bid IS NULL
      AND depths.exchange_id = instruments.exchange_id AND depths.instrument_id = bars.instrument_id
      AND depths.ts >= bars.start AND depths.ts < bars.start + interval '1 minute'
    ORDER BY depths.ts DESC, update_id DESC
    LIMIT 1
) AS booked ON TRUE
WHERE bars.instrument_id = $1 AND interval_seconds = 60 AND start >= $2 AND start < $3
ORDER BY start

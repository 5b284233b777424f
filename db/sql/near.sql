-- name: share
-- Writers of the socket do not keep each other out: theirs are the same times.
SELECT pg_advisory_xact_lock_shared($1::int, instrument_id)
FROM (SELECT instrument_id FROM unnest($2::int[]) AS wanted (instrument_id) ORDER BY instrument_id) AS ordered

-- name: keep
-- Until a page is committed.
SELECT pg_advisory_xact_lock($1::int, $2::int)

-- name: known
-- Asked after the lock is there, in a statement of its own: only that one sees what was committed meanwhile. The bounds
-- of all together leave other days out of the plan.
SELECT offered.instrument_id, offered.ts, offered.trade_id
FROM unnest($1::smallint[], $2::int[], $3::timestamptz[], $4::bigint[], $5::int[])
    AS offered (exchange_id, instrument_id, ts, trade_id, tolerance)
WHERE EXISTS (
    SELECT FROM trades
    WHERE trades.exchange_id = offered.exchange_id AND trades.instrument_id = offered.instrument_id
      AND trades.trade_id = offered.trade_id
      AND trades.ts BETWEEN $6 AND $7
      AND trades.ts BETWEEN offered.ts - offered.tolerance * interval '1 microsecond'
                        AND offered.ts + offered.tolerance * interval '1 microsecond'
)

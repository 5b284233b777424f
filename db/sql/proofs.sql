-- name: extend
-- One row a session, instrument, and kind, whose end moves forward; sorted, as two writers may begin in one instant.
-- History has rows of its own: live waits for none of its transactions.
INSERT INTO proofs (instrument_id, kind, from_ts, to_ts, source)
SELECT instrument_id, kind, from_ts, to_ts, $5
FROM unnest($1::int[], $2::text[], $3::timestamptz[], $4::timestamptz[])
    AS proof (instrument_id, kind, from_ts, to_ts)
ORDER BY instrument_id, kind, from_ts
ON CONFLICT (instrument_id, kind, from_ts, source) DO UPDATE SET to_ts = greatest(proofs.to_ts, excluded.to_ts)

-- name: brought
-- Of days that were dropped, what history has brought again.
UPDATE dropped_days
SET lacking = lacking - tstzmultirange(tstzrange(proof.from_ts, proof.to_ts))
FROM unnest($1::int[], $2::text[], $3::timestamptz[], $4::timestamptz[])
    AS proof (instrument_id, kind, from_ts, to_ts)
WHERE dropped_days.instrument_id = proof.instrument_id AND dropped_days.kind = proof.kind
  AND lacking && tstzrange(proof.from_ts, proof.to_ts)

-- name: dropped
-- What was proven, and is stored no more.
SELECT instrument_id, lower(piece) AS from_ts, upper(piece) AS to_ts
FROM dropped_days
CROSS JOIN unnest(lacking) AS piece
WHERE instrument_id = ANY($1::int[]) AND kind = $2 AND piece && tstzrange($3, $4)
ORDER BY 1, 2

-- name: covering
-- What speaks for an interval, and what speaks against it: gaps that are not closed.
SELECT instrument_id, from_ts, to_ts, true AS proven
FROM proofs
WHERE instrument_id = ANY($1::int[]) AND kind = $2 AND from_ts < $4::timestamptz AND to_ts > $3::timestamptz
UNION ALL
SELECT instrument_id, from_ts, to_ts, false
FROM gaps
WHERE instrument_id = ANY($1::int[]) AND kind = $2 AND from_ts < $4::timestamptz AND to_ts > $3::timestamptz
  AND state <> 'closed'

-- name: tape_ends
-- Where an ingester goes on. Ordered as the key is, so that the newest partition is looked into first. A trade that
-- was told with a wrong time, up to a day ahead, is not the last: an older one is always a safe place to go on from.
SELECT part.instrument_id, trade.ts, trade.trade_id, proven.trades, proven.depths
FROM unnest($1::smallint[], $2::int[]) AS part (exchange_id, instrument_id)
LEFT JOIN LATERAL (
    SELECT t.ts, t.trade_id FROM trades AS t
    WHERE t.exchange_id = part.exchange_id AND t.instrument_id = part.instrument_id
      AND t.ts < now() + interval '10 minutes'
    ORDER BY t.ts DESC, t.trade_id DESC
    LIMIT 1
) AS trade ON true
CROSS JOIN LATERAL (
    SELECT (SELECT p.to_ts FROM proofs AS p
            WHERE p.instrument_id = part.instrument_id AND p.kind = 'trades'
            ORDER BY p.from_ts DESC, p.to_ts DESC LIMIT 1) AS trades,
           (SELECT p.to_ts FROM proofs AS p
            WHERE p.instrument_id = part.instrument_id AND p.kind = 'depths'
            ORDER BY p.from_ts DESC, p.to_ts DESC LIMIT 1) AS depths
) AS proven

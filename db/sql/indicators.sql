-- name: clear
-- What a fold found otherwise, or a repair computed again.
DELETE FROM indicators
USING unnest($1::int[], $2::text[], $3::timestamptz[], $4::timestamptz[])
    AS gone (instrument_id, source, from_ts, to_ts)
WHERE indicators.instrument_id = gone.instrument_id AND indicators.source = gone.source
  AND indicators.ts >= gone.from_ts
  AND coalesce(indicators.ts < gone.to_ts, TRUE)

-- name: add
-- Under the content key: computing again gives the same row.
INSERT INTO indicators (instrument_id, kind, version, ts, measured, confidence, from_ts, to_ts, source)
SELECT instrument_id, kind, version, ts, measured::jsonb, confidence, from_ts, to_ts, source
FROM unnest($1::int[], $2::text[], $3::smallint[], $4::timestamptz[], $5::text[], $6::float8[],
            $7::timestamptz[], $8::timestamptz[], $9::text[])
    AS new (instrument_id, kind, version, ts, measured, confidence, from_ts, to_ts, source)
ON CONFLICT (instrument_id, ts, kind, version) DO UPDATE
SET measured = excluded.measured, confidence = excluded.confidence,
    from_ts = excluded.from_ts, to_ts = excluded.to_ts, source = excluded.source

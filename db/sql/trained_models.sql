-- name: add
-- The next version of its instrument: what the signals of this model will carry.
INSERT INTO trained_models (instrument_id, version, type, state, trained_from, trained_to, minutes, features,
                            metrics, libraries, code_version, sha256, blob, job_id)
SELECT $1, coalesce(max(version), 0) + 1, $2, 'candidate', $3, $4, $5, $6,
       $7::text::jsonb, $8::text::jsonb, $9, $10, $11, $12
FROM trained_models
WHERE instrument_id = $1
RETURNING model_id

-- name: all_models
-- Without the blobs, which only who scores needs.
SELECT model_id, instrument_id, exchanges.name AS exchange, instruments.symbol, version, type, state,
       trained_from, trained_to, minutes, features, metrics::text, libraries::text, code_version, sha256,
       length(blob) AS bytes, verdict, from_ts, to_ts, job_id, created_at
FROM trained_models
JOIN instruments USING (instrument_id)
JOIN exchanges USING (exchange_id)
WHERE $1::int IS NULL OR model_id = $1
ORDER BY exchanges.name, instruments.symbol, version

-- name: blob
-- With the hash that was stored beside it.
SELECT blob, sha256 FROM trained_models WHERE model_id = $1

-- name: in_use
-- At most one: an index sees to it.
SELECT model_id FROM trained_models WHERE instrument_id = $1 AND state = 'in use'

-- name: lock
-- Whoever promotes a model of this instrument comes after us.
SELECT model_id FROM trained_models WHERE instrument_id = $1 ORDER BY model_id FOR UPDATE

-- name: edge
-- Where a model that is promoted now begins to decide: after the last minute that is final. And how far the log of bars
-- was then, in the same snapshot, so that no minute is between the two.
SELECT (SELECT max(start) + interval '1 minute' FROM bars WHERE instrument_id = $1 AND interval_seconds = 60) AS from_ts,
       (SELECT coalesce(max("offset"), 0) FROM publications WHERE instrument_id = $1 AND family = 'bars') AS "offset"

-- name: retire
-- The one in use decides for the minutes up to its successor's.
UPDATE trained_models SET state = 'retired', to_ts = $2 WHERE instrument_id = $1 AND state = 'in use'

-- name: put_in_use
-- Only a candidate: one that was retired has told of its own minutes.
UPDATE trained_models SET state = 'in use', from_ts = $2 WHERE model_id = $1 AND state = 'candidate' RETURNING model_id

-- name: say
-- What the last check came to.
UPDATE trained_models SET verdict = $2 WHERE model_id = $1

-- name: begin_scoring
-- At an instrument's first model; later ones go on from where it is.
INSERT INTO scorings (instrument_id, "offset") VALUES ($1, $2) ON CONFLICT DO NOTHING

-- name: forget
-- The scheduler's: candidates that nobody put to use. What was in use stays, for it decided signals.
DELETE FROM trained_models WHERE state = 'candidate' AND created_at < clock_timestamp() - interval '30 days'

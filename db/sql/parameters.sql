-- name: chosen
-- What was chosen since; ids rise in the order of commits, for whoever chooses holds the table.
SELECT parameters_id, instrument_id, kind, version, from_ts, numbers::text, set_at
FROM parameters
WHERE parameters_id > $1
ORDER BY parameters_id

-- name: hold
-- One chooses at a time, so that versions and ids are given in the order of commits; readers do not wait.
LOCK TABLE parameters IN SHARE ROW EXCLUSIVE MODE

-- name: choose
-- The next version of a kind's parameters on an instrument.
INSERT INTO parameters (instrument_id, kind, version, from_ts, numbers)
SELECT $1, $2, coalesce(max(version), 0) + 1, $3, $4::text::jsonb
FROM parameters
WHERE instrument_id = $1 AND kind = $2
RETURNING parameters_id, instrument_id, kind, version, from_ts, numbers::text, set_at

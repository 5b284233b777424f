-- name: add
-- Kept whole, with the reason, to inspect and requeue.
INSERT INTO dead_letters (source, exchange, instrument_id, reason, payload, code_version)
SELECT source, exchange, instrument_id, reason, payload, code_version
FROM unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::bytea[], $6::text[])
    AS letter (source, exchange, instrument_id, reason, payload, code_version)

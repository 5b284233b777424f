-- name: add
-- Kept whole, with the reason, to inspect and requeue.
INSERT INTO dead_letters (source, exchange, instrument_id, reason, payload, code_version)
SELECT source, exchange, instrument_id, reason, payload, code_version
FROM unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::bytea[], $6::text[])
    AS letter (source, exchange, instrument_id, reason, payload, code_version)

-- name: matching
-- The newest first; every filter may be left out. Which kind failed, a fold's letter says itself.
SELECT letters.dead_letter_id, letters.source, letters.exchange, instruments.symbol,
       CASE WHEN letters.source = 'fold' THEN convert_from(letters.payload, 'UTF8')::json ->> 'kind' END AS kind,
       letters.reason, letters.code_version, letters.created_at, quarantines.from_ts AS stopped_from
FROM dead_letters AS letters
LEFT JOIN instruments USING (instrument_id)
LEFT JOIN quarantines USING (dead_letter_id)
WHERE ($1::bigint[] IS NULL OR letters.dead_letter_id = ANY($1))
  AND ($2::text IS NULL OR letters.source = $2)
  AND ($3::text IS NULL OR letters.exchange = $3)
  AND ($4::text IS NULL OR instruments.symbol = $4)
  AND ($5::text IS NULL OR (CASE WHEN letters.source = 'fold'
                                 THEN convert_from(letters.payload, 'UTF8')::json ->> 'kind' END) = $5)
  AND ($6::text IS NULL OR strpos(lower(letters.reason), lower($6)) > 0)
  AND ($7::timestamptz IS NULL OR letters.created_at < $7)
ORDER BY letters.dead_letter_id DESC
LIMIT $8

-- name: payload
-- Whole, as it came.
SELECT payload FROM dead_letters WHERE dead_letter_id = $1

-- name: requeue
-- The kind is stopped no more, and all that it has not said since is computed. The venue's time may be ahead of ours
-- by a day; a repair goes no further than live.
WITH lifted AS (
    DELETE FROM quarantines WHERE dead_letter_id = ANY($1::bigint[])
    RETURNING dead_letter_id, instrument_id, from_ts
), removed AS (
    DELETE FROM dead_letters USING lifted WHERE dead_letters.dead_letter_id = lifted.dead_letter_id
), dirtied AS (
    INSERT INTO dirty (instrument_id, from_ts, to_ts, reason)
    SELECT instrument_id, date_bin('1 second', from_ts, '2000-01-01Z'),
           greatest(clock_timestamp(), from_ts) + interval '1 day', 'requeue'
    FROM lifted
)
SELECT dead_letter_id FROM lifted ORDER BY dead_letter_id

-- name: drop
-- But for those that say why a kind is stopped.
DELETE FROM dead_letters
WHERE dead_letter_id = ANY($1::bigint[])
  AND NOT EXISTS (SELECT FROM quarantines WHERE quarantines.dead_letter_id = dead_letters.dead_letter_id)
RETURNING dead_letter_id

-- name: epoch
-- Names this log: subscribers compare it, and another one means another log.
SELECT epoch FROM installation

-- name: bounds
-- First and last offset of each stream, 0 and 0 when it is empty: two index probes a stream.
SELECT wanted.instrument_id, wanted.family,
       coalesce((SELECT min(p."offset") FROM publications AS p
                 WHERE p.instrument_id = wanted.instrument_id AND p.family = wanted.family), 0) AS first,
       coalesce((SELECT max(p."offset") FROM publications AS p
                 WHERE p.instrument_id = wanted.instrument_id AND p.family = wanted.family), 0) AS last
FROM unnest($1::int[], $2::text[]) AS wanted (instrument_id, family)

-- name: beyond
-- What each stream has beyond the offset that the reader has, oldest first, so many a stream at most.
SELECT page.instrument_id, page.family, page."offset", page.op, page.data, page.committed_at, page.revises
FROM unnest($1::int[], $2::text[], $3::bigint[]) AS had (instrument_id, family, "offset")
CROSS JOIN LATERAL (
    SELECT * FROM publications AS p
    WHERE p.instrument_id = had.instrument_id AND p.family = had.family AND p."offset" > had."offset"
    ORDER BY p."offset"
    LIMIT $4
) AS page

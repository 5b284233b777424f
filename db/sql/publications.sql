-- name: epoch
-- Names this log: subscribers compare it, and another one means another log. A restore is another cluster, another
-- database, or another timeline of the write-ahead log, and so is told even if nobody changed the installation's own.
SELECT epoch || '-' || left(md5(concat_ws(
    ' ',
    (SELECT system_identifier FROM pg_control_system()),
    (SELECT oid FROM pg_database WHERE datname = current_database()),
    CASE WHEN NOT pg_is_in_recovery() THEN left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) END
)), 8)
FROM installation

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

-- name: since
-- After which offset each stream was committed at a moment or later: halved from both ends of the log, as offsets
-- are given in the order of commits. An index probe a step, so that no index on the time is needed.
WITH RECURSIVE search AS (
    SELECT ends.instrument_id, ends.family, ends.since, ends.first,
           greatest(ends.first, 1) AS low, ends.last + 1 AS high
    FROM unnest($1::int[], $2::text[], $3::timestamptz[], $4::bigint[], $5::bigint[])
        AS ends (instrument_id, family, since, first, last)
    UNION ALL
    SELECT search.instrument_id, search.family, search.since, search.first,
           CASE WHEN probe.early THEN probe."offset" + 1 ELSE search.low END,
           CASE WHEN probe.early THEN search.high ELSE (search.low + search.high) / 2 END
    FROM search
    CROSS JOIN LATERAL (
        SELECT p."offset", p.committed_at < search.since AS early FROM publications AS p
        WHERE p.instrument_id = search.instrument_id AND p.family = search.family
          AND p."offset" >= (search.low + search.high) / 2
        ORDER BY p."offset"
        LIMIT 1
    ) AS probe
    WHERE search.low < search.high
)
SELECT instrument_id, family, CASE WHEN first > 1 AND low = first THEN 0 ELSE low - 1 END AS after
FROM search WHERE low >= high

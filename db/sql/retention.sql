-- name: days
-- Days of a table that are older than it is to be kept, and why one is kept all the same: whoever is to compute it, or
-- to fill it, would miss it. One that we began to detach is gone for readers already.
SELECT parent.relname AS table, child.relname AS name, each.day, greatest(child.reltuples, 0)::bigint AS rows,
       pg_total_relation_size(child.oid) AS bytes,
       CASE
           WHEN inhdetachpending AND obj_description(child.oid, 'pg_class') IS DISTINCT FROM 'heliograph retention drops it'
               THEN 'somebody else detaches it'
           WHEN inhdetachpending
               THEN ''
           WHEN EXISTS (SELECT FROM chunks
                        JOIN instruments USING (instrument_id)
                        JOIN exchanges USING (exchange_id)
                        JOIN jobs USING (job_id)
                        LEFT JOIN feeds ON feeds.exchange = exchanges.name AND feeds.symbol = instruments.symbol
                        WHERE chunks.state = 'waiting' AND chunks.from_ts < each.until AND chunks.to_ts > each.since
                          AND (feeds.symbol IS NOT NULL OR jobs.kind = 'import'))
               THEN 'a job is not done with it'
           WHEN EXISTS (SELECT FROM dirty
                        JOIN instruments USING (instrument_id)
                        JOIN exchanges USING (exchange_id)
                        JOIN feeds ON feeds.exchange = exchanges.name AND feeds.symbol = instruments.symbol
                        WHERE feeds.state = 'active' AND dirty.from_ts < each.until AND dirty.to_ts > each.since)
               THEN 'something of it is to be computed again'
           ELSE ''
       END AS held,
       format('COMMENT ON TABLE %I IS %L', child.relname, 'heliograph retention drops it') AS mark,
       format('ALTER TABLE %I DETACH PARTITION %I %s', parent.relname, child.relname,
              CASE WHEN pg_inherits.inhdetachpending THEN 'FINALIZE' ELSE 'CONCURRENTLY' END) AS detach,
       format('INSERT INTO dropped_days (instrument_id, kind, day, lacking)
               SELECT instrument_id, %1$L, %2$L, tstzmultirange(tstzrange(%3$L, %4$L)) FROM instruments
               WHERE EXISTS (SELECT FROM %1$I AS tick
                             WHERE tick.exchange_id = instruments.exchange_id AND tick.ts >= %3$L AND tick.ts < %4$L
                               AND tick.instrument_id = instruments.instrument_id)
               ON CONFLICT (instrument_id, kind, day) DO UPDATE SET lacking = excluded.lacking',
              parent.relname, each.day, each.since, each.until) AS record
FROM pg_inherits
JOIN pg_class AS parent ON parent.oid = pg_inherits.inhparent
JOIN pg_class AS child ON child.oid = pg_inherits.inhrelid
CROSS JOIN LATERAL (
    SELECT day, day::timestamp AT TIME ZONE 'UTC' AS since, (day + 1)::timestamp AT TIME ZONE 'UTC' AS until
    FROM (SELECT substring(child.relname FROM '\d{8}$')::date AS day) AS named
) AS each
WHERE parent.relname = $1 AND parent.relnamespace = 'public'::regnamespace AND each.day < $2::date
  AND each.day = coalesce($3::date, each.day)
ORDER BY each.day

-- name: detached
-- Days of a table that we detached, and have not dropped yet: a name of their own lets writers make them anew.
SELECT relation.relname AS name, each.day,
       format('ALTER TABLE %I RENAME TO %I', relation.relname, 'dropped_' || $1 || '_' || to_char(each.day, 'YYYYMMDD')
              || '_' || relation.oid) AS rename,
       'dropped_' || $1 || '_' || to_char(each.day, 'YYYYMMDD') || '_' || relation.oid AS renamed,
       format('CREATE TEMP VIEW %I AS TABLE public.%I', $1, relation.relname) AS stand_in,
       format('DROP VIEW pg_temp.%I', $1) AS leave,
       format('DROP TABLE public.%I', relation.relname) AS drop,
       greatest(relation.reltuples, 0)::bigint AS rows, pg_total_relation_size(relation.oid) AS bytes
FROM pg_class AS relation
CROSS JOIN LATERAL (
    SELECT substring(relation.relname FROM '^(?:dropped_)?' || $1 || '_(\d{8})(?:_\d+)?$')::date AS day
) AS each
WHERE relation.relkind = 'r' AND relation.relnamespace = 'public'::regnamespace AND each.day < $2::date
  AND obj_description(relation.oid, 'pg_class') = 'heliograph retention drops it'
  AND NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = relation.oid)
ORDER BY each.day, relation.oid

-- name: reaches_dropped
-- Whether any of a time, or of what is remembered of the ticks before it, was dropped: nothing may be left in between.
SELECT EXISTS (
    SELECT FROM dropped_days
    CROSS JOIN LATERAL (
        SELECT day::timestamp AT TIME ZONE 'UTC' AS since, (day + 1)::timestamp AT TIME ZONE 'UTC' AS until
    ) AS each
    WHERE instrument_id = $2 AND each.since < $4::timestamptz
      AND (each.until > date_bin('1 hour', $3::timestamptz, '2000-01-01Z')
           OR kind = 'trades' AND NOT EXISTS (
               SELECT FROM trades WHERE exchange_id = $1 AND trades.instrument_id = $2 AND ts >= each.until AND ts < $3)
           OR kind = 'depths' AND NOT EXISTS (
               SELECT FROM depths WHERE exchange_id = $1 AND depths.instrument_id = $2 AND ts >= each.until AND ts < $3))
      AND kind IN ('trades', 'depths')
)

-- name: give_up_gaps
-- What was missing of a day that is gone nobody is to fetch any more; the gap stays on record, and says so.
UPDATE gaps
SET state = 'unrecoverable', closed_at = clock_timestamp(),
    detail = 'older than trades are kept: its day was dropped' || CASE WHEN detail = '' THEN '' ELSE '; ' || detail END
WHERE kind = 'trades' AND state IN ('open', 'healing') AND to_ts <= ($1::date + 1)::timestamp AT TIME ZONE 'UTC'

-- name: try_alone
-- One at a time.
SELECT pg_try_advisory_lock($1::bigint)

-- name: leave
-- Others may.
SELECT pg_advisory_unlock($1::bigint)

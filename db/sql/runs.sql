-- name: progress
-- How far everything is: what no worker has folded yet, and how much each family's log holds (offsets are dense).
SELECT (SELECT count(*) FROM batches) AS batches,
       coalesce(sum(streams.last) FILTER (WHERE streams.family = 'signals'), 0)::bigint AS signals,
       coalesce(sum(streams.last) FILTER (WHERE streams.family = 'bars'), 0)::bigint AS bars
FROM (SELECT family, max("offset") AS last FROM publications GROUP BY instrument_id, family) AS streams

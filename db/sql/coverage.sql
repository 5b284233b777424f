-- name: known
-- What speaks for each stretch, and what against it: gaps that are not closed. A live proof is moved at most once
-- a second, but what is asked about was decided from ticks that are committed: so it reaches a second further.
-- Of the proofs that began before a stretch so many are looked at, newest first, all when $5 is null; and always the
-- newest live one, as every gap that was healed since is a newer proof.
SELECT asked.instrument_id, asked.kind, known.from_ts, known.to_ts, known.proven
FROM unnest($1::int[], $2::text[], $3::timestamptz[], $4::timestamptz[]) AS asked (instrument_id, kind, from_ts, to_ts)
CROSS JOIN LATERAL (
    SELECT proof.from_ts, proof.to_ts + CASE source WHEN 'live' THEN interval '1 second' ELSE '0' END AS to_ts,
           true AS proven
    FROM (
        (SELECT * FROM proofs AS inside
         WHERE inside.instrument_id = asked.instrument_id AND inside.kind = asked.kind
           AND inside.from_ts > asked.from_ts AND inside.from_ts < asked.to_ts)
        UNION ALL
        (SELECT * FROM proofs AS before
         WHERE before.instrument_id = asked.instrument_id AND before.kind = asked.kind
           AND before.from_ts <= asked.from_ts
         ORDER BY before.from_ts DESC
         LIMIT $5)
        UNION ALL
        (SELECT * FROM proofs AS live
         WHERE live.instrument_id = asked.instrument_id AND live.kind = asked.kind AND live.source = 'live'
           AND live.from_ts <= asked.from_ts
         ORDER BY live.from_ts DESC
         LIMIT 1)
    ) AS proof
    WHERE proof.to_ts + interval '1 second' > asked.from_ts
    UNION ALL
    SELECT gaps.from_ts, gaps.to_ts, false
    FROM gaps
    WHERE gaps.instrument_id = asked.instrument_id AND gaps.kind = asked.kind
      AND gaps.from_ts < asked.to_ts AND gaps.to_ts > asked.from_ts AND gaps.state <> 'closed'
) AS known

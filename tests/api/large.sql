-- Four instruments over a fortnight; with VACUUM, as no transaction may have it, after this.

INSERT INTO trades
SELECT exchange_id, 1, instrument_id, '2026-11-01Z'::timestamptz + n * interval '4 seconds', n, 241.07, 1, now()
FROM instruments CROSS JOIN generate_series(0, 302399) AS n;

INSERT INTO quotes
SELECT exchange_id, instrument_id, '2026-11-01Z'::timestamptz + n * interval '20 seconds', n, 241.07, 1, 241.08, 1,
       now()
FROM instruments CROSS JOIN generate_series(0, 60479) AS n;

INSERT INTO depths
SELECT exchange_id, instrument_id, '2026-11-01Z'::timestamptz + n * interval '20 seconds', n, '{241.07}', '{1}',
       '{241.08}', '{1}', now()
FROM instruments CROSS JOIN generate_series(0, 60479) AS n;

INSERT INTO watermarks
SELECT exchange_id, instrument_id, '2026-11-01Z'::timestamptz + n * interval '20 seconds', now()
FROM instruments CROSS JOIN generate_series(0, 60479) AS n;

INSERT INTO bars
SELECT instrument_id, seconds, '2026-11-01Z'::timestamptz + n * make_interval(secs => seconds), 1, 2, 1, 2, 1, 1, 1,
       1, 1, 'live'
FROM instruments CROSS JOIN (VALUES (1, 100000), (60, 20159), (300, 4031)) AS interval (seconds, bars)
CROSS JOIN LATERAL generate_series(0, bars) AS n;

INSERT INTO bars_1h
SELECT instrument_id, '2020-01-01Z'::timestamptz + n * interval '1 hour', 1, 2, 1, 2, 1, 1, 1, 1, 1, 'live'
FROM instruments CROSS JOIN generate_series(0, 60000) AS n;

INSERT INTO indicators
SELECT instrument_id, '2026-11-01Z'::timestamptz + n * interval '1 minute', kind, 1, '{"rsi": 71.25}', 1,
       '2026-11-01Z'::timestamptz + (n - 15) * interval '1 minute', '2026-11-01Z'::timestamptz + n * interval '1 minute'
FROM instruments CROSS JOIN generate_series(1, 20160) AS n CROSS JOIN unnest('{rsi,flow,momentum}'::text[]) AS kind;

INSERT INTO signals
SELECT instrument_id, kind, 1, '2026-11-01Z'::timestamptz + n * interval '1 minute', 'up', 0.5, 1, 241.07,
       '{"rsi": 71.25}', '2026-11-01Z'::timestamptz + (n - 15) * interval '1 minute',
       '2026-11-01Z'::timestamptz + n * interval '1 minute', now(), now()
FROM instruments CROSS JOIN generate_series(1, 20160) AS n CROSS JOIN unnest('{rsi,flow,momentum}'::text[]) AS kind;

INSERT INTO publications
SELECT instrument_id, family, n, 'signal', NULL, 'rsi', '2026-11-01Z'::timestamptz + n * interval '20 seconds', '{}',
       now()
FROM instruments CROSS JOIN unnest('{signals,bars}'::text[]) AS family CROSS JOIN generate_series(1, 60000) AS n;

INSERT INTO proofs
SELECT instrument_id, kind, '2026-11-01Z'::timestamptz + n * interval '1 minute',
       '2026-11-01Z'::timestamptz + n * interval '1 minute' + interval '55 seconds', 'live'
FROM instruments CROSS JOIN unnest('{trades,depths}'::text[]) AS kind CROSS JOIN generate_series(0, 20159) AS n;

INSERT INTO gaps (instrument_id, kind, cause, state, from_ts, to_ts)
SELECT instrument_id, kind, 'reconnect', CASE WHEN n % 1000 = 0 THEN 'open' ELSE 'closed' END,
       '2026-11-01Z'::timestamptz + n * interval '1 minute' + interval '55 seconds',
       '2026-11-01Z'::timestamptz + (n + 1) * interval '1 minute'
FROM instruments CROSS JOIN unnest('{trades,depths}'::text[]) AS kind CROSS JOIN generate_series(0, 20159) AS n;

INSERT INTO verifications (instrument_id, from_ts, to_ts, started_at, finished_at, code_version,
                           bars, signals, indicators, differences, found, unverified)
SELECT instrument_id, '2000-01-01Z'::timestamptz + n * interval '1 day', '2000-01-02Z'::timestamptz + n * interval '1 day',
       now(), now(), '0.1.0', 1, 1, 1, 0, '[]', '[]'
FROM instruments CROSS JOIN generate_series(0, 365) AS n;

INSERT INTO writers VALUES (1), (2) ON CONFLICT DO NOTHING;

INSERT INTO batches
SELECT shard, writer, n, 1, '', now() FROM shards CROSS JOIN writers CROSS JOIN generate_series(1, 5000) AS n;

INSERT INTO states SELECT shard, n, '\x' FROM shards CROSS JOIN generate_series(1, 5000) AS n;

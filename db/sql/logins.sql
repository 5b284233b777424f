-- name: may_create
-- Who may create roles may also give what it owns.
SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user

-- name: is_superuser
-- Only such a one gives what is the server's.
SELECT rolsuper FROM pg_roles WHERE rolname = current_user

-- name: lock
-- Two who make them at once, from one database, would update the same rows of the server's catalogue.
SELECT pg_advisory_xact_lock($1)

-- name: made
-- A role for programs; its password, where one is asked for, is set by who owns the server.
SELECT CASE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = $1)
            THEN format('ALTER ROLE %I WITH LOGIN CONNECTION LIMIT %s', $1::text, $2::int)
            ELSE format('CREATE ROLE %I LOGIN CONNECTION LIMIT %s', $1::text, $2::int) END

-- name: granted
-- Tables are entered by their parents, so that days need no rights of their own, attached or not; what was given before
-- is taken back first.
WITH tables AS (
    SELECT relname, relname = ANY ($2::text[]) AS writes
    FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
      AND relname !~ '\d{8}$'
)
SELECT statement
FROM (
    SELECT 1, format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO %I', current_database(), $1::text)
    UNION ALL SELECT 1, format('GRANT USAGE ON SCHEMA public TO %I', $1::text)
    UNION ALL SELECT 1, format('GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO %I', $1::text)
    UNION ALL SELECT 1, format('GRANT EXECUTE ON FUNCTION heliograph_ensure_day(text, date) TO %I', $1::text)
    UNION ALL SELECT 2, format('REVOKE ALL ON %I FROM %I', relname, $1::text) FROM tables
    UNION ALL SELECT 3, format('GRANT SELECT ON %I TO %I', relname, $1::text) FROM tables
    UNION ALL SELECT 3, format('GRANT INSERT, UPDATE, DELETE ON %I TO %I', relname, $1::text) FROM tables WHERE writes
) AS statements (place, statement)
ORDER BY place, statement

-- name: lacking
-- What a role could not do though its program does.
SELECT role || CASE WHEN pg_roles.rolname IS NULL THEN ' does not exist'
                    ELSE ' may not write ' || string_agg(wanted.name, ', ' ORDER BY wanted.name) END
FROM unnest($1::text[], $2::text[]) AS wanted (role, name)
LEFT JOIN pg_roles ON pg_roles.rolname = wanted.role
CROSS JOIN LATERAL (
    SELECT coalesce(bool_and(has_table_privilege(wanted.role, to_regclass(wanted.name), needed)), FALSE) AS all_of_them
    FROM unnest('{SELECT, INSERT, UPDATE, DELETE}'::text[]) AS needed
    WHERE pg_roles.rolname IS NOT NULL
) AS has
WHERE NOT has.all_of_them
GROUP BY wanted.role, pg_roles.rolname
ORDER BY wanted.role

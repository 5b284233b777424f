-- name: act_as
-- Heard by the triggers of audited tables: for the transaction, or for the whole session.
SELECT set_config('heliograph.actor', $1, $2)

-- name: note
-- Of what no row stands for; nothing where nobody has said who acts, as where processes act by themselves.
INSERT INTO audit_log (actor, noun, change, before, after)
SELECT current_setting('heliograph.actor'), $1, $2, $3::jsonb, $4::jsonb
WHERE coalesce(current_setting('heliograph.actor', true), '') <> ''

-- name: is_kept
-- Not in a schema of long ago.
SELECT to_regclass('audit_log') IS NOT NULL

-- name: entries
-- The newest changes, all or of one table.
SELECT audit_id, at, actor, noun, change, before::text, after::text
FROM audit_log
WHERE $1::text IS NULL OR noun = $1
ORDER BY audit_id DESC
LIMIT $2

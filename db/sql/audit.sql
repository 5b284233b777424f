-- name: act_as
-- Heard by the triggers of audited tables: for the transaction, or for the whole session.
SELECT set_config('heliograph.actor', $1, $2)

-- name: entries
-- The newest changes, all or of one table.
SELECT audit_id, at, actor, noun, change, before::text, after::text
FROM audit_log
WHERE $1::text IS NULL OR noun = $1
ORDER BY audit_id DESC
LIMIT $2

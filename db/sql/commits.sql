-- name: leave
-- So that a commit whose answer was lost can be looked up.
INSERT INTO commits (writer, seq) VALUES ($1, $2) RETURNING pg_current_xact_id()::text

-- name: forget
-- Their answers came, or nobody asks any more.
DELETE FROM commits WHERE writer = $1 AND seq < $2

-- name: outcome
-- Whether a transaction whose COMMIT was not answered runs still, and whether its row is there. After a crash its id
-- may be one that has not been given yet.
SELECT CASE WHEN $1::text::xid8 < pg_snapshot_xmax(pg_current_snapshot())
            THEN pg_xact_status($1::text::xid8) = 'in progress' END,
       EXISTS (SELECT FROM commits WHERE writer = $2 AND seq = $3)

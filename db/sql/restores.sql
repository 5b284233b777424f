-- name: begin
-- A table, as whoever may restore may make one; it goes with whatever else is emptied.
CREATE TABLE heliograph_restoring ()

-- name: end
-- In the transaction in which all was found equal.
DROP TABLE heliograph_restoring

-- name: is_part
-- Whether a restore has begun here and not ended.
SELECT to_regclass('heliograph_restoring') IS NOT NULL

-- name: rename_log
-- The log goes on from an older moment: subscribers who saw later offsets are to hear of it.
UPDATE installation SET epoch = to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint)

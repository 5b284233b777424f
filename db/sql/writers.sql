-- name: try_slot
-- A session's lock: it ends with the connection, so a slot is never left taken by the dead.
SELECT pg_try_advisory_lock($1::int, $2::int)

-- name: list_writer
-- Workers look for batches slot by slot.
INSERT INTO writers (writer) VALUES ($1) ON CONFLICT DO NOTHING

-- name: next_epoch
-- Above every epoch before it, so that a slot's seq only grows, whoever holds it.
SELECT nextval('writer_epochs')

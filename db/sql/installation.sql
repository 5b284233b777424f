-- name: cursor_key
-- Read once, when a process of the API starts.
SELECT cursor_key FROM installation

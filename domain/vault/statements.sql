-- name: open
INSERT INTO vault.sessions (school_id, token_hash, session_id, staff_id, key_id, generation, names, record)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)

-- name: use
-- Touches a session at most thirty times in its idle time, once a minute: reading is far more frequent than that.
WITH found AS (
    SELECT school_id, token_hash, session_id, staff_id, key_id, generation, names, record, last_used_at
    FROM vault.sessions
    WHERE school_id = %(school)s AND token_hash = %(token_hash)s
        AND opened_at > now() - %(longest)s AND last_used_at > now() - %(idle)s
), touched AS (
    UPDATE vault.sessions s SET last_used_at = now() FROM found
    WHERE s.school_id = found.school_id AND s.token_hash = found.token_hash
        AND found.last_used_at < now() - %(idle)s / 30
)
SELECT session_id, staff_id, key_id, generation, names, record FROM found

-- name: close
DELETE FROM vault.sessions WHERE school_id = %s AND session_id = %s RETURNING staff_id

-- name: close_all_of
DELETE FROM vault.sessions WHERE school_id = %s AND staff_id = %s AND session_id IS DISTINCT FROM %s
RETURNING session_id

-- name: remove_expired
DELETE FROM vault.sessions WHERE school_id = %(school)s
    AND (opened_at <= now() - %(longest)s OR last_used_at <= now() - %(idle)s)

-- name: close_all_of_key
DELETE FROM vault.sessions WHERE school_id = %s AND key_id = %s RETURNING session_id, staff_id

-- name: close_every_one
DELETE FROM vault.sessions WHERE school_id = %s RETURNING session_id, staff_id

-- name: those_of
SELECT session_id, staff_id, key_id, opened_at, last_used_at FROM vault.sessions
WHERE school_id = %(school)s AND opened_at > now() - %(longest)s AND last_used_at > now() - %(idle)s
ORDER BY opened_at DESC, session_id

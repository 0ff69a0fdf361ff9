-- The statements about codes for new passwords; each is bound to the school by the transaction that it is in.

-- name: remove_old
DELETE FROM vault.password_resets
WHERE school_id = %(school)s AND requested_at <= now() - %(within)s AND expires_at <= now()

-- name: keep
WITH allowed AS (
    SELECT FROM vault.password_resets WHERE school_id = %(school)s AND staff_id = %(staff)s
        AND requested_at > now() - %(within)s
    HAVING count(*) < %(most)s
), replaced AS (
    UPDATE vault.password_resets SET expires_at = '-infinity'
    WHERE school_id = %(school)s AND staff_id = %(staff)s AND EXISTS (SELECT FROM allowed)
), kept AS (
    INSERT INTO vault.password_resets (school_id, staff_id, code_hash, expires_at)
    SELECT %(school)s, %(staff)s, %(code_hash)s, now() + %(lasts)s FROM allowed
    RETURNING true
)
SELECT EXISTS (SELECT FROM kept)

-- name: good
SELECT code_hash FROM vault.password_resets WHERE school_id = %s AND staff_id = %s AND expires_at > now()

-- name: spend
UPDATE vault.password_resets SET expires_at = '-infinity'
WHERE school_id = %s AND staff_id = %s AND code_hash = %s AND expires_at > now()

-- name: forget
UPDATE vault.password_resets SET expires_at = '-infinity' WHERE school_id = %s AND staff_id = %s

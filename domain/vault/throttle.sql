-- name: lock
-- The buckets of an attempt, made if need be and locked until the transaction ends; always in the same order, so that
-- two attempts never wait for each other. The clock is read after the lock was waited for.
INSERT INTO vault.attempts AS a (school_id, bucket, last_failed_at)
SELECT %(school)s, bucket, coalesce(%(now)s, clock_timestamp())
FROM unnest(%(buckets)s::bytea[]) AS bucket ORDER BY bucket
ON CONFLICT (school_id, bucket) DO UPDATE SET failures = a.failures
RETURNING bucket, failures, last_failed_at, blocked_until, refused, coalesce(%(now)s, clock_timestamp())

-- name: count
UPDATE vault.attempts
SET failures = %s, last_failed_at = %s, blocked_until = %s, refused = false
WHERE school_id = %s AND bucket = %s

-- name: refuse
-- Whoever is refused makes no new rows.
WITH made AS (
    DELETE FROM vault.attempts WHERE school_id = %(school)s AND bucket = ANY(%(buckets)s) AND failures = 0
)
UPDATE vault.attempts SET refused = true WHERE school_id = %(school)s AND bucket = ANY(%(waiting)s)

-- name: clear
DELETE FROM vault.attempts WHERE school_id = %(school)s AND bucket = %(bucket)s

-- name: take_back
-- What another attempt has set since stays.
UPDATE vault.attempts SET
    failures = greatest(failures - 1, 0),
    blocked_until = CASE WHEN last_failed_at = %(at)s THEN NULL ELSE blocked_until END,
    last_failed_at = CASE WHEN last_failed_at = %(at)s THEN %(before)s ELSE last_failed_at END
WHERE school_id = %(school)s AND bucket = %(bucket)s

-- name: forget
-- A few at a time, and none that another attempt is just looking at.
DELETE FROM vault.attempts WHERE school_id = %(school)s AND bucket IN (
    SELECT bucket FROM vault.attempts
    WHERE school_id = %(school)s AND last_failed_at < %(before)s
    ORDER BY last_failed_at LIMIT 20 FOR UPDATE SKIP LOCKED
)

-- The ledger's statements. Those on a hot path name one school and bind themselves to it.

-- name: append
SELECT first_position, last_position, appended_at, repeated, first_result, first_fingerprint
FROM ledger.append(%s, %b::uuid[], %b::bigint[], %b::text[], %b::bytea[], %s, %b, %b, %s, %s)

-- name: events_of
SELECT originator_version, type, state, position, recorded_at FROM ledger.events_of(%s, %s, %s, %s)

-- name: events_with_keys
SELECT originator_version, type, state, position, recorded_at, keys FROM vault.events_of(%s, %s, %s, %s, %s)

-- name: events_of_descending
SELECT originator_version, type, state, position, recorded_at FROM ledger.events
WHERE school_id = %s AND originator_id = %s
    AND originator_version > coalesce(%s::bigint, -1)
    AND originator_version <= coalesce(%s::bigint, 9223372036854775807)
ORDER BY originator_version DESC
LIMIT %s

-- name: events_of_many
SELECT originator_id, originator_version, type, state, position, recorded_at FROM ledger.events
WHERE school_id = %s AND originator_id = ANY (%s)
    AND position <= coalesce(%s::bigint, 9223372036854775807)
    AND recorded_at <= coalesce(%s::timestamptz, 'infinity')
ORDER BY position

-- name: events_of_category
SELECT originator_id, originator_version, type, state, position, recorded_at FROM ledger.events
WHERE school_id = %s AND split_part(type, '.', 1) = %s AND split_part(type, '.', 1) IN ('school', 'staff', 'pupil')
    AND position <= coalesce(%s::bigint, 9223372036854775807)
    AND recorded_at <= coalesce(%s::timestamptz, 'infinity')
ORDER BY position

-- name: events_between
SELECT originator_id, originator_version, type, state, position, recorded_at FROM ledger.events
WHERE school_id = %s AND position >= %s AND position <= coalesce(%s::bigint, 9223372036854775807)
    AND (%s::text[] IS NULL OR type = ANY (%s))
ORDER BY position
LIMIT %s

-- name: last_of_each_between
SELECT DISTINCT ON (originator_id) originator_id, originator_version, type, state, position, recorded_at
FROM ledger.events
WHERE school_id = %s AND position >= %s AND position <= %s AND type = ANY (%s)
ORDER BY originator_id, position DESC

-- name: last_versions
SELECT originator_id, max(originator_version) FROM ledger.events
WHERE school_id = %s AND originator_id = ANY (%s)
GROUP BY originator_id

-- name: head
-- An empty stream was last written to at minus infinity, which Python has no date for.
SELECT position, peaks, nullif(recorded_at, '-infinity') FROM ledger.streams WHERE school_id = %s

-- name: lock
SELECT FROM ledger.streams WHERE school_id = %s FOR UPDATE

-- name: command
SELECT first_position, last_position, recorded_at, result, fingerprint FROM ledger.commands
WHERE school_id = %s AND command_id = %s

-- name: school_of_urn
SELECT school_id FROM ledger.schools WHERE urn = %s

-- name: every_school
SELECT school_id FROM ledger.schools ORDER BY school_id

-- name: add_school
INSERT INTO ledger.schools (urn, school_id) VALUES (%s, %s)

-- name: open_stream
INSERT INTO ledger.streams (school_id) VALUES (%s)

-- name: add_snapshot
INSERT INTO ledger.snapshots (school_id, originator_id, originator_version, type, state)
SELECT %s, originator_id, originator_version, type, state
FROM unnest(%b::uuid[], %b::bigint[], %b::text[], %b::bytea[])
    AS snapshot (originator_id, originator_version, type, state)

-- name: snapshots_of
SELECT originator_version, type, state FROM ledger.snapshots
WHERE school_id = %s AND originator_id = %s
    AND originator_version > coalesce(%s::bigint, -1)
    AND originator_version <= coalesce(%s::bigint, 9223372036854775807)
ORDER BY originator_version
LIMIT %s

-- name: snapshots_of_descending
SELECT originator_version, type, state FROM ledger.snapshots
WHERE school_id = %s AND originator_id = %s
    AND originator_version > coalesce(%s::bigint, -1)
    AND originator_version <= coalesce(%s::bigint, 9223372036854775807)
ORDER BY originator_version DESC
LIMIT %s

-- name: track
INSERT INTO ledger.tracking AS t (school_id, application_name, notification_id) VALUES (%s, %s, %s)
ON CONFLICT (school_id, application_name) DO UPDATE SET notification_id = excluded.notification_id
    WHERE t.notification_id < excluded.notification_id
RETURNING notification_id

-- name: tracked
SELECT notification_id FROM ledger.tracking WHERE school_id = %s AND application_name = %s

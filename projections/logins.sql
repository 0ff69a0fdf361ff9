-- name: add
INSERT INTO projections.logins (school_id, position, recorded_at, staff_id, session_id, outcome, reason)
SELECT %s, * FROM unnest(
    %b::bigint[], %b::timestamptz[], %b::uuid[], %b::uuid[], %b::text[], %b::text[])

-- name: find
SELECT position, recorded_at, staff_id, outcome, reason, session_id FROM projections.logins
WHERE school_id = %(school)s
    AND (%(staff_id)s::uuid IS NULL OR staff_id = %(staff_id)s)
    AND (%(since)s::timestamptz IS NULL OR recorded_at >= %(since)s)
    AND (%(until)s::timestamptz IS NULL OR recorded_at < %(until)s)
    AND (%(before)s::bigint IS NULL OR position < %(before)s)
ORDER BY position DESC
LIMIT %(limit)s

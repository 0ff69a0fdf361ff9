-- name: add
-- The pupils come as bytes of 16 each: PostgreSQL has no arrays of arrays of different lengths.
INSERT INTO projections.usage
    (school_id, position, number, happened_at, kind, actor, staff_id, about_id, session_id, key_id, what, route,
     times, named, pupil_ids)
SELECT %s, position, number, happened_at, kind, actor, staff_id, about_id, session_id, key_id, what, route,
    times, named, CASE WHEN pupils IS NOT NULL THEN ARRAY(
        SELECT encode(substr(pupils, n * 16 + 1, 16), 'hex')::uuid
        FROM generate_series(0, length(pupils) / 16 - 1) AS n ORDER BY n) END
FROM unnest(
    %b::bigint[], %b::integer[], %b::timestamptz[], %b::text[], %b::text[], %b::uuid[], %b::uuid[], %b::uuid[],
    %b::uuid[], %b::text[], %b::text[], %b::integer[], %b::boolean[], %b::bytea[])
    AS given (position, number, happened_at, kind, actor, staff_id, about_id, session_id, key_id, what, route,
              times, named, pupils)

-- name: find
-- Row-level security lets no index on `pupil_ids` be used, so one pupil's are looked for from the newest backwards.
SELECT position, number, happened_at, kind, actor, staff_id, about_id, session_id, key_id, what, route, times, named,
    cardinality(pupil_ids)
FROM projections.usage
WHERE school_id = %(school)s
    AND (%(staff_id)s::uuid IS NULL OR %(staff_id)s IN (staff_id, about_id))
    AND (%(pupil_id)s::uuid IS NULL OR %(pupil_id)s = ANY (pupil_ids))
    AND (%(kind)s::text IS NULL OR kind = %(kind)s)
    AND (%(since)s::timestamptz IS NULL OR happened_at >= %(since)s)
    AND (%(until)s::timestamptz IS NULL OR happened_at < %(until)s)
    AND (%(before)s::bigint IS NULL OR (position, number) < (%(before)s, %(before_number)s::integer))
ORDER BY position DESC, number DESC
LIMIT %(limit)s

-- name: upsert
INSERT INTO projections.targets
    (school_id, pupil_id, target_id, academic_year, term, scheme, position, type, version, record)
SELECT %s, * FROM unnest(
    %b::uuid[], %b::uuid[], %b::smallint[], %b::text[], %b::text[], %b::bigint[], %b::text[], %b::bigint[], %b::bytea[])
ON CONFLICT (school_id, pupil_id, target_id) DO UPDATE SET
    academic_year = excluded.academic_year, term = excluded.term, scheme = excluded.scheme,
    position = excluded.position, type = excluded.type, version = excluded.version, record = excluded.record

-- name: drop
DELETE FROM projections.targets t USING unnest(%b::uuid[], %b::uuid[]) AS dropped (pupil_id, target_id)
WHERE t.school_id = %s AND t.pupil_id = dropped.pupil_id AND t.target_id = dropped.target_id

-- name: remove
DELETE FROM projections.targets WHERE school_id = %s AND pupil_id = ANY (%s)

-- name: of_pupils
SELECT target_id, pupil_id, type, version, record, position FROM projections.targets
WHERE school_id = %s AND pupil_id = ANY (%s)
ORDER BY pupil_id, academic_year DESC, term, scheme, target_id

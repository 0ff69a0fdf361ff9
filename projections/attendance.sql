-- name: of_pupils
SELECT pupil_id, academic_year, position, record FROM projections.attendance
WHERE school_id = %s AND pupil_id = ANY (%b) AND academic_year BETWEEN %s AND %s

-- name: upsert
INSERT INTO projections.attendance (school_id, pupil_id, academic_year, position, record)
SELECT %s, * FROM unnest(%b::uuid[], %b::smallint[], %b::bigint[], %b::bytea[])
ON CONFLICT (school_id, pupil_id, academic_year) DO UPDATE SET
    position = excluded.position, record = excluded.record

-- name: remove
DELETE FROM projections.attendance WHERE school_id = %s AND pupil_id = ANY (%s)

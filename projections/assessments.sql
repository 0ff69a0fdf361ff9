-- name: of_keys
SELECT a.pupil_id, a.academic_year, a.term, a.cell, a.assessment_id
FROM unnest(%b::uuid[], %b::smallint[], %b::text[], %b::text[]) AS key (pupil_id, academic_year, term, cell)
JOIN projections.assessments a
    ON a.school_id = %s AND a.pupil_id = key.pupil_id AND a.academic_year = key.academic_year
    AND a.term = key.term AND a.cell = key.cell

-- name: upsert
INSERT INTO projections.assessments
    (school_id, pupil_id, academic_year, term, cell, assessment_id, position, type, version, record)
SELECT %s, * FROM unnest(
    %b::uuid[], %b::smallint[], %b::text[], %b::text[], %b::uuid[], %b::bigint[], %b::text[], %b::bigint[], %b::bytea[])
ON CONFLICT (school_id, pupil_id, academic_year, term, cell) DO UPDATE SET
    assessment_id = excluded.assessment_id, position = excluded.position, type = excluded.type,
    version = excluded.version, record = excluded.record

-- name: remove
DELETE FROM projections.assessments WHERE school_id = %s AND pupil_id = ANY (%s)

-- name: terms
SELECT DISTINCT academic_year, term FROM projections.assessments WHERE school_id = %s AND term <> ''

-- name: at_points
SELECT assessment_id, pupil_id, type, version, record, position FROM projections.assessments
WHERE school_id = %s AND (academic_year, term) IN (SELECT * FROM unnest(%b::smallint[], %b::text[]))
    AND cell LIKE %s || '/%%'

-- name: latest
SELECT assessment_id, pupil_id, type, version, record, position FROM projections.assessments
WHERE school_id = %s AND pupil_id = %s
ORDER BY academic_year DESC, term, cell

-- name: sheet
SELECT assessment_id, pupil_id, type, version, record, position FROM projections.assessments
WHERE school_id = %s AND pupil_id = ANY (%s) AND academic_year = %s AND term = %s AND cell LIKE %s || '/%%'
ORDER BY pupil_id, cell

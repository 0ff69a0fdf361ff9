-- name: upsert
-- A correction leaves its entry where it is among the others.
INSERT INTO projections.assessments
    (school_id, pupil_id, assessment_id, academic_year, term, cell, entered, position, type, version, record)
SELECT %s, * FROM unnest(
    %b::uuid[], %b::uuid[], %b::smallint[], %b::text[], %b::text[], %b::bigint[], %b::bigint[], %b::text[], %b::bigint[],
    %b::bytea[])
ON CONFLICT (school_id, pupil_id, assessment_id) DO UPDATE SET
    academic_year = excluded.academic_year, term = excluded.term, cell = excluded.cell, position = excluded.position,
    type = excluded.type, version = excluded.version, record = excluded.record

-- name: void
-- Nothing of the result stays, but when it went: whoever has seen the pupil before must notice.
UPDATE projections.assessments a SET
    voided = true, record = '', position = voided.position, type = voided.type, version = voided.version
FROM unnest(%b::uuid[], %b::uuid[], %b::bigint[], %b::text[], %b::bigint[])
    AS voided (pupil_id, assessment_id, position, type, version)
WHERE a.school_id = %s AND a.pupil_id = voided.pupil_id AND a.assessment_id = voided.assessment_id

-- name: newest
SELECT coalesce(max(position), 0) FROM projections.assessments WHERE school_id = %s AND pupil_id = %s

-- name: remove
DELETE FROM projections.assessments WHERE school_id = %s AND pupil_id = ANY (%s)

-- name: terms
SELECT DISTINCT academic_year, term FROM projections.assessments
WHERE school_id = %s AND cell LIKE %s || '/%%' AND term = ANY (%s) AND NOT voided

-- name: at_points
SELECT DISTINCT ON (pupil_id, academic_year, term, cell)
    assessment_id, pupil_id, type, version, record, position, entered
FROM projections.assessments
WHERE school_id = %s AND (academic_year, term) IN (SELECT * FROM unnest(%b::smallint[], %b::text[]))
    AND cell LIKE %s || '/%%' AND NOT voided
ORDER BY pupil_id, academic_year, term, cell, entered DESC

-- name: latest
SELECT assessment_id, pupil_id, type, version, record, position, entered FROM (
    SELECT DISTINCT ON (academic_year, term, cell) * FROM projections.assessments
    WHERE school_id = %s AND pupil_id = %s AND cell NOT LIKE %s || '/%%' AND NOT voided
    ORDER BY academic_year, term, cell, entered DESC
) AS current
ORDER BY academic_year DESC, term, cell

-- name: sheet
SELECT DISTINCT ON (pupil_id, cell) assessment_id, pupil_id, type, version, record, position, entered
FROM projections.assessments
WHERE school_id = %s AND pupil_id = ANY (%s) AND academic_year = %s AND term = %s
    AND split_part(cell, '/', 1) = ANY (%s) AND NOT voided
ORDER BY pupil_id, cell, entered DESC

-- name: judged
SELECT DISTINCT ON (pupil_id, academic_year, term, cell)
    assessment_id, pupil_id, type, version, record, position, entered
FROM projections.assessments
WHERE school_id = %s AND pupil_id = ANY (%s) AND cell LIKE %s || '/%%' AND NOT voided
ORDER BY pupil_id, academic_year, term, cell, entered DESC

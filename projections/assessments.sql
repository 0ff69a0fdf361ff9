-- name: tables
CREATE TABLE projections.assessments (
    school_id uuid NOT NULL,
    pupil_id uuid NOT NULL,
    assessment_id uuid NOT NULL,
    academic_year smallint NOT NULL,
    term text NOT NULL,
    cell text NOT NULL,
    entered bigint NOT NULL,
    position bigint NOT NULL,
    type text NOT NULL,
    version bigint NOT NULL,
    record bytea NOT NULL,
    voided boolean NOT NULL DEFAULT false,
    PRIMARY KEY (school_id, pupil_id, assessment_id)
);
COMMENT ON TABLE projections.assessments IS
    'Every entry; of those of a pupil in a cell, scheme, subject and period, the newest that was not voided is current.';
COMMENT ON COLUMN projections.assessments.term IS 'A term or half-term; empty for the result of a whole year.';
COMMENT ON COLUMN projections.assessments.cell IS
    'Scheme, subject, component, stage, method, qualifier and the id of a statement, with slashes between.';
COMMENT ON COLUMN projections.assessments.entered IS 'The position of the first entry: the newest takes the others'' place.';
COMMENT ON COLUMN projections.assessments.position IS 'The position of the newest event, a correction or void perhaps.';
COMMENT ON COLUMN projections.assessments.voided IS 'It should not have been entered: nothing of it is left but that it was.';
COMMENT ON COLUMN projections.assessments.record IS
    'The record compartment, sealed as it came in the event of this type and version of the pupil''s log.';

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

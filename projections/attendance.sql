-- name: tables
CREATE TABLE projections.attendance (
    school_id uuid NOT NULL,
    pupil_id uuid NOT NULL,
    academic_year smallint NOT NULL,
    position bigint NOT NULL,
    record bytea NOT NULL,
    PRIMARY KEY (school_id, pupil_id, academic_year)
);
COMMENT ON TABLE projections.attendance IS
    'The marks and totals of each pupil in each academic year, but for those who were erased.';
COMMENT ON COLUMN projections.attendance.academic_year IS 'The year in which it starts.';
COMMENT ON COLUMN projections.attendance.position IS 'Of the newest event that changed the row.';
COMMENT ON COLUMN projections.attendance.record IS
    'Marks and totals, sealed with the pupil''s key for this row at this position.';

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

-- Attendance: what summaries and registers are made of, a row for each pupil and academic year.

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

ALTER TABLE projections.attendance ENABLE ROW LEVEL SECURITY;
ALTER TABLE projections.attendance FORCE ROW LEVEL SECURITY;
CREATE POLICY one_school ON projections.attendance
    USING (school_id = (SELECT ledger.bound_school())) WITH CHECK (school_id = (SELECT ledger.bound_school()));
GRANT SELECT ON projections.attendance TO target_tracker_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON projections.attendance TO target_tracker_worker;

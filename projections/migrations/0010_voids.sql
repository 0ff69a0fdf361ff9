-- Results of every scheme, one row for each entry, so that one which is voided uncovers the one before; and targets.

-- The rows held the newest entry alone: they are made again from the streams, as workers do from position 0.
DROP TABLE projections.assessments;
-- The owner, too, is confined to one school, unless row-level security is not forced: here it is about all of them.
ALTER TABLE projections.checkpoints NO FORCE ROW LEVEL SECURITY;
DELETE FROM projections.checkpoints WHERE projection = 'assessments';
ALTER TABLE projections.checkpoints FORCE ROW LEVEL SECURITY;

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

CREATE TABLE projections.targets (
    school_id uuid NOT NULL,
    pupil_id uuid NOT NULL,
    target_id uuid NOT NULL,
    academic_year smallint NOT NULL,
    term text NOT NULL,
    scheme text NOT NULL,
    position bigint NOT NULL,
    type text NOT NULL,
    version bigint NOT NULL,
    record bytea NOT NULL,
    PRIMARY KEY (school_id, pupil_id, target_id)
);
COMMENT ON TABLE projections.targets IS 'What pupils are meant to reach, as it was set last.';
COMMENT ON COLUMN projections.targets.term IS 'A term or half-term; empty for a whole year.';
COMMENT ON COLUMN projections.targets.record IS
    'The record compartment, sealed as it came in the event of this type and version of the pupil''s log of targets.';

DO $$
DECLARE
    table_name text;
BEGIN
    FOREACH table_name IN ARRAY ARRAY['assessments', 'targets'] LOOP
        EXECUTE format('ALTER TABLE projections.%I ENABLE ROW LEVEL SECURITY', table_name);
        EXECUTE format('ALTER TABLE projections.%I FORCE ROW LEVEL SECURITY', table_name);
        EXECUTE format(
            'CREATE POLICY one_school ON projections.%I '
            'USING (school_id = (SELECT ledger.bound_school())) WITH CHECK (school_id = (SELECT ledger.bound_school()))',
            table_name);
        EXECUTE format('GRANT SELECT ON projections.%I TO target_tracker_api', table_name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON projections.%I TO target_tracker_worker', table_name);
    END LOOP;
END
$$;
COMMENT ON COLUMN analytics.benchmarks.term IS
    'autumn, spring or summer: how pupils stood at its end. Judgements of half-terms are not counted.';

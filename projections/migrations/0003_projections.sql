-- What people read: the current pupils, their assessments, the logins; and how far each has come.

CREATE SCHEMA projections;
COMMENT ON SCHEMA projections IS 'What is read: made from the streams alone, and made again whenever anybody doubts it.';
GRANT USAGE ON SCHEMA projections TO target_tracker_api, target_tracker_worker;

CREATE TABLE projections.checkpoints (
    school_id uuid NOT NULL,
    projection text NOT NULL,
    position bigint NOT NULL DEFAULT 0,
    stopped_at timestamptz,
    stopped_by text,
    CHECK ((stopped_at IS NULL) = (stopped_by IS NULL)),
    PRIMARY KEY (school_id, projection)
);
COMMENT ON TABLE projections.checkpoints IS 'How far each projection has come on each stream; written with its rows.';
COMMENT ON COLUMN projections.checkpoints.stopped_at IS
    'When the event after this position could not be applied; the projection waits for a person, for this school alone.';
COMMENT ON COLUMN projections.checkpoints.stopped_by IS 'The kind of error and the type of the event, never its content.';

CREATE TABLE projections.pupils (
    school_id uuid NOT NULL,
    pupil_id uuid NOT NULL,
    version bigint NOT NULL,
    nc_year text,
    class_id uuid,
    on_roll boolean NOT NULL,
    names_type text NOT NULL,
    names_version bigint NOT NULL,
    names bytea NOT NULL,
    record bytea NOT NULL,
    PRIMARY KEY (school_id, pupil_id)
);
COMMENT ON TABLE projections.pupils IS 'Every pupil as the events so far describe them.';
COMMENT ON COLUMN projections.pupils.names IS
    'The names compartment, copied unopened from the event of this type and version of the pupil.';
COMMENT ON COLUMN projections.pupils.record IS 'The record compartment, all changes made.';

CREATE TABLE projections.assessments (
    school_id uuid NOT NULL,
    pupil_id uuid NOT NULL,
    academic_year smallint NOT NULL,
    term text NOT NULL,
    cell text NOT NULL,
    assessment_id uuid NOT NULL,
    position bigint NOT NULL,
    type text NOT NULL,
    version bigint NOT NULL,
    record bytea NOT NULL,
    PRIMARY KEY (school_id, pupil_id, academic_year, term, cell)
);
COMMENT ON TABLE projections.assessments IS 'The newest result of each pupil in each cell: scheme, subject and period.';
COMMENT ON COLUMN projections.assessments.term IS 'Empty for the result of a whole year.';
COMMENT ON COLUMN projections.assessments.cell IS 'Scheme, subject, component, stage, method and qualifier, with slashes between.';
COMMENT ON COLUMN projections.assessments.record IS
    'The record compartment, copied from the event of this type and version of the pupil''s log.';

CREATE TABLE projections.contributions (
    school_id uuid NOT NULL,
    academic_year smallint NOT NULL,
    term text NOT NULL,
    subject text NOT NULL,
    nc_year text NOT NULL,
    below integer NOT NULL,
    at integer NOT NULL,
    above integer NOT NULL,
    PRIMARY KEY (school_id, academic_year, term, subject, nc_year)
);
COMMENT ON TABLE projections.contributions IS
    'How many of a school''s pupils are below, at and above what is expected on the steps scale: what benchmarks are made of.';

CREATE TABLE projections.logins (
    school_id uuid NOT NULL,
    position bigint NOT NULL,
    recorded_at timestamptz NOT NULL,
    staff_id uuid,
    session_id uuid,
    outcome text NOT NULL CHECK (outcome IN ('opened', 'closed', 'failed')),
    reason text,
    PRIMARY KEY (school_id, position)
);
COMMENT ON TABLE projections.logins IS 'Who came, who left and who was turned away.';
CREATE INDEX logins_of_one ON projections.logins (school_id, staff_id, position);

DO $$
DECLARE
    table_name text;
BEGIN
    FOREACH table_name IN ARRAY ARRAY['checkpoints', 'pupils', 'assessments', 'contributions', 'logins'] LOOP
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
-- Workers look for the schools that are behind; benchmarks add up what every school contributes.
CREATE POLICY every_checkpoint ON projections.checkpoints FOR SELECT TO target_tracker_worker USING (true);
CREATE POLICY every_contribution ON projections.contributions FOR SELECT TO target_tracker_worker USING (true);

CREATE SCHEMA analytics;
COMMENT ON SCHEMA analytics IS 'What the analytics team reads: released benchmarks, in which no school and no pupil can be found.';
GRANT USAGE ON SCHEMA analytics TO target_tracker_api, target_tracker_worker, target_tracker_analytics;

CREATE TABLE analytics.releases (
    release integer PRIMARY KEY,
    released_at timestamptz NOT NULL DEFAULT now(),
    minimum_pupils integer NOT NULL,
    minimum_schools integer NOT NULL
);
COMMENT ON TABLE analytics.releases IS 'The releases, with the rules that each was made under.';
COMMENT ON COLUMN analytics.releases.release IS 'The number of the release, from 1.';
COMMENT ON COLUMN analytics.releases.released_at IS 'When it was released.';
COMMENT ON COLUMN analytics.releases.minimum_pupils IS 'No figure is about fewer pupils.';
COMMENT ON COLUMN analytics.releases.minimum_schools IS 'No figure is about fewer schools.';

CREATE TABLE analytics.benchmarks (
    release integer NOT NULL REFERENCES analytics.releases,
    academic_year text NOT NULL,
    term text NOT NULL,
    scheme text NOT NULL,
    subject text NOT NULL,
    nc_year text NOT NULL,
    standing text NOT NULL CHECK (standing IN ('all', 'below', 'at', 'above')),
    pupils integer,
    share numeric(5, 4),
    symbol text CHECK (symbol = 'c'),
    CHECK ((pupils IS NULL) = (symbol IS NOT NULL)),
    CHECK ((share IS NULL) = (symbol IS NOT NULL)),
    PRIMARY KEY (academic_year, term, scheme, subject, nc_year, standing)
);
COMMENT ON TABLE analytics.benchmarks IS
    'Pupils by subject, NC year and term, and how they stand to what is expected then. A term is released once.';
COMMENT ON COLUMN analytics.benchmarks.release IS 'The release that the row came with.';
COMMENT ON COLUMN analytics.benchmarks.academic_year IS 'As in 2025/26.';
COMMENT ON COLUMN analytics.benchmarks.term IS 'autumn, spring or summer: how pupils stood at its end.';
COMMENT ON COLUMN analytics.benchmarks.scheme IS 'The scale of the judgements: steps.';
COMMENT ON COLUMN analytics.benchmarks.subject IS 'REA reading, WRI writing, MAT mathematics, ...';
COMMENT ON COLUMN analytics.benchmarks.nc_year IS 'The NC year that the pupils were in then.';
COMMENT ON COLUMN analytics.benchmarks.standing IS 'Below, at or above what is expected at that time; all: the three together.';
COMMENT ON COLUMN analytics.benchmarks.pupils IS 'The number of pupils: a value, or a symbol stands in its place.';
COMMENT ON COLUMN analytics.benchmarks.share IS 'Of all pupils of the subject, year and term: 0 to 1.';
COMMENT ON COLUMN analytics.benchmarks.symbol IS 'c: suppressed, so that nobody can be found.';

GRANT SELECT ON ALL TABLES IN SCHEMA analytics TO target_tracker_api, target_tracker_analytics;
GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA analytics TO target_tracker_worker;

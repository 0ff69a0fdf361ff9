-- Projections are built beside the live ones, and the version before is kept: each in a schema of its own, under the
-- names of the live tables. From here on the tables of a projection stand in its own SQL file.

CREATE TABLE projections.versions (
    projection text PRIMARY KEY,
    tables text[] NOT NULL,
    definition text NOT NULL,
    built_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE projections.versions IS 'The version of each projection that is live: its tables, and what defines them.';
COMMENT ON COLUMN projections.versions.tables IS 'The names of its tables, in the schema projections.';
COMMENT ON COLUMN projections.versions.definition IS 'SHA-256 of the statements that made the tables, in hexadecimal.';
GRANT SELECT ON projections.versions TO target_tracker_api, target_tracker_worker;

CREATE SCHEMA projections_next;
COMMENT ON SCHEMA projections_next IS 'Projections that are being made again; nobody but the owner reads them.';
CREATE SCHEMA projections_previous;
COMMENT ON SCHEMA projections_previous IS 'The version of each projection before the live one, to go back to.';

CREATE TABLE projections_previous.versions (LIKE projections.versions INCLUDING ALL);
-- Workers remove children who are erased from there, too.
GRANT USAGE ON SCHEMA projections_previous TO target_tracker_worker;
GRANT SELECT ON projections_previous.versions TO target_tracker_worker;
COMMENT ON TABLE projections_previous.versions IS 'The version of each projection that can be gone back to.';

DO $$
DECLARE
    schema_name text;
BEGIN
    FOREACH schema_name IN ARRAY ARRAY['projections_next', 'projections_previous'] LOOP
        EXECUTE format(
            'CREATE TABLE %I.checkpoints (school_id uuid NOT NULL, projection text NOT NULL, '
            '"position" bigint NOT NULL, PRIMARY KEY (projection, school_id))', schema_name);
        EXECUTE format('ALTER TABLE %I.checkpoints ENABLE ROW LEVEL SECURITY', schema_name);
        EXECUTE format('ALTER TABLE %I.checkpoints FORCE ROW LEVEL SECURITY', schema_name);
        EXECUTE format(
            'CREATE POLICY every_school ON %I.checkpoints TO CURRENT_USER USING (true) WITH CHECK (true)', schema_name);
    END LOOP;
END
$$;
COMMENT ON TABLE projections_next.checkpoints IS 'How far the rows that are being made have come on each stream.';
COMMENT ON TABLE projections_previous.checkpoints IS 'How far the rows of the version before had come on each stream.';

-- The owner switches versions, and so has to know how far each school has come; which is all that it sees of every school.
CREATE POLICY every_checkpoint_of_owner ON projections.checkpoints TO CURRENT_USER USING (true) WITH CHECK (true);

-- All usage by a school's staff: who logged in, read, was refused or changed what, for its administrators.

CREATE TABLE projections.usage (
    school_id uuid NOT NULL,
    position bigint NOT NULL,
    number integer NOT NULL DEFAULT 0,
    happened_at timestamptz NOT NULL,
    kind text NOT NULL
        CHECK (kind IN ('login', 'logout', 'failure', 'key', 'password', 'access', 'refusal', 'read', 'loss')),
    actor text NOT NULL CHECK (actor IN ('staff', 'operator', 'system')),
    staff_id uuid,
    about_id uuid,
    session_id uuid,
    key_id uuid,
    what text,
    route text,
    times integer NOT NULL DEFAULT 1,
    named boolean,
    pupil_ids uuid[],
    CHECK ((kind = 'read') = (pupil_ids IS NOT NULL) AND (kind = 'read') = (named IS NOT NULL)),
    PRIMARY KEY (school_id, position, number)
);
COMMENT ON TABLE projections.usage IS
    'All usage by a school''s staff, a row for each thing done: ids and codes, and nothing that is personal.';
COMMENT ON COLUMN projections.usage.number IS 'Which read of those that were recorded at this position; otherwise 0.';
COMMENT ON COLUMN projections.usage.happened_at IS
    'When: for reads and refusals as the answering machine''s clock showed it, otherwise when it was recorded.';
COMMENT ON COLUMN projections.usage.staff_id IS 'Who did it; for a failed login, whose account it was, if anybody''s.';
COMMENT ON COLUMN projections.usage.about_id IS 'Whose account it was done to, where that is somebody else''s.';
COMMENT ON COLUMN projections.usage.what IS
    'What was read; why a login failed or a session ended; what was done to an account or key; what was missing.';
COMMENT ON COLUMN projections.usage.route IS 'Where a refusal was: the method and the template of the path.';
COMMENT ON COLUMN projections.usage.times IS 'How often; of lost reads, how many.';
COMMENT ON COLUMN projections.usage.named IS 'Whether a read showed who the pupils are.';
COMMENT ON COLUMN projections.usage.pupil_ids IS 'The pupils whom a read showed.';

ALTER TABLE projections.usage ENABLE ROW LEVEL SECURITY;
ALTER TABLE projections.usage FORCE ROW LEVEL SECURITY;
CREATE POLICY one_school ON projections.usage
    USING (school_id = (SELECT ledger.bound_school())) WITH CHECK (school_id = (SELECT ledger.bound_school()));
GRANT SELECT ON projections.usage TO target_tracker_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON projections.usage TO target_tracker_worker;

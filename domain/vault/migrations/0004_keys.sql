-- Keys: what every personal field is sealed with. From here on the ledger holds nothing personal that opens without a
-- key, and each key is stored only wrapped under another.

DO $$
BEGIN
    IF EXISTS (SELECT FROM ledger.schools) THEN
        RAISE EXCEPTION 'this database was filled by a version that did not seal what it stored: begin with a new one';
    END IF;
END
$$;

GRANT USAGE ON SCHEMA vault TO target_tracker_worker;

CREATE TABLE vault.school_keys (
    school_id uuid NOT NULL PRIMARY KEY,
    generation integer NOT NULL,
    service_key text NOT NULL,
    record_for_service bytea NOT NULL,
    both_for_recovery bytea,
    made_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE vault.school_keys IS
    'The two keys of each school, as the service and the recovery can open them; with a login key: see login_keys.';
COMMENT ON COLUMN vault.school_keys.generation IS 'How often the keys have been replaced, from 1.';
COMMENT ON COLUMN vault.school_keys.service_key IS 'The id of the service''s own key that the next column is wrapped under.';
COMMENT ON COLUMN vault.school_keys.record_for_service IS
    'The record key, so that projections work while nobody is logged in. There is no such copy of the names key.';
COMMENT ON COLUMN vault.school_keys.both_for_recovery IS
    'Both keys, sealed (HPKE) to the recovery key, whose private half is kept offline; null where there is none.';

CREATE TABLE vault.login_keys (
    school_id uuid NOT NULL,
    key_id uuid NOT NULL,
    public_key bytea NOT NULL,
    generation integer NOT NULL,
    both_keys bytea,
    issued_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz,
    CHECK ((both_keys IS NULL) = (revoked_at IS NOT NULL)),
    PRIMARY KEY (school_id, key_id)
);
COMMENT ON TABLE vault.login_keys IS 'The login keys of each school, and the school''s keys as each of them opens them.';
COMMENT ON COLUMN vault.login_keys.public_key IS
    'What the login key opens is sealed to this (HPKE), so that new keys can be given to a login key that nobody shows.';
COMMENT ON COLUMN vault.login_keys.generation IS 'The generation of the school''s keys that it opens.';
COMMENT ON COLUMN vault.login_keys.both_keys IS 'Both keys of the school, sealed to the public key; gone once it is revoked.';

CREATE TABLE vault.subject_keys (
    school_id uuid NOT NULL,
    subject_id uuid NOT NULL,
    generation smallint NOT NULL,
    school_generation smallint NOT NULL,
    names bytea NOT NULL,
    record bytea NOT NULL,
    PRIMARY KEY (school_id, subject_id, generation)
) WITH (autovacuum_vacuum_threshold = 0, autovacuum_vacuum_scale_factor = 0);
-- An erased key must not lie about on a page until thousands of others have been erased, too.
COMMENT ON TABLE vault.subject_keys IS
    'The two keys of each pupil, member of staff and school. To erase somebody is to delete theirs.';
COMMENT ON COLUMN vault.subject_keys.subject_id IS 'The pupil, the member of staff, or the school itself.';
COMMENT ON COLUMN vault.subject_keys.generation IS 'Which of the subject''s keys: each sealed part says which it needs.';
COMMENT ON COLUMN vault.subject_keys.school_generation IS 'The generation of the school''s keys that they are wrapped under.';
COMMENT ON COLUMN vault.subject_keys.names IS 'The key of the names compartment, wrapped under the school''s names key.';
COMMENT ON COLUMN vault.subject_keys.record IS 'The key of the record compartment, wrapped under the school''s record key.';

CREATE TABLE vault.usernames (
    school_id uuid NOT NULL,
    digest bytea NOT NULL,
    staff_id uuid NOT NULL,
    PRIMARY KEY (school_id, digest)
);
COMMENT ON TABLE vault.usernames IS 'Which account a username is of, so that a login finds it.';
COMMENT ON COLUMN vault.usernames.digest IS 'HMAC-SHA-256 of the username under a key that comes with the school''s names key.';

-- A session holds the school's keys, wrapped under a key that only its token yields.
ALTER TABLE vault.sessions
    ADD COLUMN key_id uuid NOT NULL,
    ADD COLUMN generation integer NOT NULL,
    ADD COLUMN names bytea,
    ADD COLUMN record bytea NOT NULL;
COMMENT ON COLUMN vault.sessions.key_id IS 'The login key that it was opened with: revoking that ends it.';
COMMENT ON COLUMN vault.sessions.generation IS 'The generation of the school''s keys that it holds.';
COMMENT ON COLUMN vault.sessions.names IS
    'The names key, wrapped under a key made from the token; null for those who may not see names.';
COMMENT ON COLUMN vault.sessions.record IS 'The record key, likewise.';

DO $$
DECLARE
    table_name text;
BEGIN
    FOREACH table_name IN ARRAY ARRAY['school_keys', 'login_keys', 'subject_keys', 'usernames'] LOOP
        EXECUTE format('ALTER TABLE vault.%I ENABLE ROW LEVEL SECURITY', table_name);
        EXECUTE format('ALTER TABLE vault.%I FORCE ROW LEVEL SECURITY', table_name);
        EXECUTE format(
            'CREATE POLICY one_school ON vault.%I '
            'USING (school_id = ledger.bound_school()) WITH CHECK (school_id = ledger.bound_school())',
            table_name);
    END LOOP;
END
$$;
-- Workers look for what is still wrapped under an earlier key of the service.
CREATE POLICY every_service_key ON vault.school_keys FOR SELECT TO target_tracker_worker USING (true);

GRANT SELECT, INSERT, UPDATE (generation, service_key, record_for_service, both_for_recovery, made_at)
    ON vault.school_keys TO target_tracker_api;
GRANT SELECT, INSERT, UPDATE (generation, both_keys, revoked_at) ON vault.login_keys TO target_tracker_api;
GRANT SELECT, INSERT, UPDATE (school_generation, names, record), DELETE ON vault.subject_keys TO target_tracker_api;
GRANT SELECT, INSERT, DELETE ON vault.usernames TO target_tracker_api;
-- A worker can read no wrapped names key, even if it had something to open it with.
GRANT SELECT (school_id, generation, service_key, record_for_service), UPDATE (service_key, record_for_service)
    ON vault.school_keys TO target_tracker_worker;
GRANT SELECT (school_id, subject_id, generation, school_generation, record)
    ON vault.subject_keys TO target_tracker_worker;

-- The events of one originator, in order, with the keys of whom they are about: bound to the school, in one round trip.
-- The keys are read first, so that whoever still finds keys finds the erasure among the events.
CREATE FUNCTION vault.events_of(
    in_school uuid, originator uuid, subject uuid, after_version bigint DEFAULT NULL, up_to_version bigint DEFAULT NULL
) RETURNS TABLE (
    originator_version bigint, type text, state bytea, "position" bigint, recorded_at timestamptz, keys bytea
)
    LANGUAGE plpgsql
    AS $$
DECLARE
    packed bytea;
BEGIN
    PERFORM set_config('target_tracker.school_id', in_school::text, true);
    SELECT string_agg(int2send(k.generation) || int2send(k.school_generation) || k.names || k.record, ''::bytea)
        INTO packed
        FROM vault.subject_keys k WHERE k.school_id = in_school AND k.subject_id = subject;
    RETURN QUERY
        SELECT e.originator_version, e.type, e.state, e.position, e.recorded_at, packed
        FROM ledger.events e
        WHERE e.school_id = in_school AND e.originator_id = originator
            AND e.originator_version > coalesce(after_version, -1)
            AND e.originator_version <= coalesce(up_to_version, 9223372036854775807)
        ORDER BY e.originator_version;
END
$$;
COMMENT ON FUNCTION vault.events_of IS 'The events of one originator, with the wrapped keys of their subject.';
REVOKE ALL ON FUNCTION vault.events_of FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vault.events_of TO target_tracker_api;

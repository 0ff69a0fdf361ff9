-- The operator's own stream: what the operator does that is no school's, such as releasing benchmarks.
--
-- It is a stream like those of schools, with positions and a tree of its own, under an id that is always the same
-- (domain/ledger/operators_stream.py). It belongs to no URN, and nothing in it is personal. It is opened with its first
-- event.

-- The only way in. The worker's role may append to no stream by itself: the function does it for this one stream, and for
-- these events, as the owner.
CREATE FUNCTION ledger.append_for_operator(
    originators uuid[], versions bigint[], types text[], states bytea[],
    OUT first_position bigint, OUT last_position bigint, OUT appended_at timestamptz
)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    operators_stream CONSTANT uuid := '6f706572-6174-8f72-8000-000000000001';
    event_type text;
BEGIN
    FOREACH event_type IN ARRAY types LOOP
        IF split_part(event_type, '.', 1) <> 'benchmarks' THEN
            RAISE EXCEPTION 'the operator''s stream holds no %', event_type USING ERRCODE = 'insufficient_privilege';
        END IF;
    END LOOP;
    PERFORM set_config('target_tracker.school_id', operators_stream::text, true);
    INSERT INTO ledger.streams (school_id) VALUES (operators_stream) ON CONFLICT DO NOTHING;
    SELECT a.first_position, a.last_position, a.appended_at INTO first_position, last_position, appended_at
        FROM ledger.append(operators_stream, originators, versions, types, states) a;
END
$$;
COMMENT ON FUNCTION ledger.append_for_operator IS 'Appends to the operator''s own stream, which the worker''s role may do.';
REVOKE ALL ON FUNCTION ledger.append_for_operator FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.append_for_operator TO target_tracker_worker;

-- The API appends to every school's stream, and never to this one.
CREATE POLICY not_the_operators ON ledger.events AS RESTRICTIVE FOR INSERT TO target_tracker_api
    WITH CHECK (school_id <> '6f706572-6174-8f72-8000-000000000001');
CREATE POLICY not_the_operators ON ledger.streams AS RESTRICTIVE FOR INSERT TO target_tracker_api
    WITH CHECK (school_id <> '6f706572-6174-8f72-8000-000000000001');

-- What a release was proposed from: so that what is published is what was proposed, and nothing else.
CREATE TABLE ledger.proposals (
    proposal uuid PRIMARY KEY,
    proposed_at timestamptz NOT NULL DEFAULT now(),
    content bytea NOT NULL,
    digest bytea NOT NULL
);
COMMENT ON TABLE ledger.proposals IS
    'Releases of benchmarks as they were proposed: never changed. No school''s figures are in it.';
COMMENT ON COLUMN ledger.proposals.content IS
    'A msgpack map: the points, the rules, every school with its position, and the digest of what was counted there.';
COMMENT ON COLUMN ledger.proposals.digest IS 'SHA-256 of the content; the release event repeats it.';
GRANT SELECT, INSERT ON ledger.proposals TO target_tracker_worker;

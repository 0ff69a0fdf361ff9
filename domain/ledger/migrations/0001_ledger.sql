-- The ledger: per-school streams, the commands that wrote them, and the roles that may touch them.

-- Roles belong to the whole server, so another database on it may have made them already.
DO $$
DECLARE
    role_name text;
BEGIN
    FOREACH role_name IN ARRAY ARRAY['target_tracker_api', 'target_tracker_worker', 'target_tracker_analytics'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I LOGIN', role_name);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN -- made meanwhile, for another database
                NULL;
            END;
        END IF;
    END LOOP;
END
$$;

DO $$
BEGIN
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format(
        'GRANT CONNECT ON DATABASE %I TO target_tracker_api, target_tracker_worker, target_tracker_analytics',
        current_database());
END
$$;
REVOKE ALL ON SCHEMA public FROM PUBLIC;

CREATE SCHEMA ledger;
COMMENT ON SCHEMA ledger IS 'What happened: immutable events on one stream per school.';
GRANT USAGE ON SCHEMA ledger TO target_tracker_api, target_tracker_worker;

-- The school that this transaction is bound to; null, and so nothing, when it is bound to none.
CREATE FUNCTION ledger.bound_school() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('target_tracker.school_id', true), '')::uuid;
COMMENT ON FUNCTION ledger.bound_school() IS 'The school that row-level security confines this transaction to.';

CREATE TABLE ledger.schools (
    urn text PRIMARY KEY CHECK (urn ~ '^[0-9]{5,7}$'),
    school_id uuid NOT NULL UNIQUE
);
COMMENT ON TABLE ledger.schools IS
    'Which school has which URN: the only table that is looked at before the school is known. Public facts.';
GRANT SELECT, INSERT ON ledger.schools TO target_tracker_api;
GRANT SELECT ON ledger.schools TO target_tracker_worker;

-- No CHECK constraints here: PostgreSQL prepares them anew for every statement, some 5 % of an append.
CREATE TABLE ledger.streams (
    school_id uuid PRIMARY KEY,
    position bigint NOT NULL DEFAULT 0,
    peaks bytea NOT NULL DEFAULT '',
    recorded_at timestamptz NOT NULL DEFAULT '-infinity'
) WITH (fillfactor = 50);
COMMENT ON TABLE ledger.streams IS 'The head of each stream: its lock is what makes positions gapless.';
COMMENT ON COLUMN ledger.streams.position IS 'The position of the last event; also the number of leaves of the tree.';
COMMENT ON COLUMN ledger.streams.peaks IS
    'The compact range of the Merkle tree (RFC 9162): the roots of its perfect subtrees, 32 bytes each, largest first.';
COMMENT ON COLUMN ledger.streams.recorded_at IS 'When the last event was recorded; no later event is recorded before it.';

CREATE TABLE ledger.events (
    school_id uuid NOT NULL,
    position bigint NOT NULL,
    originator_id uuid NOT NULL,
    originator_version bigint NOT NULL,
    type text NOT NULL,
    recorded_at timestamptz NOT NULL,
    state bytea NOT NULL,
    leaf_hash bytea NOT NULL,
    PRIMARY KEY (school_id, position),
    CONSTRAINT events_originator_version UNIQUE (school_id, originator_id, originator_version)
);
COMMENT ON TABLE ledger.events IS 'The streams. Never updated, never deleted from.';
COMMENT ON COLUMN ledger.events.position IS 'Gapless within a school, from 1, in the order of commit.';
COMMENT ON COLUMN ledger.events.type IS 'The registered name and schema version of the event, as in pupil.admitted.1.';
COMMENT ON COLUMN ledger.events.state IS 'The parts of the event, one for each compartment.';
COMMENT ON COLUMN ledger.events.leaf_hash IS 'The leaf of the Merkle tree: see ledger.leaf_hash.';
-- The events that decisions are made from, which are few beside the assessments and logins.
CREATE INDEX events_to_decide_from ON ledger.events (school_id, split_part(type, '.', 1), position)
    WHERE split_part(type, '.', 1) IN ('school', 'staff', 'pupil');

CREATE TABLE ledger.commands (
    school_id uuid NOT NULL,
    command_id uuid NOT NULL,
    fingerprint bytea NOT NULL,
    first_position bigint NOT NULL,
    last_position bigint NOT NULL,
    result bytea NOT NULL,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (school_id, command_id)
);
COMMENT ON TABLE ledger.commands IS 'The first result of each command that carried an id, to answer a repeat with.';
COMMENT ON COLUMN ledger.commands.command_id IS 'A digest of the id that the caller gave.';
COMMENT ON COLUMN ledger.commands.fingerprint IS 'HMAC-SHA-256 of the content under the id that the caller gave.';

CREATE TABLE ledger.snapshots (
    school_id uuid NOT NULL,
    originator_id uuid NOT NULL,
    originator_version bigint NOT NULL,
    type text NOT NULL,
    state bytea NOT NULL,
    PRIMARY KEY (school_id, originator_id, originator_version)
);
COMMENT ON TABLE ledger.snapshots IS 'States of long-lived aggregates, to start reading from; never the truth.';

CREATE TABLE ledger.tracking (
    school_id uuid NOT NULL,
    application_name text NOT NULL,
    notification_id bigint NOT NULL,
    PRIMARY KEY (school_id, application_name)
);
COMMENT ON TABLE ledger.tracking IS 'Positions of the eventsourcing library''s own projections and processes, where any are used.';

-- Row-level security: whoever is bound to no school sees no row. The function is called bare, and not in a subquery:
-- that would be cheaper for many rows, but dearer for the one row that an append is about.
DO $$
DECLARE
    table_name text;
BEGIN
    FOREACH table_name IN ARRAY ARRAY['streams', 'events', 'commands', 'snapshots', 'tracking'] LOOP
        EXECUTE format('ALTER TABLE ledger.%I ENABLE ROW LEVEL SECURITY', table_name);
        EXECUTE format('ALTER TABLE ledger.%I FORCE ROW LEVEL SECURITY', table_name);
        EXECUTE format(
            'CREATE POLICY one_school ON ledger.%I '
            'USING (school_id = ledger.bound_school()) WITH CHECK (school_id = ledger.bound_school())',
            table_name);
    END LOOP;
END
$$;
-- Workers find the schools that are behind by looking at every head.
CREATE POLICY every_head ON ledger.streams FOR SELECT TO target_tracker_worker USING (true);

GRANT SELECT, INSERT, UPDATE (position, peaks, recorded_at) ON ledger.streams TO target_tracker_api;
GRANT SELECT, INSERT ON ledger.events TO target_tracker_api;
GRANT SELECT, INSERT ON ledger.commands TO target_tracker_api;
GRANT SELECT, INSERT ON ledger.snapshots TO target_tracker_api;
GRANT SELECT, INSERT, UPDATE (notification_id) ON ledger.tracking TO target_tracker_api;
GRANT SELECT ON ledger.streams, ledger.events TO target_tracker_worker;

-- The leaf of one event: SHA-256(0x00 || school || position || originator || version || recorded_at
--     || length of type || type || state), integers as 8 bytes (the length as 4), big-endian, the time as
-- microseconds since 2000-01-01T00:00:00Z; 0x00 is the leaf prefix of RFC 9162, section 2.1.1.
CREATE FUNCTION ledger.leaf_hash(
    school_id uuid, "position" bigint, originator_id uuid, originator_version bigint,
    recorded_at timestamptz, type text, state bytea
) RETURNS bytea
    LANGUAGE sql STABLE PARALLEL SAFE -- as stable as convert_to: a stricter promise would keep it from being inlined
    RETURN sha256(
        '\x00'::bytea || uuid_send(school_id) || int8send("position") || uuid_send(originator_id)
        || int8send(originator_version) || timestamptz_send(recorded_at)
        || int4send(octet_length(type)) || convert_to(type, 'UTF8') || state
    );

-- Appends events to a school's stream: the only way in.
--
-- The head row's lock numbers the events and is held until commit, so that positions have no gaps and no reader can
-- pass an append in flight. A command that was carried out before is answered with what it answered then, and
-- nothing is written. A decision that rested on all events of a category (unless_category, one of school, staff and
-- pupil) is refused with SQLSTATE TT001 when one was added after the position that it read up to (unless_after).
CREATE FUNCTION ledger.append(
    in_school uuid, originators uuid[], versions bigint[], types text[], states bytea[],
    command uuid DEFAULT NULL, command_fingerprint bytea DEFAULT NULL, command_result bytea DEFAULT NULL,
    unless_category text DEFAULT NULL, unless_after bigint DEFAULT NULL,
    OUT first_position bigint, OUT last_position bigint, OUT appended_at timestamptz,
    OUT repeated boolean, OUT first_result bytea, OUT first_fingerprint bytea
)
    LANGUAGE plpgsql
    AS $$
DECLARE
    head_position bigint;
    head_recorded_at timestamptz;
    tree_peaks bytea;
    tree_size bigint;
    left_leaves bigint;
    leaf bytea;
    leaves bytea[];
BEGIN
    PERFORM set_config('target_tracker.school_id', in_school::text, true);
    SELECT s.position, s.peaks, s.recorded_at INTO head_position, tree_peaks, head_recorded_at
        FROM ledger.streams s WHERE s.school_id = in_school FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no stream for this school' USING ERRCODE = 'TT002';
    END IF;

    IF command IS NOT NULL THEN
        SELECT c.first_position, c.last_position, c.recorded_at, true, c.result, c.fingerprint
            INTO first_position, last_position, appended_at, repeated, first_result, first_fingerprint
            FROM ledger.commands c WHERE c.school_id = in_school AND c.command_id = command;
        IF FOUND THEN
            RETURN;
        END IF;
    END IF;

    IF unless_category IS NOT NULL THEN -- on its own: together with what follows, it would cost some 5 %
        IF unless_category NOT IN ('school', 'staff', 'pupil') THEN -- others would never be found to have changed
            RAISE EXCEPTION 'no decision rests on the category %', unless_category
                USING ERRCODE = 'invalid_parameter_value';
        END IF;
        IF EXISTS (
            SELECT FROM ledger.events e
            WHERE e.school_id = in_school AND split_part(e.type, '.', 1) = unless_category
                AND e.position > coalesce(unless_after, 0)
                AND split_part(e.type, '.', 1) IN ('school', 'staff', 'pupil')
        ) THEN
            RAISE EXCEPTION 'an event of this category has been added since' USING ERRCODE = 'TT001';
        END IF;
    END IF;

    first_position := head_position + 1;
    last_position := head_position + cardinality(originators);
    appended_at := greatest(clock_timestamp(), head_recorded_at);
    repeated := false;

    IF cardinality(originators) = 1 THEN -- most appends: cheaper than the general statement
        leaf := ledger.leaf_hash(
            in_school, first_position, originators[1], versions[1], appended_at, types[1], states[1]);
        INSERT INTO ledger.events
            (school_id, position, originator_id, originator_version, type, recorded_at, state, leaf_hash)
        VALUES (in_school, first_position, originators[1], versions[1], types[1], appended_at, states[1], leaf);
        leaves := ARRAY[leaf];
    ELSE
        WITH added AS (
            INSERT INTO ledger.events
                (school_id, position, originator_id, originator_version, type, recorded_at, state, leaf_hash)
            SELECT in_school, head_position + n, originator, version, event_type, appended_at, event_state,
                ledger.leaf_hash(
                    in_school, head_position + n, originator, version, appended_at, event_type, event_state)
            FROM unnest(originators, versions, types, states)
                WITH ORDINALITY AS new (originator, version, event_type, event_state, n)
            RETURNING position, leaf_hash
        )
        SELECT array_agg(leaf_hash ORDER BY position) INTO leaves FROM added;
    END IF;

    -- Each new leaf is a peak; while a peak has an equal to its left, the two are joined under their parent.
    tree_size := head_position;
    FOREACH leaf IN ARRAY coalesce(leaves, '{}') LOOP
        left_leaves := tree_size;
        WHILE left_leaves & 1 = 1 LOOP
            leaf := sha256('\x01'::bytea || substr(tree_peaks, length(tree_peaks) - 31) || leaf);
            tree_peaks := substr(tree_peaks, 1, length(tree_peaks) - 32);
            left_leaves := left_leaves >> 1;
        END LOOP;
        tree_peaks := tree_peaks || leaf;
        tree_size := tree_size + 1;
    END LOOP;

    UPDATE ledger.streams s SET position = last_position, peaks = tree_peaks, recorded_at = appended_at
        WHERE s.school_id = in_school;

    IF command IS NOT NULL THEN
        INSERT INTO ledger.commands
            VALUES (in_school, command, command_fingerprint, first_position, last_position, command_result, appended_at);
    END IF;
END
$$;

-- The events of one originator, in order; bound to the school in one round trip.
CREATE FUNCTION ledger.events_of(
    in_school uuid, originator uuid, after_version bigint DEFAULT NULL, up_to_version bigint DEFAULT NULL
) RETURNS TABLE (originator_version bigint, type text, state bytea, "position" bigint, recorded_at timestamptz)
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM set_config('target_tracker.school_id', in_school::text, true);
    RETURN QUERY
        SELECT e.originator_version, e.type, e.state, e.position, e.recorded_at
        FROM ledger.events e
        WHERE e.school_id = in_school AND e.originator_id = originator
            AND e.originator_version > coalesce(after_version, -1)
            AND e.originator_version <= coalesce(up_to_version, 9223372036854775807)
        ORDER BY e.originator_version;
END
$$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA ledger FROM PUBLIC;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA ledger TO target_tracker_api;
GRANT EXECUTE ON FUNCTION ledger.bound_school() TO target_tracker_worker;

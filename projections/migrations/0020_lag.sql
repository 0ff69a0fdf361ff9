-- What has stopped tries again by itself, more and more seldom; and how far behind each school is, also in time.

ALTER TABLE projections.checkpoints
    ADD COLUMN tries integer NOT NULL DEFAULT 0,
    ADD COLUMN next_try_at timestamptz,
    ADD CONSTRAINT tries_of_what_has_stopped CHECK (stopped_at IS NOT NULL OR (tries = 0 AND next_try_at IS NULL));
COMMENT ON COLUMN projections.checkpoints.stopped_at IS
    'When the event after this position could not be applied for the first time; the projection stands still, for this school alone.';
COMMENT ON COLUMN projections.checkpoints.tries IS 'How often that event has been tried since it stopped, the first time included.';
COMMENT ON COLUMN projections.checkpoints.next_try_at IS
    'When a worker tries that event again by itself; null: only when a person says so.';

-- What had stopped already is tried again by the new version. The owner sees no school's rows otherwise.
ALTER TABLE projections.checkpoints NO FORCE ROW LEVEL SECURITY;
UPDATE projections.checkpoints SET tries = 1, next_try_at = now() WHERE stopped_at IS NOT NULL;
ALTER TABLE projections.checkpoints FORCE ROW LEVEL SECURITY;

-- How far each projection is with each school. One call, since each school's events are seen in its turn only.
CREATE FUNCTION projections.lag(names text[], only_behind boolean) RETURNS TABLE (
    projection text, school_id uuid, "position" bigint, head bigint, seconds double precision,
    stopped_at timestamptz, stopped_by text, tries integer, next_try_at timestamptz
)
    LANGUAGE plpgsql
    AS $$
#variable_conflict use_column
DECLARE
    bound_before text := coalesce(current_setting('target_tracker.school_id', true), '');
    line record;
    school_before uuid;
    position_before bigint;
    oldest timestamptz;
BEGIN
    FOR line IN
        SELECT p.projection, s.school_id, coalesce(c.position, 0) AS position, s.position AS head,
            c.stopped_at, c.stopped_by, coalesce(c.tries, 0) AS tries, c.next_try_at
        FROM ledger.streams s
        JOIN ledger.schools USING (school_id) -- the operator's own stream is no school's
        CROSS JOIN unnest(names) AS p (projection)
        LEFT JOIN projections.checkpoints c ON c.school_id = s.school_id AND c.projection = p.projection
        WHERE NOT only_behind OR s.position > coalesce(c.position, 0)
        ORDER BY s.school_id, coalesce(c.position, 0)
    LOOP
        seconds := NULL;
        IF line.head > line.position THEN
            -- Most projections of a school are at the same place.
            IF (line.school_id, line.position) IS DISTINCT FROM (school_before, position_before) THEN
                PERFORM set_config('target_tracker.school_id', line.school_id::text, true);
                SELECT e.recorded_at INTO oldest FROM ledger.events e
                    WHERE e.school_id = line.school_id AND e.position = line.position + 1;
                school_before := line.school_id;
                position_before := line.position;
            END IF;
            seconds := greatest(0, extract(epoch FROM clock_timestamp() - oldest));
        END IF;
        projection := line.projection;
        school_id := line.school_id;
        "position" := line.position;
        head := line.head;
        stopped_at := line.stopped_at;
        stopped_by := line.stopped_by;
        tries := line.tries;
        next_try_at := line.next_try_at;
        RETURN NEXT;
    END LOOP;
    PERFORM set_config('target_tracker.school_id', bound_before, true);
END
$$;
COMMENT ON FUNCTION projections.lag(text[], boolean) IS
    'How many events, and since when, each projection is behind with each school; of all schools, or those that it is behind with.';
REVOKE ALL ON FUNCTION projections.lag(text[], boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION projections.lag(text[], boolean) TO target_tracker_worker;

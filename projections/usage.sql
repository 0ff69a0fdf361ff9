-- name: tables
CREATE TABLE projections.usage (
    school_id uuid NOT NULL,
    position bigint NOT NULL,
    number integer NOT NULL DEFAULT 0,
    happened_at timestamptz NOT NULL,
    kind text NOT NULL
        CHECK (kind IN (
            'login', 'logout', 'failure', 'key', 'password', 'access', 'refusal', 'read', 'loss', 'permission',
            'release')),
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
    CHECK (
        (kind IN ('read', 'release')) = (pupil_ids IS NOT NULL)
        AND (kind IN ('read', 'release')) = (named IS NOT NULL)),
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
COMMENT ON COLUMN projections.usage.named IS 'Whether a read showed, or a release says, who the pupils are.';
COMMENT ON COLUMN projections.usage.pupil_ids IS 'The pupils whom a read showed, or a release names.';

-- name: add
-- The pupils come as bytes of 16 each: PostgreSQL has no arrays of arrays of different lengths.
INSERT INTO projections.usage
    (school_id, position, number, happened_at, kind, actor, staff_id, about_id, session_id, key_id, what, route,
     times, named, pupil_ids)
SELECT %s, position, number, happened_at, kind, actor, staff_id, about_id, session_id, key_id, what, route,
    times, named, CASE WHEN pupils IS NOT NULL THEN ARRAY(
        SELECT encode(substr(pupils, n * 16 + 1, 16), 'hex')::uuid
        FROM generate_series(0, length(pupils) / 16 - 1) AS n ORDER BY n) END
FROM unnest(
    %b::bigint[], %b::integer[], %b::timestamptz[], %b::text[], %b::text[], %b::uuid[], %b::uuid[], %b::uuid[],
    %b::uuid[], %b::text[], %b::text[], %b::integer[], %b::boolean[], %b::bytea[])
    AS given (position, number, happened_at, kind, actor, staff_id, about_id, session_id, key_id, what, route,
              times, named, pupils)

-- name: find
-- Row-level security lets no index on `pupil_ids` be used, so one pupil's are looked for from the newest backwards.
SELECT position, number, happened_at, kind, actor, staff_id, about_id, session_id, key_id, what, route, times, named,
    cardinality(pupil_ids)
FROM projections.usage
WHERE school_id = %(school)s
    AND (%(staff_id)s::uuid IS NULL OR %(staff_id)s IN (staff_id, about_id))
    AND (%(pupil_id)s::uuid IS NULL OR %(pupil_id)s = ANY (pupil_ids))
    AND (%(kind)s::text IS NULL OR kind = %(kind)s)
    AND (%(since)s::timestamptz IS NULL OR happened_at >= %(since)s)
    AND (%(until)s::timestamptz IS NULL OR happened_at < %(until)s)
    AND (%(before)s::bigint IS NULL OR (position, number) < (%(before)s, %(before_number)s::integer))
ORDER BY position DESC, number DESC
LIMIT %(limit)s

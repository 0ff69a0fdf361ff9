-- name: tables
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

-- name: add
INSERT INTO projections.logins (school_id, position, recorded_at, staff_id, session_id, outcome, reason)
SELECT %s, * FROM unnest(
    %b::bigint[], %b::timestamptz[], %b::uuid[], %b::uuid[], %b::text[], %b::text[])

-- name: find
SELECT position, recorded_at, staff_id, outcome, reason, session_id FROM projections.logins
WHERE school_id = %(school)s
    AND (%(staff_id)s::uuid IS NULL OR staff_id = %(staff_id)s)
    AND (%(since)s::timestamptz IS NULL OR recorded_at >= %(since)s)
    AND (%(until)s::timestamptz IS NULL OR recorded_at < %(until)s)
    AND (%(before)s::bigint IS NULL OR position < %(before)s)
ORDER BY position DESC
LIMIT %(limit)s

-- name: tables
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

-- name: upsert
INSERT INTO projections.targets
    (school_id, pupil_id, target_id, academic_year, term, scheme, position, type, version, record)
SELECT %s, * FROM unnest(
    %b::uuid[], %b::uuid[], %b::smallint[], %b::text[], %b::text[], %b::bigint[], %b::text[], %b::bigint[], %b::bytea[])
ON CONFLICT (school_id, pupil_id, target_id) DO UPDATE SET
    academic_year = excluded.academic_year, term = excluded.term, scheme = excluded.scheme,
    position = excluded.position, type = excluded.type, version = excluded.version, record = excluded.record

-- name: drop
DELETE FROM projections.targets t USING unnest(%b::uuid[], %b::uuid[]) AS dropped (pupil_id, target_id)
WHERE t.school_id = %s AND t.pupil_id = dropped.pupil_id AND t.target_id = dropped.target_id

-- name: remove
DELETE FROM projections.targets WHERE school_id = %s AND pupil_id = ANY (%s)

-- name: of_pupils
SELECT target_id, pupil_id, type, version, record, position FROM projections.targets
WHERE school_id = %s AND pupil_id = ANY (%s)
ORDER BY pupil_id, academic_year DESC, term, scheme, target_id

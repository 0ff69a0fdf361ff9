-- name: tables
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
COMMENT ON TABLE projections.pupils IS 'Every pupil as the events so far describe them, but for those who were erased.';
COMMENT ON COLUMN projections.pupils.class_id IS 'A digest of the name of the class, under a key of the school.';
COMMENT ON COLUMN projections.pupils.names IS
    'The names compartment, sealed as it came in the event of this type and version of the pupil.';
COMMENT ON COLUMN projections.pupils.record IS
    'The record compartment with all changes made, sealed with the pupil''s key for this row at this version.';

-- name: of_many
SELECT pupil_id, version, names_type, names_version, names, record
FROM projections.pupils WHERE school_id = %s AND pupil_id = ANY (%s)

-- name: upsert
INSERT INTO projections.pupils AS p
    (school_id, pupil_id, version, nc_year, class_id, on_roll, names_type, names_version, names, record)
SELECT %s, * FROM unnest(
    %b::uuid[], %b::bigint[], %b::text[], %b::uuid[], %b::boolean[], %b::text[], %b::bigint[], %b::bytea[], %b::bytea[])
ON CONFLICT (school_id, pupil_id) DO UPDATE SET
    version = excluded.version, nc_year = excluded.nc_year, class_id = excluded.class_id, on_roll = excluded.on_roll,
    names_type = excluded.names_type, names_version = excluded.names_version, names = excluded.names,
    record = excluded.record

-- name: remove
DELETE FROM projections.pupils WHERE school_id = %s AND pupil_id = ANY (%s)

-- name: find
-- With the keys of each, packed as vault.events_of packs them: of a child who has been erased there are none, and the
-- row, if a worker has not removed it yet, is not found.
SELECT pupil_id, version, class_id, names_type, names_version, p.names, p.record, keys.packed
FROM projections.pupils p
CROSS JOIN LATERAL (
    SELECT string_agg(int2send(k.generation) || int2send(k.school_generation) || k.names || k.record, '')
    FROM vault.subject_keys k WHERE k.school_id = p.school_id AND k.subject_id = p.pupil_id
    HAVING count(*) > 0
) AS keys (packed)
WHERE school_id = %(school)s
    AND (%(pupil_id)s::uuid IS NULL OR pupil_id = %(pupil_id)s)
    AND (%(nc_year)s::text IS NULL OR nc_year = %(nc_year)s)
    AND (%(class_id)s::uuid IS NULL OR class_id = %(class_id)s)
    AND (%(on_roll)s::boolean IS NULL OR on_roll = %(on_roll)s)
    AND (%(after)s::uuid IS NULL OR pupil_id > %(after)s)
ORDER BY pupil_id
LIMIT %(limit)s

-- name: classes
-- The record of one pupil of each class, to read its name from, with the keys; and the number of pupils.
SELECT DISTINCT ON (class_id)
    class_id, pupil_id, version, p.record, keys.packed, count(*) OVER (PARTITION BY class_id)
FROM projections.pupils p
CROSS JOIN LATERAL (
    SELECT string_agg(int2send(k.generation) || int2send(k.school_generation) || k.names || k.record, '')
    FROM vault.subject_keys k WHERE k.school_id = p.school_id AND k.subject_id = p.pupil_id
    HAVING count(*) > 0
) AS keys (packed)
WHERE school_id = %s AND on_roll AND class_id IS NOT NULL
ORDER BY class_id, pupil_id

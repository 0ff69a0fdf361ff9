-- name: version
SELECT definition, tables FROM projections.versions WHERE projection = %s

-- name: versions
SELECT projection, definition FROM projections.versions

-- name: absent
SELECT name FROM unnest(%s::text[]) AS name WHERE to_regclass(format('%%I.%%I', %s::text, name)) IS NULL

-- name: add_version
INSERT INTO projections.versions (projection, tables, definition) VALUES (%s, %s, %s)

-- name: previous_tables_of_pupils
SELECT name FROM projections_previous.versions v, unnest(v.tables) AS name
WHERE v.projection = %s AND EXISTS (
    SELECT FROM pg_attribute
    WHERE attrelid = to_regclass(format('projections_previous.%%I', name)) AND attname = 'pupil_id' AND NOT attisdropped)

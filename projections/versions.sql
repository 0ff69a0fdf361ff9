-- name: version
SELECT definition, tables FROM projections.versions WHERE projection = %s

-- name: versions
SELECT projection, definition FROM projections.versions

-- name: absent
SELECT name FROM unnest(%s::text[]) AS name WHERE to_regclass(format('%%I.%%I', %s::text, name)) IS NULL

-- name: add_version
INSERT INTO projections.versions (projection, tables, definition) VALUES (%s, %s, %s)

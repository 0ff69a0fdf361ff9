-- name: one_moment
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY

-- name: newest_points
-- Of each point its newest release that was not withdrawn.
SELECT max(b.release), b.academic_year, b.assessment_point
FROM (SELECT DISTINCT release, academic_year, assessment_point FROM analytics.benchmarks) b
JOIN analytics.releases r USING (release)
WHERE r.withdrawn_at IS NULL
GROUP BY b.academic_year, b.assessment_point

-- name: points_of_release
SELECT DISTINCT release, academic_year, assessment_point FROM analytics.benchmarks WHERE release = %s

-- name: described
SELECT table_name, column_name, type, unit, description FROM analytics.data_dictionary

-- name: benchmarks
SELECT b.*
FROM analytics.benchmarks b
JOIN analytics.measures m USING (measure)
JOIN analytics.characteristics c USING (characteristic, category)
WHERE (b.release, b.academic_year, b.assessment_point) IN (
    SELECT * FROM unnest(%(releases)b::integer[], %(years)b::text[], %(points)b::text[]))
ORDER BY b.academic_year, array_position(%(names)b::text[], b.assessment_point), b.scheme, b.subject,
    length(b.nc_year), b.nc_year, c.sequence, m.sequence

-- name: school_distribution
SELECT b.*
FROM analytics.school_distribution b
JOIN analytics.measures m USING (measure)
WHERE (b.release, b.academic_year, b.assessment_point) IN (
    SELECT * FROM unnest(%(releases)b::integer[], %(years)b::text[], %(points)b::text[]))
ORDER BY b.academic_year, array_position(%(names)b::text[], b.assessment_point), b.scheme, b.subject,
    length(b.nc_year), b.nc_year, m.sequence, b.decile

-- name: school_bands
SELECT b.*
FROM analytics.school_bands b
JOIN analytics.characteristics c USING (characteristic, category)
WHERE (b.release, b.academic_year, b.assessment_point) IN (
    SELECT * FROM unnest(%(releases)b::integer[], %(years)b::text[], %(points)b::text[]))
ORDER BY b.academic_year, array_position(%(names)b::text[], b.assessment_point), c.sequence

-- name: releases
SELECT r.* FROM analytics.releases r WHERE r.release = ANY (%(releases)b::integer[]) ORDER BY r.release

-- name: characteristics
SELECT c.* FROM analytics.characteristics c ORDER BY c.sequence

-- name: measures
SELECT m.* FROM analytics.measures m ORDER BY m.sequence

-- name: symbols
SELECT s.* FROM analytics.symbols s ORDER BY array_position(ARRAY['c', 'z', 'x', 'low'], s.symbol), s.symbol

-- name: data_dictionary
-- In the order of the tables' own columns; what is said of a table stands before its columns.
SELECT d.*
FROM analytics.data_dictionary d
LEFT JOIN pg_attribute a
    ON a.attrelid = to_regclass(format('analytics.%%I', d.table_name)) AND a.attname = d.column_name
ORDER BY array_position(%(tables)b::text[], d.table_name), d.table_name, a.attnum NULLS FIRST, d.column_name

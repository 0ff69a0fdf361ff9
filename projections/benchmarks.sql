-- name: heads
SELECT school_id, position FROM ledger.streams

-- name: short_of
-- The schools whose counts do not hold everything yet up to these positions.
SELECT head.school_id, c.stopped_at IS NOT NULL
FROM unnest(%s::uuid[], %s::bigint[]) AS head (school_id, position)
LEFT JOIN projections.checkpoints c ON c.school_id = head.school_id AND c.projection = %s
WHERE coalesce(c.position, 0) < head.position

-- name: lock_releases
-- One release at a time; the worker's role may insert and nothing else, so it cannot lock the table itself.
SELECT pg_advisory_xact_lock(hashtext('analytics.releases'))

-- name: schools
SELECT school_id FROM ledger.streams ORDER BY school_id

-- name: released_terms
SELECT DISTINCT academic_year, term FROM analytics.benchmarks

-- name: add_release
INSERT INTO analytics.releases (release, minimum_pupils, minimum_schools)
SELECT coalesce(max(release), 0) + 1, %s, %s FROM analytics.releases
RETURNING release

-- name: add_benchmarks
INSERT INTO analytics.benchmarks
    (release, academic_year, term, scheme, subject, nc_year, standing, pupils, share, symbol)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)

-- name: released
SELECT release, academic_year, term, scheme, subject, nc_year, standing, pupils, share, symbol
FROM analytics.benchmarks
WHERE (%(academic_year)s::text IS NULL OR academic_year = %(academic_year)s)
    AND (%(term)s::text IS NULL OR term = %(term)s)
    AND (%(subject)s::text IS NULL OR subject = %(subject)s)
ORDER BY academic_year, array_position(ARRAY['autumn', 'spring', 'summer'], term), subject, nc_year,
    array_position(ARRAY['all', 'below', 'at', 'above'], standing)

-- name: heads
-- How far every school's stream goes; the operator's own is no school's.
SELECT s.school_id, s.position FROM ledger.streams s JOIN ledger.schools USING (school_id) ORDER BY s.school_id

-- name: short_of
-- The schools whose rows do not hold everything yet up to these positions.
SELECT head.school_id, bool_or(c.stopped_at IS NOT NULL)
FROM unnest(%s::uuid[], %s::bigint[]) AS head (school_id, position)
CROSS JOIN unnest(%s::text[]) AS wanted (projection)
LEFT JOIN projections.checkpoints c ON c.school_id = head.school_id AND c.projection = wanted.projection
WHERE coalesce(c.position, 0) < head.position
GROUP BY head.school_id

-- name: one_moment
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY

-- name: reached
SELECT coalesce(min(position), 0), count(*) FROM projections.checkpoints
WHERE school_id = %s AND projection = ANY (%s)

-- name: times
-- The years and terms that the school has any result of.
SELECT DISTINCT academic_year, term FROM projections.assessments
WHERE school_id = %s AND NOT voided AND split_part(cell, '/', 1) <> %s

-- name: pupils_assessed_since
SELECT DISTINCT pupil_id FROM projections.assessments WHERE school_id = %s AND position > %s

-- name: results
-- All of a pupil's results in one row, as in projections/progress.sql. Of a pupil about whom anything was entered since,
-- the rows may hold what came later: the stream tells those apart.
SELECT pupil_id, array_agg(type), array_agg(version), array_agg(record), array_agg(entered)
FROM projections.assessments
WHERE school_id = %(school)s
    AND (academic_year, term) IN (SELECT * FROM unnest(%(years)b::smallint[], %(terms)b::text[]))
    AND split_part(cell, '/', 1) = ANY (%(schemes)s)
    AND pupil_id <> ALL (%(but)s::uuid[]) AND NOT voided
GROUP BY pupil_id

-- name: pupils_changed_since
SELECT DISTINCT originator_id FROM ledger.events
WHERE school_id = %s AND split_part(type, '.', 1) = 'pupil' AND split_part(type, '.', 1) IN ('school', 'staff', 'pupil')
    AND position > %s

-- name: pupils
SELECT pupil_id, version, record FROM projections.pupils WHERE school_id = %s AND pupil_id <> ALL (%s::uuid[])

-- name: events_of_many
SELECT originator_id, originator_version, type, state, position, recorded_at FROM ledger.events
WHERE school_id = %s AND originator_id = ANY (%s) AND position <= %s
ORDER BY position

-- name: events_of_the_school
SELECT originator_id, originator_version, type, state, position, recorded_at FROM ledger.events
WHERE school_id = %s AND split_part(type, '.', 1) = 'school' AND split_part(type, '.', 1) IN ('school', 'staff', 'pupil')
    AND position <= %s
ORDER BY position

-- name: erased_since
SELECT EXISTS (
    SELECT FROM ledger.events
    WHERE school_id = %s AND split_part(type, '.', 1) = 'pupil'
        AND split_part(type, '.', 1) IN ('school', 'staff', 'pupil')
        AND position > %s AND type LIKE 'pupil.erased.%%'
)

-- name: lock_releases
-- One release at a time.
SELECT pg_advisory_xact_lock(hashtext('analytics.releases'))

-- name: releases
SELECT release, released_at, withdrawn_at, withdrawn_because, schools, rules_version, minimum_pupils, minimum_schools,
    dominance_n, dominance_k, p_percent, rounding_base, share_decimals, mean_decimals, zeros, secondary, differencing,
    stream_position
FROM analytics.releases ORDER BY release

-- name: last_release
SELECT coalesce(max(release), 0) FROM analytics.released

-- name: released_points
SELECT DISTINCT b.academic_year, b.assessment_point
FROM analytics.benchmarks b JOIN analytics.releases USING (release) WHERE withdrawn_at IS NULL

-- name: add_release
INSERT INTO analytics.released
    (release, schools, rules_version, minimum_pupils, minimum_schools, dominance_n, dominance_k, p_percent, rounding_base,
    share_decimals, mean_decimals, zeros, secondary, differencing, stream_position)
VALUES (%(release)s, %(schools)s, %(version)s, %(minimum_pupils)s, %(minimum_schools)s, %(dominance_n)s, %(dominance_k)s,
    %(p_percent)s, %(rounding_base)s, %(share_decimals)s, %(mean_decimals)s, %(zeros)s::int::boolean,
    %(secondary)s::int::boolean, %(differencing)s::int::boolean, %(stream_position)s)

-- name: add_benchmarks
COPY analytics.benchmarks (release, academic_year, assessment_point, scheme, subject, nc_year, characteristic, category,
    measure, point_scale, value, symbol) FROM STDIN

-- name: add_distribution
COPY analytics.school_distribution (release, academic_year, assessment_point, scheme, subject, nc_year, measure,
    point_scale, decile, value, symbol) FROM STDIN

-- name: add_bands
COPY analytics.school_bands (release, academic_year, assessment_point, characteristic, category, from_value, below_value)
    FROM STDIN

-- name: withdraw
INSERT INTO analytics.withdrawals (release, because, stream_position) VALUES (%s, %s, %s)

-- name: rows_of_release
SELECT academic_year, assessment_point, scheme, subject, nc_year, characteristic, category, measure, point_scale,
    value::text, symbol
FROM analytics.benchmarks WHERE release = %s

-- name: distribution_of_release
SELECT academic_year, assessment_point, scheme, subject, nc_year, measure, point_scale, decile, value::text, symbol
FROM analytics.school_distribution WHERE release = %s

-- name: bands_of_release
SELECT academic_year, assessment_point, characteristic, category, from_value::text, below_value::text
FROM analytics.school_bands WHERE release = %s

-- name: released_of_points
SELECT release, academic_year, assessment_point, scheme, subject, nc_year, characteristic, category, measure, value, symbol
FROM analytics.benchmarks
WHERE (academic_year, assessment_point) IN (SELECT * FROM unnest(%s::text[], %s::text[]))
ORDER BY release

-- name: distributions_of_points
SELECT release, academic_year, assessment_point, scheme, subject, nc_year, measure, decile, value, symbol
FROM analytics.school_distribution
WHERE (academic_year, assessment_point) IN (SELECT * FROM unnest(%s::text[], %s::text[]))
ORDER BY release

-- name: shown
-- Of each point its newest release that was not withdrawn, unless one is asked for.
WITH newest AS (
    SELECT b.academic_year, b.assessment_point, max(b.release) AS release
    FROM (SELECT DISTINCT release, academic_year, assessment_point FROM analytics.benchmarks) b
    JOIN analytics.releases r USING (release)
    WHERE r.withdrawn_at IS NULL
    GROUP BY b.academic_year, b.assessment_point
)
SELECT b.release, r.withdrawn_at IS NOT NULL, b.academic_year, b.assessment_point, b.scheme, b.subject, b.nc_year,
    b.characteristic, b.category, b.measure, b.point_scale, b.value, b.symbol
FROM analytics.benchmarks b
JOIN analytics.releases r USING (release)
JOIN analytics.measures m USING (measure)
JOIN analytics.characteristics c USING (characteristic, category)
LEFT JOIN newest n USING (academic_year, assessment_point)
WHERE (%(release)s::integer IS NULL AND b.release = n.release OR b.release = %(release)s::integer)
    AND (%(academic_year)s::text IS NULL OR b.academic_year = %(academic_year)s)
    AND (%(assessment_point)s::text IS NULL OR b.assessment_point = %(assessment_point)s)
    AND (%(scheme)s::text IS NULL OR b.scheme = %(scheme)s)
    AND (%(subject)s::text IS NULL OR b.subject = %(subject)s)
    AND (%(nc_year)s::text IS NULL OR b.nc_year = %(nc_year)s)
    AND b.characteristic = %(characteristic)s
ORDER BY b.academic_year,
    array_position(ARRAY['autumn-1', 'autumn', 'spring-1', 'spring', 'summer-1', 'summer', 'year'], b.assessment_point),
    b.scheme, b.subject, length(b.nc_year), b.nc_year, c.sequence, b.release, m.sequence

-- name: points_told
-- The points that each release tells of a scheme.
SELECT DISTINCT release, academic_year, assessment_point FROM analytics.benchmarks WHERE scheme = %s ORDER BY release

-- name: labels
-- What categories are called.
SELECT characteristic, category, label FROM analytics.characteristics

-- name: symbols
SELECT symbol, meaning FROM analytics.symbols ORDER BY symbol

-- name: bands_of_point
SELECT characteristic, category, from_value, below_value FROM analytics.school_bands
WHERE release = %s AND academic_year = %s AND assessment_point = %s
ORDER BY characteristic, from_value

-- name: deciles
SELECT subject, nc_year, measure, decile, value, symbol FROM analytics.school_distribution
WHERE release = %(release)s AND academic_year = %(academic_year)s AND assessment_point = %(assessment_point)s
    AND scheme = %(scheme)s
    AND (%(subject)s::text IS NULL OR subject = %(subject)s)
    AND (%(nc_year)s::text IS NULL OR nc_year = %(nc_year)s)
ORDER BY decile

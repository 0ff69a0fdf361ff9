-- name: at_points
-- All of a pupil's results in one row, those that others have replaced, too: it is cheaper to open them and look than to
-- put thousands in order here. A result that was voided says nothing.
SELECT pupil_id, array_agg(type), array_agg(version), array_agg(record), array_agg(entered)
FROM projections.assessments
WHERE school_id = %(school)s
    AND academic_year = ANY (%(years)b::smallint[]) AND term = ANY (%(terms)b::text[])
    AND split_part(cell, '/', 1) = ANY (%(schemes)s)
    AND (%(pupils)s::uuid[] IS NULL OR pupil_id = ANY (%(pupils)s))
    AND NOT voided
GROUP BY pupil_id

-- name: track
-- Every result of one pupil, in the same form.
SELECT pupil_id, array_agg(type), array_agg(version), array_agg(record), array_agg(entered)
FROM projections.assessments
WHERE school_id = %s AND pupil_id = %s AND split_part(cell, '/', 1) = ANY (%s) AND NOT voided
GROUP BY pupil_id

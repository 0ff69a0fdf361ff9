-- name: schools
-- Every school, and how many positions its rows are made of; the longest first, so that none is left for last.
SELECT s.school_id, coalesce(c.position, 0)
FROM ledger.schools s
LEFT JOIN projections.checkpoints c ON c.school_id = s.school_id AND c.projection = %s
ORDER BY 2 DESC, 1

-- name: place
-- Where the rows of the school are, and where its stream is.
SELECT coalesce((SELECT position FROM projections.checkpoints WHERE school_id = %(school)s AND projection = %(projection)s), 0),
    coalesce((SELECT position FROM ledger.streams WHERE school_id = %(school)s), 0)

-- name: events
SELECT originator_id, originator_version, type, state, position, recorded_at FROM ledger.events
WHERE school_id = %s AND position > %s AND position <= %s
    AND (split_part(type, '.', 1) = ANY (%s) OR rtrim(type, '0123456789') = ANY (%s))
ORDER BY position

-- name: erased_since
-- Children who were erased after a position: their keys are gone, while their rows may still be there.
SELECT DISTINCT originator_id FROM ledger.events
WHERE school_id = %s AND position > %s AND rtrim(type, '0123456789') = 'pupil.erased.'
    AND split_part(type, '.', 1) = 'pupil' AND split_part(type, '.', 1) IN ('school', 'staff', 'pupil')

-- name: behind
-- Schools whose rows beside the live ones have not come as far as those.
SELECT c.school_id, coalesce(n.position, 0), c.position
FROM projections.checkpoints c
LEFT JOIN projections_next.checkpoints n USING (school_id, projection)
WHERE c.projection = %s AND c.position > coalesce(n.position, 0)

-- name: mark
INSERT INTO projections_next.checkpoints (school_id, projection, position) VALUES (%s, %s, %s)
ON CONFLICT (projection, school_id) DO UPDATE SET position = excluded.position

-- name: forget
DELETE FROM projections_next.checkpoints WHERE projection = %s

-- name: try_lock
-- One rebuilding of a projection at a time.
SELECT pg_try_advisory_lock(hashtext('projections.rebuilding'), hashtext(%s))

-- name: unlock
-- At once: the server ends the session of a connection that was closed somewhat later.
SELECT pg_advisory_unlock(hashtext('projections.rebuilding'), hashtext(%s))

-- name: stop_workers
-- Whoever takes a checkpoint waits; whoever reads one does not.
LOCK TABLE projections.checkpoints IN EXCLUSIVE MODE

-- name: level
-- Where a checkpoint was moved by hand, it becomes the one that the rows are made up to.
UPDATE projections.checkpoints c SET position = n.position
FROM projections_next.checkpoints n
WHERE c.projection = %s AND n.projection = c.projection AND n.school_id = c.school_id AND n.position <> c.position

-- name: live_places
SELECT school_id, position FROM projections.checkpoints WHERE projection = %s

-- name: forget_previous
DELETE FROM projections_previous.checkpoints WHERE projection = %s

-- name: keep_places
INSERT INTO projections_previous.checkpoints (school_id, projection, position)
SELECT school_id, projection, position FROM projections.checkpoints WHERE projection = %s

-- name: live_version
SELECT tables, definition FROM projections.versions WHERE projection = %s

-- name: previous_version
SELECT tables, definition FROM projections_previous.versions WHERE projection = %s

-- name: drop_previous_version
DELETE FROM projections_previous.versions WHERE projection = %s

-- name: keep_version
INSERT INTO projections_previous.versions SELECT * FROM projections.versions WHERE projection = %s

-- name: set_version
UPDATE projections.versions SET tables = %s, definition = %s, built_at = now() WHERE projection = %s

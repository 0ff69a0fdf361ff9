-- name: behind
-- Schools that a projection has not caught up with; those that have stopped wait for a person. In any order, so that
-- several workers do not queue for the same ones and none is left for last.
SELECT s.school_id, p.projection
FROM ledger.streams s
JOIN ledger.schools USING (school_id) -- the operator's own stream is no school's
CROSS JOIN unnest(%(projections)s::text[]) AS p (projection)
LEFT JOIN projections.checkpoints c ON c.school_id = s.school_id AND c.projection = p.projection
WHERE s.position > coalesce(c.position, 0) AND c.stopped_at IS NULL
ORDER BY random()
LIMIT 1000

-- name: open_checkpoint
INSERT INTO projections.checkpoints (school_id, projection) VALUES (%s, %s) ON CONFLICT DO NOTHING

-- name: take_checkpoint
SELECT c.position, s.position
FROM projections.checkpoints c JOIN ledger.streams s USING (school_id)
WHERE c.school_id = %s AND c.projection = %s AND c.stopped_at IS NULL
FOR UPDATE OF c SKIP LOCKED

-- name: events
SELECT originator_id, originator_version, type, state, position, recorded_at FROM ledger.events
WHERE school_id = %s AND position > %s AND position <= %s
    AND (split_part(type, '.', 1) = ANY (%s) OR rtrim(type, '0123456789') = ANY (%s))
ORDER BY position

-- name: move_checkpoint
UPDATE projections.checkpoints SET position = %s WHERE school_id = %s AND projection = %s

-- name: stop_checkpoint
UPDATE projections.checkpoints SET stopped_at = now(), stopped_by = %s
WHERE school_id = %s AND projection = %s

-- name: resume_checkpoint
UPDATE projections.checkpoints SET stopped_at = NULL, stopped_by = NULL
WHERE school_id = %s AND projection = %s AND stopped_at IS NOT NULL

-- name: checkpoint
SELECT position, stopped_at IS NOT NULL FROM projections.checkpoints WHERE school_id = %s AND projection = %s

-- name: status
SELECT p.projection, s.school_id, coalesce(c.position, 0), s.position, c.stopped_at, c.stopped_by
FROM ledger.streams s
JOIN ledger.schools USING (school_id) -- the operator's own stream is no school's
CROSS JOIN unnest(%(projections)s::text[]) AS p (projection)
LEFT JOIN projections.checkpoints c ON c.school_id = s.school_id AND c.projection = p.projection
ORDER BY p.projection, c.stopped_at NULLS LAST, s.position - coalesce(c.position, 0) DESC, s.school_id

-- name: behind
-- Schools that a projection has not caught up with; those that have stopped wait for their next try. Any of them, if there
-- are many, so that none is left for last.
SELECT s.school_id, array_agg(p.projection)
FROM ledger.streams s
JOIN ledger.schools USING (school_id) -- the operator's own stream is no school's
CROSS JOIN unnest(%(projections)s::text[]) AS p (projection)
LEFT JOIN projections.checkpoints c ON c.school_id = s.school_id AND c.projection = p.projection
WHERE s.position > coalesce(c.position, 0) AND (c.stopped_at IS NULL OR c.next_try_at <= now())
GROUP BY s.school_id
ORDER BY random()
LIMIT 200

-- name: open_checkpoints
INSERT INTO projections.checkpoints (school_id, projection) SELECT %s, unnest(%s::text[]) ON CONFLICT DO NOTHING
RETURNING projection

-- name: take_checkpoints
-- The last says that it has stopped and waits for its next try.
SELECT c.projection, c.position, s.position, c.stopped_at IS NOT NULL AND (c.next_try_at > now()) IS NOT FALSE
FROM projections.checkpoints c JOIN ledger.streams s USING (school_id)
WHERE c.school_id = %s AND c.projection = ANY (%s)
FOR UPDATE OF c SKIP LOCKED

-- name: take_checkpoint
SELECT c.position, s.position
FROM projections.checkpoints c JOIN ledger.streams s USING (school_id)
WHERE c.school_id = %s AND c.projection = %s AND (c.stopped_at IS NULL OR c.next_try_at <= now())
FOR UPDATE OF c SKIP LOCKED

-- name: events
SELECT originator_id, originator_version, type, state, position, recorded_at FROM ledger.events
WHERE school_id = %s AND position > %s AND position <= %s
    AND (split_part(type, '.', 1) = ANY (%s) OR rtrim(type, '0123456789') = ANY (%s))
ORDER BY position

-- name: move_checkpoint
UPDATE projections.checkpoints SET position = %s WHERE school_id = %s AND projection = %s

-- name: move_checkpoints
-- What had stopped has got past what it stopped at.
UPDATE projections.checkpoints
SET position = %s, stopped_at = NULL, stopped_by = NULL, tries = 0, next_try_at = NULL
WHERE school_id = %s AND projection = ANY (%s)

-- name: stop_checkpoint
-- The longer it has stood still, the longer until the next try.
UPDATE projections.checkpoints SET
    stopped_at = coalesce(stopped_at, now()),
    stopped_by = %(reason)s,
    tries = tries + 1,
    next_try_at = now() + make_interval(secs => least(%(first)s * 2.0 ^ least(tries, 30), %(longest)s))
WHERE school_id = %(school_id)s AND projection = %(projection)s
RETURNING tries

-- name: resume_checkpoint
UPDATE projections.checkpoints SET stopped_at = NULL, stopped_by = NULL, tries = 0, next_try_at = NULL
WHERE school_id = %s AND projection = %s AND stopped_at IS NOT NULL

-- name: checkpoint
SELECT position, stopped_at IS NOT NULL FROM projections.checkpoints WHERE school_id = %s AND projection = %s

-- name: status
SELECT projection, school_id, position, head, seconds, stopped_at, stopped_by, tries, next_try_at
FROM projections.lag(%(projections)s, %(only_behind)s)
ORDER BY projection, stopped_at NULLS LAST, head - position DESC, school_id

-- name: schools
SELECT count(*) FROM ledger.schools

-- The statements about photographs; each is bound to the school by the transaction that it is in.

-- name: add
INSERT INTO ledger.photographs (school_id, photograph_id, role, pupil_id, sealed) VALUES (%s, %s, %s, %s, %b)

-- name: get
SELECT sealed FROM ledger.photographs
WHERE school_id = %s AND pupil_id = %s AND photograph_id = %s AND role = %s

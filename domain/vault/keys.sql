-- The statements about keys; each is bound to the school by the transaction that it is in.

-- name: of_subjects
SELECT subject_id, generation, school_generation, names, record FROM vault.subject_keys
WHERE school_id = %s AND subject_id = ANY (%s)

-- name: record_keys_of_subjects
SELECT subject_id, generation, school_generation, NULL::bytea, record FROM vault.subject_keys
WHERE school_id = %s AND subject_id = ANY (%b)

-- name: of_every_subject
SELECT subject_id, generation, school_generation, names, record FROM vault.subject_keys WHERE school_id = %s

-- name: add_subjects
-- None, where the school's keys have been replaced meanwhile: what they were wrapped under is gone.
INSERT INTO vault.subject_keys (school_id, subject_id, generation, school_generation, names, record)
SELECT school.school_id, new.*
FROM vault.school_keys school,
    unnest(%b::uuid[], %b::smallint[], %b::smallint[], %b::bytea[], %b::bytea[])
        AS new (subject_id, generation, school_generation, names, record)
WHERE school.school_id = %s AND new.school_generation = school.generation

-- name: rewrap_subjects
UPDATE vault.subject_keys k
SET school_generation = new.school_generation, names = new.names, record = new.record
FROM unnest(%b::uuid[], %b::smallint[], %b::smallint[], %b::bytea[], %b::bytea[])
    AS new (subject_id, generation, school_generation, names, record)
WHERE k.school_id = %s AND k.subject_id = new.subject_id AND k.generation = new.generation

-- name: destroy_subject
DELETE FROM vault.subject_keys WHERE school_id = %s AND subject_id = %s

-- name: add_school
INSERT INTO vault.school_keys (school_id, generation, service_key, record_for_service, both_for_recovery)
VALUES (%s, %s, %s, %s, %s)

-- name: replace_school
UPDATE vault.school_keys
SET generation = %s, service_key = %s, record_for_service = %s, both_for_recovery = %s, made_at = now()
WHERE school_id = %s

-- name: lock_school
SELECT generation FROM vault.school_keys WHERE school_id = %s FOR UPDATE

-- name: share_school
SELECT generation FROM vault.school_keys WHERE school_id = %s FOR SHARE

-- name: for_service
SELECT generation, service_key, record_for_service FROM vault.school_keys WHERE school_id = %s

-- name: for_recovery
SELECT generation, both_for_recovery FROM vault.school_keys WHERE school_id = %s

-- name: service_keys_in_use
SELECT service_key, count(*) FROM vault.school_keys GROUP BY service_key ORDER BY service_key

-- name: wrapped_under_others
SELECT school_id FROM vault.school_keys WHERE service_key <> %s AND school_id > %s ORDER BY school_id LIMIT %s

-- name: rewrap_for_service
UPDATE vault.school_keys SET service_key = %s, record_for_service = %s
WHERE school_id = %s AND service_key = %s AND generation = %s

-- name: add_login_key
INSERT INTO vault.login_keys (school_id, key_id, public_key, generation, both_keys) VALUES (%s, %s, %s, %s, %s)

-- name: login_key
SELECT generation, both_keys FROM vault.login_keys WHERE school_id = %s AND key_id = %s

-- name: login_keys
SELECT key_id, public_key, issued_at, revoked_at FROM vault.login_keys WHERE school_id = %s ORDER BY issued_at, key_id

-- name: reseal_login_key
UPDATE vault.login_keys SET generation = %s, both_keys = %s WHERE school_id = %s AND key_id = %s AND revoked_at IS NULL

-- name: revoke_login_key
UPDATE vault.login_keys SET both_keys = NULL, revoked_at = now()
WHERE school_id = %s AND key_id = %s AND revoked_at IS NULL

-- name: add_username
INSERT INTO vault.usernames (school_id, digest, staff_id) VALUES (%s, %s, %s)

-- name: with_username
SELECT staff_id FROM vault.usernames WHERE school_id = %s AND digest = %s

-- name: forget_usernames
DELETE FROM vault.usernames WHERE school_id = %s

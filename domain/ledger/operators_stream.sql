-- name: append
SELECT first_position, last_position, appended_at
FROM ledger.append_for_operator(%b::uuid[], %b::bigint[], %b::text[], %b::bytea[])

-- name: add_proposal
INSERT INTO ledger.proposals (proposal, content, digest) VALUES (%s, %s, %s)

-- name: proposal
SELECT content, digest, proposed_at FROM ledger.proposals WHERE proposal = %s

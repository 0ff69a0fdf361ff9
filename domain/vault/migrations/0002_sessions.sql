-- Sessions. A token is 256 random bits that only its holder has; the database keeps a hash.

CREATE SCHEMA vault;
COMMENT ON SCHEMA vault IS 'Secrets: backed up apart from the ledger and for a shorter time.';
GRANT USAGE ON SCHEMA vault TO target_tracker_api;

CREATE TABLE vault.sessions (
    school_id uuid NOT NULL,
    token_hash bytea NOT NULL,
    session_id uuid NOT NULL,
    staff_id uuid NOT NULL,
    opened_at timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (school_id, token_hash)
);
COMMENT ON TABLE vault.sessions IS 'The sessions that are open.';
COMMENT ON COLUMN vault.sessions.token_hash IS 'SHA-256 of the token.';

ALTER TABLE vault.sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE vault.sessions FORCE ROW LEVEL SECURITY;
CREATE POLICY one_school ON vault.sessions
    USING (school_id = (SELECT ledger.bound_school())) WITH CHECK (school_id = (SELECT ledger.bound_school()));

GRANT SELECT, INSERT, UPDATE (last_used_at), DELETE ON vault.sessions TO target_tracker_api;

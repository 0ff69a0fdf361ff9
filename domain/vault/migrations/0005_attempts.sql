-- Attempts to log in, counted until they succeed or a day has passed. Neither usernames nor addresses are kept.

CREATE TABLE vault.attempts (
    school_id uuid NOT NULL,
    bucket bytea NOT NULL,
    failures integer NOT NULL DEFAULT 0,
    last_failed_at timestamptz NOT NULL,
    blocked_until timestamptz,
    refused boolean NOT NULL DEFAULT false,
    PRIMARY KEY (school_id, bucket)
);
COMMENT ON TABLE vault.attempts IS 'How often logging in has failed, for each account, known device and address.';
COMMENT ON COLUMN vault.attempts.school_id IS 'The school whose login key came with the attempts.';
COMMENT ON COLUMN vault.attempts.bucket IS
    'A keyed digest of the username, of the username and the device, or of the address: it says nothing without the key.';
COMMENT ON COLUMN vault.attempts.failures IS
    'Attempts that have not succeeded, those in flight among them: an attempt is counted before it is tried.';
COMMENT ON COLUMN vault.attempts.last_failed_at IS 'When the last of them was counted; a day later all are forgotten.';
COMMENT ON COLUMN vault.attempts.blocked_until IS 'When the next attempt may be tried; null: at once.';
COMMENT ON COLUMN vault.attempts.refused IS 'Whether an attempt has been refused during this wait.';
CREATE INDEX attempts_by_age ON vault.attempts (school_id, last_failed_at);

ALTER TABLE vault.attempts ENABLE ROW LEVEL SECURITY;
ALTER TABLE vault.attempts FORCE ROW LEVEL SECURITY;
CREATE POLICY one_school ON vault.attempts
    USING (school_id = (SELECT ledger.bound_school())) WITH CHECK (school_id = (SELECT ledger.bound_school()));

GRANT SELECT, INSERT, UPDATE, DELETE ON vault.attempts TO target_tracker_api;

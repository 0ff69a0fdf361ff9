-- Codes for new passwords, which are mailed to a school's official address. The database keeps a hash of each.

CREATE TABLE vault.password_resets (
    school_id uuid NOT NULL,
    staff_id uuid NOT NULL,
    code_hash bytea NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (school_id, staff_id, code_hash)
);
COMMENT ON TABLE vault.password_resets IS
    'The codes for new passwords that were asked for within the last hour; at most one of an account is good.';
COMMENT ON COLUMN vault.password_resets.school_id IS 'The school whose login key came with the request.';
COMMENT ON COLUMN vault.password_resets.staff_id IS 'The account whose password the code sets.';
COMMENT ON COLUMN vault.password_resets.code_hash IS 'SHA-256 of the code.';
COMMENT ON COLUMN vault.password_resets.requested_at IS 'When it was asked for: an account is given few in an hour.';
COMMENT ON COLUMN vault.password_resets.expires_at IS
    'From when on the code sets no password; minus infinity once it was used, replaced or taken back.';

ALTER TABLE vault.password_resets ENABLE ROW LEVEL SECURITY;
ALTER TABLE vault.password_resets FORCE ROW LEVEL SECURITY;
CREATE POLICY one_school ON vault.password_resets
    USING (school_id = (SELECT ledger.bound_school())) WITH CHECK (school_id = (SELECT ledger.bound_school()));

GRANT SELECT, INSERT, UPDATE (expires_at), DELETE ON vault.password_resets TO target_tracker_api;

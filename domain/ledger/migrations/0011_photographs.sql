-- Photographs of observations, sealed, beside the streams: an event names each by its id and its digest.

CREATE TABLE ledger.photographs (
    school_id uuid NOT NULL,
    photograph_id uuid NOT NULL,
    role text NOT NULL CHECK (role IN ('photograph', 'thumbnail')),
    pupil_id uuid NOT NULL,
    sealed bytea NOT NULL,
    PRIMARY KEY (school_id, photograph_id, role)
);
COMMENT ON TABLE ledger.photographs IS 'Photographs of observations. Never updated, never deleted from.';
COMMENT ON COLUMN ledger.photographs.role IS 'The photograph itself, or its thumbnail.';
COMMENT ON COLUMN ledger.photographs.pupil_id IS 'The child with whose names key it is sealed.';
COMMENT ON COLUMN ledger.photographs.sealed IS
    'Sealed for its place: school, pupil, photograph and role. The event has its SHA-256.';
-- What is sealed cannot be compressed: trying to takes time, and keeps parts from being read by themselves.
ALTER TABLE ledger.photographs ALTER COLUMN sealed SET STORAGE EXTERNAL;

ALTER TABLE ledger.photographs ENABLE ROW LEVEL SECURITY;
ALTER TABLE ledger.photographs FORCE ROW LEVEL SECURITY;
CREATE POLICY one_school ON ledger.photographs
    USING (school_id = ledger.bound_school()) WITH CHECK (school_id = ledger.bound_school());

-- Workers have no business here: they could open none of it.
GRANT SELECT, INSERT ON ledger.photographs TO target_tracker_api;

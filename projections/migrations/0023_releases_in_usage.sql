-- What a headteacher permits, and each release of named data, among all other usage.

ALTER TABLE projections.usage
    DROP CONSTRAINT usage_kind_check,
    DROP CONSTRAINT usage_check,
    ADD CONSTRAINT usage_kind_check CHECK (kind IN (
        'login', 'logout', 'failure', 'key', 'password', 'access', 'refusal', 'read', 'loss', 'permission',
        'release')),
    ADD CONSTRAINT usage_check CHECK (
        (kind IN ('read', 'release')) = (pupil_ids IS NOT NULL)
        AND (kind IN ('read', 'release')) = (named IS NOT NULL));
COMMENT ON COLUMN projections.usage.named IS 'Whether a read showed, or a release says, who the pupils are.';
COMMENT ON COLUMN projections.usage.pupil_ids IS 'The pupils whom a read showed, or a release names.';

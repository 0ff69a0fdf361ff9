-- What is read is sealed like what is written. What a school contributes to benchmarks is counted for each release.

DROP TABLE projections.contributions;

COMMENT ON TABLE projections.pupils IS 'Every pupil as the events so far describe them, but for those who were erased.';
COMMENT ON COLUMN projections.pupils.class_id IS 'A digest of the name of the class, under a key of the school.';
COMMENT ON COLUMN projections.pupils.names IS
    'The names compartment, sealed as it came in the event of this type and version of the pupil.';
COMMENT ON COLUMN projections.pupils.record IS
    'The record compartment with all changes made, sealed with the pupil''s key for this row at this version.';
COMMENT ON COLUMN projections.assessments.record IS
    'The record compartment, sealed as it came in the event of this type and version of the pupil''s log.';

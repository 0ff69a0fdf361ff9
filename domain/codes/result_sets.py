"""The code sets of assessments and results, as Common Transfer Files carry them."""

from __future__ import annotations

from domain.codes.sets import CodeSet

ASSESSMENT_STAGE = CodeSet("assessment stage", "assessment_stage", example="KS2")
ASSESSMENT_SUBJECT = CodeSet("assessment subject", "assessment_subject", example="ENG")
ASSESSMENT_COMPONENT = CodeSet("assessment component", "assessment_component", example="REA")
ASSESSMENT_METHOD = CodeSet("assessment method", "assessment_method")
RESULT_QUALIFIER = CodeSet("result qualifier", "result_qualifier", example="NM")
RESULT_STATUS = CodeSet("result status", "result_status")

EYFS_PROFILE_OUTCOME = CodeSet("outcome of an early learning goal", "outcome_eyfs_profile")
PHONICS_OUTCOME = CodeSet("outcome of the phonics screening check", "outcome_phonics")
TEACHER_ASSESSMENT_OUTCOME = CodeSet("outcome of a teacher assessment", "outcome_teacher_assessment")
TEST_OUTCOME = CodeSet("outcome of a key stage test", "outcome_test")
MULTIPLICATION_TABLES_OUTCOME = CodeSet(
    "outcome of the multiplication tables check", "outcome_multiplication_tables"
)
KEY_STAGE_1_LEVEL = CodeSet("level at the end of key stage 1", "outcome_key_stage_1_level")

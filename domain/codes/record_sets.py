"""The code sets of those parts of a pupil's record that few files carry."""

from __future__ import annotations

from domain.codes.sets import CodeSet

UPN_UNKNOWN_REASON = CodeSet("reason for a missing UPN", "upn_unknown_reason")
SEN_TYPE = CodeSet("SEN type of need", "sen_type")
FREE_SCHOOL_MEALS = CodeSet("kind of free school meals", "fsm_category")
PUPIL_PREMIUM = CodeSet("kind of pupil premium", "pupil_premium_type")
IN_CARE = CodeSet("kind of care", "in_care_type")
POST_LOOKED_AFTER = CodeSet("post-looked-after arrangement", "post_looked_after_arrangements")
KINSHIP_CARE = CodeSet("kind of kinship care", "kinship_care_indicator")
PROFICIENCY_IN_ENGLISH = CodeSet("proficiency in English", "proficiency_in_english")
SERVICE_CHILD = CodeSet("service child indicator", "service_child_indicator")
YOUNG_CARER = CodeSet("young carer indicator", "young_carer_indicator")
ENROLMENT_STATUS = CodeSet("enrolment status", "enrolment_status")
LEAVING_REASON = CodeSet("leaving reason", "leaving_reason")
LEAVING_DESTINATION = CodeSet("leaving destination", "leaving_destination")
CODE_SOURCE = CodeSet("source of what is known", "code_source")
ATTENDANCE = CodeSet("attendance code", "attendance_marks", example="L")

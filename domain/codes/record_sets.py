"""The code sets of those parts of a pupil's record that few files carry."""

from __future__ import annotations

from domain.codes.sets import CodeSet

UPN_UNKNOWN_REASON = CodeSet("reason for a missing UPN", "upn_unknown_reason")
SEN_TYPE = CodeSet("SEN type of need", "sen_type")
PUPIL_PREMIUM = CodeSet("kind of pupil premium", "pupil_premium_type")
IN_CARE = CodeSet("kind of care", "in_care_type")
POST_LOOKED_AFTER = CodeSet("post-looked-after arrangement", "post_looked_after_arrangements")
ENROLMENT_STATUS = CodeSet("enrolment status", "enrolment_status")
LEAVING_REASON = CodeSet("leaving reason", "leaving_reason")

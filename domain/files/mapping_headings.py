"""Headings under which management systems, and schools' own lists, give what a pupil's record holds.

The wordings are those that exports and reports of schools' systems commonly use; the list is ours, and a
heading that it lacks is only not recognised. Headings are compared without capitals, spaces and signs.
"""

from __future__ import annotations

import re
from types import MappingProxyType

_SIGNS = re.compile(r"[^0-9a-z]+")

_WORDINGS = {
    "upn": "UPN; Unique Pupil Number; Pupil UPN; Student UPN; Current UPN",
    "former_upns": "Former UPN; Former UPNs; Previous UPN; Previous UPNs",
    "upn_missing": "UPN Unknown Reason; Reason for no UPN; UPN Missing",
    "surname": "Surname; Legal Surname; Last Name; Legal Last Name; Family Name; Legal Family Name; "
    "Pupil Surname; Student Surname; Pupil Last Name; Student Last Name",
    "forename": "Forename; Legal Forename; First Name; Legal First Name; Given Name; Legal Given Name; "
    "Pupil Forename; Student Forename; Pupil First Name; Student First Name; Forename 1",
    "middle_names": "Middle Name; Middle Names; Middle Name(s); Legal Middle Names; Other Names",
    "preferred_surname": "Preferred Surname; Preferred Last Name; Preferred Family Name; Chosen Surname; "
    "Known As Surname",
    "preferred_forename": "Preferred Forename; Preferred First Name; Preferred Given Name; Chosen Forename; "
    "Chosen Name; Known As; Known As Forename; Preferred Name",
    "former_surname": "Former Surname; Previous Surname; Former Last Name; Former Family Name",
    "former_forename": "Former Forename; Previous Forename; Former First Name",
    "date_of_birth": "DOB; D.O.B.; Date of Birth; Birth Date; Birthdate; Pupil DOB; Student DOB; Birthday",
    "sex": "Sex; Gender; Legal Sex; Legal Gender; Sex (Legal); Pupil Gender; M/F",
    "date_of_entry": "DOA; Admission Date; Date of Admission; Date of Entry; Entry Date; Date Joined; "
    "Joined; Joining Date; Enrolment Date; Start Date; School Start Date; Date of Arrival; Date Admitted",
    "nc_year": "NC Year; Year; Year Group; Yr; Yr Grp; Year Taught In; Curriculum Year; NC Year Actual; "
    "National Curriculum Year; NC Year Group; Actual NC Year; Current Year Group; Year Group Name",
    "class_name": "Class; Class Name; Reg; Reg Group; Registration Group; Registration Form; Reg Form; "
    "Form; Form Group; Form Name; Tutor Group; Registration; Current Class; Registration Group Name",
    "free_school_meals": "FSM; FSM Eligible; FSM Eligibility; Eligible for FSM; Eligible for free meals; "
    "Free School Meals; Eligible for Free School Meals; Free School Meal Eligible; Current FSM; "
    "FSM Eligible Currently; Free Meals; Is FSM",
    "meals_periods.start": "FSM Start; FSM Start Date; FSM From; FSM Eligibility Start Date; "
    "FSM Eligibility Start; Free School Meals Start Date",
    "meals_periods.end": "FSM End; FSM End Date; FSM To; FSM Until; FSM Eligibility End Date; "
    "FSM Eligibility End; Free School Meals End Date",
    "premium_periods": "Pupil Premium; Pupil Premium Eligible; Pupil Premium Indicator; PP; PP Indicator; "
    "PP Eligible; Pupil Premium Reason; Pupil Premium Type; Pupil Premium Recipient; Is Pupil Premium",
    "first_language": "First Language; Home Language; Mother Tongue; Mother tongue code; "
    "First Language Code; Language; Main Language; Primary Language",
    "eal": "EAL; EAL Status; English as an Additional Language; English Additional Language; Is EAL",
    "ethnicity": "Ethnicity; Ethnicity Code; Ethnic Origin; Ethnic Group; Ethnic Background; Ethnic Code",
    "sen_provision": "SEN; SEND; SEN Status; SEND Status; SEN Status code; SEN Code; SEN Provision; "
    "SEN Stage; Current SEN Status; SEN Provision Code; SEND Provision; SEN Level",
    "sen_periods.start": "SEN Start; SEN Start Date; SEN Status Start Date; SEN From",
    "sen_periods.end": "SEN End; SEN End Date; SEN Status End Date; SEN Until",
    "sen_needs": "SEN Need; SEN Needs; SEN Type; SEN Types; Primary SEN Need; Primary Need; "
    "SEN Primary Need; Primary SEN Type; Secondary SEN Need; Secondary Need; SEN Secondary Need; "
    "Secondary SEN Type; SEN Need Type; SEN Need 1; SEN Need 2; SEN Type 1; SEN Type 2",
    "postcode": "Postcode; Post Code; Home Postcode; Postal Code; Address Postcode",
    "in_care": "In Care; In LEA Care; In LA Care; Looked After; Looked After Child; LAC; CLA; "
    "Child Looked After; In Local Authority Care; In Care Indicator",
    "post_looked_after": "Post Looked After; PLAC; Post Looked After Arrangements; Previously Looked After",
    "gifted": "Gifted; Gifted Pupil; Is Gifted; G&T; Gifted and Talented; Gifted & Talented",
    "talented": "Talented; Talented Pupil; Is Talented",
    "previous_setting": "Previous School; Previous School Name; Previous Setting; Last School; "
    "Previous Nursery; Most Recent Previous School",
    "preschool_terms": "Preschool Terms; Preschool Exp; Preschool Experience; Terms of Preschool",
    "enrolment_status": "Enrolment Status; Enrollment Status; Enrolment",
    "possible": "Possible; Possible Sessions; Sessions Possible; Possible Marks; Total Possible",
    "authorised": "Authorised absences; Authorised Absence; Sessions Authorised; Auth Abs; "
    "Authorised Absences (sessions)",
    "unauthorised": "Unauthorised absences; Unauthorised Absence; Sessions Unauthorised; Unauth Abs",
}


def plain(heading: str) -> str:
    """A heading as these are compared: its letters and digits alone, in small letters."""
    return _SIGNS.sub("", heading.casefold())


PLACE_OF = MappingProxyType(
    {plain(wording): place for place, wordings in _WORDINGS.items() for wording in wordings.split("; ")}
)
"""The field, or the part of one, that a heading stands for."""

WORDS = MappingProxyType(
    {
        "sex": {"female": "F", "male": "M", "girl": "F", "boy": "M", "g": "F", "b": "M", "unknown": "U"},
        "sen_provision": {
            "sensupport": "K",
            "support": "K",
            "ehcp": "E",
            "ehcplan": "E",
            "educationhealthandcareplan": "E",
            "educationhealthcareplan": "E",
            "nosen": "N",
            "none": "N",
            "nospecialeducationalneed": "N",
            "nospecialeducationalneeds": "N",
            "schoolaction": "A",
            "schoolactionplus": "P",
            "statement": "S",
            "statemented": "S",
        },
        "nc_year": {"nursery1": "N1", "nursery2": "N2", "reception": "R", "rec": "R"},
        "first_language": {"english": "ENG"},
    }
)
"""Words that stand for codes, besides what the lists call them."""

CODED_COLUMNS = MappingProxyType({"premium_periods": "premium_reason"})
"""Fields whose column is read as the cells of another."""

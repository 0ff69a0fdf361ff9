"""Made-up examples of fields that joined an event class after its first examples had been recorded."""

from __future__ import annotations

from datetime import date

from domain.access import AccessLevel
from domain.assessment import AssessmentCorrected, AssessmentRecorded, Result
from domain.events import OPERATOR, Event
from domain.pupil import (
    Away,
    Concern,
    Destination,
    PupilAdmitted,
    PupilChanged,
    PupilLeft,
    PupilSnapshot,
    Source,
)
from domain.pupil_record import (
    AttendanceTotals,
    CarePeriod,
    OtherElement,
    Period,
    PremiumPeriod,
    PupilNames,
    PupilRecord,
    RecordChange,
    SchoolAttended,
    SenPeriod,
    YearAttended,
)
from domain.school import ImportCompleted
from domain.staff import Access, StaffAdded, StaffNames
from tests.ledger.benchmark_examples import BENCHMARK_LATER
from tests.ledger.example_ids import (
    ASSESSMENT,
    CONCERN,
    IMPORT,
    PUPIL,
    RESULT,
    SCHOOL,
    STAFF,
    STATEMENT,
    TEACHER,
)

MEALS = (Period(start=date(2021, 9, 1), end=date(2022, 7, 22)), Period(start=date(2024, 1, 8)))
PREMIUM = (PremiumPeriod(start=date(2022, 4, 1), end=date(2025, 3, 31), reason="DPP"),)
SEN = (
    SenPeriod(end=date(2022, 1, 9), provision="N"),
    SenPeriod(start=date(2022, 1, 10), provision="K"),
)
CARE = (CarePeriod(start=date(2020, 10, 1), end=date(2021, 6, 30), kind="FT"),)

LATER: dict[str, Event] = {
    "pupil.changed.1 mistyped-upn": PupilChanged(
        originator_id=PUPIL,
        originator_version=2,
        actor=TEACHER,
        names=PupilNames(
            surname="Exempel",
            forename="Zoë",
            date_of_birth=date(2016, 2, 29),
            upn="X100001225002",
            mistyped_upns=("X100001225003",),
        ),
        source=Source.ENTERED,
        handed_back=("upn",),
    ),
    "pupil.snapshot.1 away": PupilSnapshot(
        originator_id=PUPIL,
        originator_version=9,
        actor=OPERATOR,
        names=PupilNames(surname="Exempel", forename="Zoë", date_of_birth=date(2016, 2, 29)),
        record=PupilRecord(sex="F", date_of_entry=date(2020, 9, 3)),
        away=(Away(left_on=date(2022, 7, 22), returned_on=date(2024, 9, 3)),),
    ),
    **BENCHMARK_LATER,
    "import.completed.1 leavers": ImportCompleted(
        originator_id=SCHOOL,
        originator_version=3,
        actor=TEACHER,
        import_id=IMPORT,
        format="target-tracker-csv",
        created=1,
        changed=2,
        unchanged=3,
        results=4,
        left=5,
    ),
    "staff.added.1 headteacher": StaffAdded(
        originator_id=STAFF,
        originator_version=1,
        actor=OPERATOR,
        names=StaffNames(username="head", display_name="The Head"),
        access=Access(AccessLevel.ADMIN),
        password_verifier="made-up-verifier",
        for_administrators=True,
        headteacher=True,
    ),
    "pupil.admitted.1 whole": PupilAdmitted(
        originator_id=PUPIL,
        originator_version=1,
        actor=TEACHER,
        names=PupilNames(
            surname="Exempel",
            forename="Zoë",
            date_of_birth=date(2016, 2, 29),
            middle_names="Ida Ann",
            preferred_surname="Lund",
            preferred_forename="Zo",
            former_surname="Muster",
            former_forename="Zoe",
            previous_setting="Little Acorns",
            previous_schools=(
                SchoolAttended(
                    name="Elm Bank Infant School",
                    local_authority="881",
                    establishment="2999",
                    entered_on=date(2020, 9, 3),
                    left_on=date(2022, 7, 22),
                    leaving_reason="IJ",
                ),
            ),
        ),
        record=PupilRecord(
            sex="F",
            date_of_entry=date(2022, 9, 5),
            upn_missing="UN2",
            sen_needs=("SLCN", "MLD"),
            eal=True,
            talented=True,
            post_looked_after="A",
            preschool_terms=3,
            enrolment_status="C",
            meals_periods=MEALS,
            premium_periods=PREMIUM,
            sen_periods=SEN,
            care_periods=CARE,
        ),
        source=Source.ENTERED,
    ),
    "pupil.admitted.1 transferred": PupilAdmitted(
        originator_id=PUPIL,
        originator_version=1,
        actor=TEACHER,
        names=PupilNames(
            surname="Exempel",
            forename="Zoë",
            date_of_birth=date(2016, 2, 29),
            attendance_before=(
                YearAttended(
                    academic_year=2021,
                    possible=376,
                    authorised=8,
                    unauthorised=2,
                    name="Elm Bank Infant School",
                    local_authority="881",
                    establishment="2999",
                ),
            ),
            other_elements=(
                OtherElement(
                    xml="<CareAuthority>881</CareAuthority>",
                    path="LookedAfter",
                    of="there",
                    after="InCare",
                ),
            ),
        ),
        record=PupilRecord(sex="F", date_of_entry=date(2022, 9, 5)),
        source=Source.FILE,
    ),
    "pupil.left.1 transferred": PupilLeft(
        originator_id=PUPIL,
        originator_version=3,
        actor=TEACHER,
        left_on=date(2025, 4, 4),
        reason_code="ST",
        destination_la="881",
        destination_establishment="2003",
    ),
    "pupil.snapshot.1 transferred": PupilSnapshot(
        originator_id=PUPIL,
        originator_version=4,
        actor=OPERATOR,
        names=PupilNames(surname="Exempel", forename="Zoë", date_of_birth=date(2016, 2, 29)),
        record=PupilRecord(sex="F", date_of_entry=date(2020, 9, 3)),
        left_on=date(2025, 4, 4),
        leaving_reason="ST",
        destination=Destination("881", "2003"),
    ),
    "pupil.changed.1 whole": PupilChanged(
        originator_id=PUPIL,
        originator_version=2,
        actor=TEACHER,
        record=RecordChange(
            sex="U",
            date_of_entry=date(2022, 9, 6),
            nc_year="4",
            class_name="4 Ash",
            free_school_meals=True,
            first_language="POL",
            ethnicity="WBRI",
            sen_provision="K",
            in_care=False,
            gifted=True,
            attendance=AttendanceTotals(academic_year=2024, possible=378, authorised=9, unauthorised=2),
            upn_missing="UN1",
            sen_needs=("ASD",),
            eal=False,
            talented=False,
            post_looked_after="G",
            preschool_terms=6,
            enrolment_status="M",
            meals_periods=MEALS,
            premium_periods=PREMIUM,
            sen_periods=SEN,
            care_periods=CARE,
        ),
        source=Source.FILE,
        handed_back=("class_name", "nc_year"),
    ),
    "pupil.snapshot.1 whole": PupilSnapshot(
        originator_id=PUPIL,
        originator_version=7,
        actor=OPERATOR,
        names=PupilNames(surname="Exempel", forename="Zoë", date_of_birth=date(2016, 2, 29)),
        record=PupilRecord(sex="F", date_of_entry=date(2020, 9, 3)),
        concerns=(Concern(id=CONCERN, opened_on=date(2025, 1, 13), closed_on=date(2025, 3, 3)),),
        entered=("gifted", "talented"),
    ),
    "assessment.recorded.1 judged": AssessmentRecorded(
        originator_id=PUPIL,
        originator_version=4,
        actor=TEACHER,
        assessment_id=ASSESSMENT,
        pupil_id=PUPIL,
        result=Result(
            scheme="statements",
            subject="MAT",
            value="achieved",
            academic_year=2025,
            term="autumn-1",
            scheme_version="three-judgements",
            statement=STATEMENT,
        ),
    ),
    "assessment.corrected.1 file": AssessmentCorrected(
        originator_id=PUPIL,
        originator_version=5,
        actor=TEACHER,
        assessment_id=ASSESSMENT,
        pupil_id=PUPIL,
        result=RESULT,
        from_file=True,
    ),
}
"""Examples of fields that joined an event class later, without a new version: their default is not stored.

By type and version, and a word for what joined.
"""

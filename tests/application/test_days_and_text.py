"""Days that cannot be, and text that nobody types, are refused with what would be accepted."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from domain.academic_year import AssessmentPoint, Term
from domain.access import AccessLevel
from domain.application import accounts, assessing, pupils
from domain.application.assessing import Entry
from domain.errors import InvalidInput
from domain.staff import Access, StaffNames
from tests.application.conftest import RegisteredSchool
from tests.application.examples import TODAY, YEAR, admitted, child

LAST_SUMMER = AssessmentPoint(YEAR - 1, Term.SUMMER)


@pytest.mark.parametrize(
    "day", [date(1, 1, 1), date(YEAR - 1, 8, 31), date(YEAR, 9, 1), TODAY + timedelta(days=1), date.max]
)
def test_an_assessment_on_a_day_outside_its_academic_year(registered: RegisteredSchool, day: date) -> None:
    school = registered.application
    [pupil_id] = admitted(school, registered.teacher, child(1))
    with pytest.raises(InvalidInput) as refused:
        assessing.record(
            school, LAST_SUMMER, [Entry(pupil_id, "REA", "3w")], registered.teacher, assessed_on=day
        )
    [finding] = refused.value.findings
    assert (finding.field, finding.found) == ("assessed_on", day.isoformat())
    assert "up to today" in finding.accepted


def test_leaving_and_returning_on_days_to_come(registered: RegisteredSchool) -> None:
    school = registered.application
    [pupil_id] = admitted(school, registered.teacher, child(2))
    tomorrow = TODAY + timedelta(days=1)
    with pytest.raises(InvalidInput) as refused:
        pupils.leave(school, pupil_id, tomorrow, 1, registered.teacher)
    assert refused.value.findings[0].field == "left_on"
    pupils.leave(school, pupil_id, TODAY, 1, registered.teacher)
    with pytest.raises(InvalidInput) as refused:
        pupils.take_back(school, pupil_id, tomorrow, 2, registered.teacher)
    assert refused.value.findings[0].field == "returned_on"


@pytest.mark.parametrize("text", ["a\x00b", "a\x1bb", "a\N{REPLACEMENT CHARACTER}b", "ZoÃ«"])
def test_names_that_nobody_types(registered: RegisteredSchool, text: str) -> None:
    for names in (StaffNames(username=text, display_name="A"), StaffNames(username="A", display_name=text)):
        with pytest.raises(InvalidInput) as refused:
            accounts.add_staff(
                registered.application,
                names,
                Access(AccessLevel.READ_ONLY),
                "password",
                registered.administrator,
            )
        assert "control" in refused.value.findings[0].accepted

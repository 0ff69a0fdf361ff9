"""Days that cannot be, and text that nobody types, are refused with what would be accepted."""

from __future__ import annotations

from datetime import date, timedelta

import psycopg
import pytest

from domain.academic_year import AssessmentPoint, Term
from domain.access import AccessLevel
from domain.application import accounts, assessing, histories, pupils
from domain.application.assessing import Entry
from domain.errors import InvalidInput
from domain.staff import Access, StaffNames
from tests.application.conftest import RegisteredSchool
from tests.application.examples import TODAY, YEAR, admitted, child
from tests.conftest import TestDatabase

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
                "of my own",
                registered.administrator,
            )
        assert "control" in refused.value.findings[0].accepted


@pytest.mark.parametrize(
    "words", ["ask parent@made-up.example", "to 12 Elm Road", "", " ", "x" * 201, "a\x00b"]
)
def test_reasons_that_cannot_be_kept(registered: RegisteredSchool, words: str) -> None:
    school = registered.application
    [pupil_id] = admitted(school, registered.teacher, child(3))
    recorded = assessing.record(
        school, LAST_SUMMER, [Entry(pupil_id, "REA", "3w")], registered.teacher
    ).result.assessment_ids[0]
    before = school.stream.head()
    for field in ("reason", "destination"):
        with pytest.raises(InvalidInput) as refused:
            pupils.leave(school, pupil_id, TODAY, 1, registered.teacher, **{field: words})  # type: ignore[arg-type]
        assert refused.value.findings[0].field == field
    with pytest.raises(InvalidInput) as refused:
        assessing.correct(school, pupil_id, recorded, "3s", registered.teacher, reason=words)
    assert refused.value.findings[0].field == "reason"
    assert "parent" not in str(refused.value)
    assert school.stream.head() == before


def test_one_damaged_event_does_not_hide_a_history(
    registered: RegisteredSchool, module_database: TestDatabase
) -> None:
    school = registered.application
    admitted(school, registered.teacher, child(4), child(5))
    before = histories.of_school(school)
    with psycopg.connect(module_database.conninfo("postgres"), autocommit=True) as connection:
        connection.execute(
            "UPDATE ledger.events SET state = '\\x00' WHERE school_id = %s AND position = %s",
            [school.school_id, before[-2].position],
        )
    after = histories.of_school(school)
    assert after[-2].details == {"unreadable": True}
    assert (after[-2].event, after[-2].actor) == ("pupil.admitted", None)
    assert [*after[:-2], after[-1]] == [*before[:-2], before[-1]]

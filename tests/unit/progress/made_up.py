"""Made-up cohorts for the tests of progress: in a few words, and at random."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from hypothesis import strategies as st

from domain.academic_year import TERMS, AssessmentPoint, Term, When
from domain.assessment import Result
from domain.codes.steps import STEPS as LADDER
from domain.progress.entries import Entry, seen
from domain.progress.groups import Group, Member, values_of
from domain.progress.question import Question
from domain.pupil_record import PupilRecord
from domain.schemes.catalogue import STEPS

AUTUMN = AssessmentPoint(2024, Term.AUTUMN)
SPRING = AssessmentPoint(2024, Term.SPRING)
SUMMER = AssessmentPoint(2024, Term.SUMMER)
NEXT_SUMMER = AssessmentPoint(2025, Term.SUMMER)

LABELS = [step.label for step in LADDER.values()]

Values = Mapping[str, Mapping[AssessmentPoint, str]]
"""A pupil's steps by subject and point."""

Courses = dict[str, dict[When, Entry]]


def entry(
    value: str, at: AssessmentPoint, nc_year: str | None = "3", subject: str = "MAT", scheme: str = STEPS
) -> Entry:
    """A result as an entry."""
    result = Result(
        scheme=scheme,
        subject=subject,
        value=value,
        academic_year=at.academic_year,
        term=at.term,
        nc_year=nc_year,
    )
    found = seen(result, {scheme: STEPS})
    assert found
    return found


def courses(values: Values, nc_year: str | None = "3") -> Courses:
    return {
        subject: {at: entry(value, at, nc_year, subject) for at, value in of_subject.items()}
        for subject, of_subject in values.items()
    }


def member(number: int, **fields: object) -> Member:
    """A pupil, different for each number, with what is recorded of it."""
    record = PupilRecord(**({"sex": "F", "date_of_entry": date(2021, 9, 1), "class_name": "Oak"} | fields))  # type: ignore[arg-type]
    values = values_of(record, date(2016, 10, 1), "3", SUMMER.ends_on)
    return Member(pupil_id=UUID(int=number), values=values)


def cohort(*of_pupils: Values) -> tuple[list[Member], dict[UUID, Courses]]:
    """Girls and boys in turn, with these steps."""
    members = [member(number, sex="FM"[number % 2]) for number in range(len(of_pupils))]
    return members, {each.pupil_id: courses(values) for each, values in zip(members, of_pupils, strict=True)}


POINTS = [AssessmentPoint(year, term) for year in (2023, 2024) for term in TERMS]

steps = st.sampled_from(LABELS)
of_a_subject = st.dictionaries(st.sampled_from(POINTS), steps)
values = st.dictionaries(st.sampled_from(["MAT", "REA"]), of_a_subject, max_size=2)

records = st.fixed_dictionaries(
    {
        "sex": st.sampled_from("FMUW"),
        "free_school_meals": st.none() | st.booleans(),
        "sen_provision": st.none() | st.sampled_from("NAPSEKQ"),
        "gifted": st.none() | st.booleans(),
        "in_care": st.none() | st.booleans(),
        "first_language": st.none() | st.sampled_from(["ENG", "PNJ"]),
        "class_name": st.none() | st.sampled_from(["Oak", "Elm"]),
    }
)


@st.composite
def cohorts(draw: st.DrawFn) -> tuple[list[Member], dict[UUID, Courses]]:
    """Pupils of all groups, with results at some points and not at others."""
    drawn = draw(st.lists(st.tuples(records, values, st.sampled_from("123456")), max_size=12))
    members = [member(number, **record) for number, (record, _, _) in enumerate(drawn)]
    results = {
        each.pupil_id: courses(found, nc_year)
        for each, (_, found, nc_year) in zip(members, drawn, strict=True)
    }
    return members, results


@st.composite
def questions(draw: st.DrawFn) -> Question:
    """From any of the points to any later one."""
    start, end = sorted(
        draw(st.lists(st.sampled_from(POINTS), min_size=2, max_size=2, unique=True)),
        key=lambda point: (point.academic_year, point.half_terms),
    )
    return Question.ask(start, end, STEPS)


def parts_of_all(members: list[Member], group: Group) -> set[str | None]:
    return {each.values[group] for each in members}

"""Made-up children, and hypothesis strategies that make up more."""

from __future__ import annotations

from datetime import date

import msgspec
from hypothesis import strategies as st

from domain.assessment import Result
from domain.codes.record_sets import ENROLMENT_STATUS, LEAVING_REASON, SEN_TYPE
from domain.codes.sets import ETHNICITY, LANGUAGE, NC_YEAR, SEN_PROVISION, SEX
from domain.codes.upn import make_upn
from domain.files.ctf_kept import kind_of_text
from domain.files.ctf_places import HERE, ORDER, meals_key, school_key, year_key
from domain.files.rows import EARLIEST_DATE_OF_BIRTH, holds_email
from domain.periods import meals_on, provision_on
from domain.pupil import AttendanceTotals, PupilNames, PupilRecord
from domain.pupil_record import OtherElement, Period, SchoolAttended, SenPeriod, YearAttended
from domain.text import read_text

TODAY = date(2026, 3, 2)
ACADEMIC_YEAR = 2025


def _is_whole(text: str) -> bool:
    try:
        return bool(text) and read_text(text) == text and not holds_email(text)
    except ValueError:
        return False


texts = st.text(
    alphabet=st.one_of(
        st.characters(exclude_categories=["C", "Z"], max_codepoint=0x2FFF),
        st.sampled_from(" '\",;-ëÉ’<&>=\U00020bb7"),
    ),
    min_size=1,
    max_size=20,
).filter(_is_whole)

postcodes = st.sampled_from(["CM1 1QH", "W1A 1HQ", "GIR 0AA", "DN55 1PT"])
dates_of_birth = st.dates(EARLIEST_DATE_OF_BIRTH, date(2023, 8, 31))
births_before_anything = st.dates(EARLIEST_DATE_OF_BIRTH, date(1999, 8, 31))
"""Before every day of the histories and results below: nothing is dated before a birth."""

upns = st.builds(make_upn, st.integers(200, 990), st.integers(1000, 7999), st.just(2020), st.integers(0, 999))

names = st.builds(
    PupilNames,
    surname=texts,
    forename=texts,
    date_of_birth=dates_of_birth,
    upn=st.none() | upns,
    postcode=st.none() | postcodes,
)


@st.composite
def totals(draw: st.DrawFn) -> AttendanceTotals:
    possible = draw(st.integers(0, 400))
    authorised = draw(st.integers(0, possible))
    unauthorised = draw(st.integers(0, possible - authorised))
    return AttendanceTotals(
        academic_year=ACADEMIC_YEAR, possible=possible, authorised=authorised, unauthorised=unauthorised
    )


records = st.builds(
    PupilRecord,
    sex=st.sampled_from(list(SEX)),
    date_of_entry=st.dates(date(2023, 9, 1), TODAY),
    nc_year=st.none() | st.sampled_from(list(NC_YEAR)),
    class_name=st.none() | texts,
    free_school_meals=st.none() | st.booleans(),
    first_language=st.none() | st.sampled_from(list(LANGUAGE)),
    ethnicity=st.none() | st.sampled_from(list(ETHNICITY)),
    sen_provision=st.sampled_from(list(SEN_PROVISION)),
    in_care=st.none() | st.booleans(),
    gifted=st.none() | st.booleans(),
    attendance=st.none() | totals(),
)

_days = st.dates(date(2019, 9, 1), TODAY)


def _following(days: list[date]) -> list[tuple[date, date | None]]:
    """Periods that do not overlap, the last of them open if the number of days is odd."""
    ordered = sorted(days)
    return [(start, ordered[at + 1] if at + 1 < len(ordered) else None)
            for at, start in enumerate(ordered) if at % 2 == 0]  # fmt: skip


_days_apart = st.lists(_days, max_size=5, unique=True).map(_following)
meals_periods = _days_apart.map(lambda found: tuple(Period(start=start, end=end) for start, end in found))


@st.composite
def sen_periods(draw: st.DrawFn) -> tuple[SenPeriod, ...]:
    """SEN provision over time, with gaps between, and perhaps an end."""
    return tuple(
        SenPeriod(start=start, end=end, provision=draw(st.sampled_from(list(SEN_PROVISION))))
        for start, end in draw(_days_apart)
    )


numbers = st.integers(100, 998).map(str)
schools_before = st.builds(
    SchoolAttended,
    name=st.none() | texts.filter(lambda text: kind_of_text(text) is None),
    local_authority=st.none() | numbers,
    establishment=st.none() | st.integers(1000, 9999).map(str),
    entered_on=st.none() | st.dates(date(2015, 9, 1), date(2018, 7, 1)),
    left_on=st.none() | st.dates(date(2018, 7, 2), TODAY),
    leaving_reason=st.none() | st.sampled_from(list(LEAVING_REASON)),
).filter(lambda school: bool(school.name or school.local_authority or school.establishment))


@st.composite
def years_before(draw: st.DrawFn) -> YearAttended:
    counted = draw(totals())
    elsewhere = draw(st.booleans())
    last = ACADEMIC_YEAR if elsewhere else ACADEMIC_YEAR - 1
    return YearAttended(
        academic_year=draw(st.integers(2015, last)),
        possible=counted.possible,
        authorised=counted.authorised,
        unauthorised=counted.unauthorised,
        local_authority=draw(numbers) if elsewhere else None,
        establishment=draw(st.integers(1000, 9999).map(str)) if elsewhere else None,
        name=draw(st.sampled_from(["Elm Bank Infant School", "St Anne’s"])) if elsewhere else None,
    )


_other_names = st.none() | texts


@st.composite
def whole_pupils(draw: st.DrawFn) -> tuple[PupilNames, PupilRecord]:
    """A pupil with something in any field that a Common Transfer File has a place for, and in no other."""
    named = msgspec.structs.replace(
        draw(names),
        date_of_birth=draw(births_before_anything),
        former_upns=tuple(draw(st.lists(upns, max_size=3, unique=True))),
        middle_names=draw(_other_names),
        preferred_surname=draw(_other_names),
        preferred_forename=draw(_other_names),
        former_surname=draw(_other_names),
        former_forename=draw(_other_names),
        previous_schools=tuple(draw(st.lists(schools_before, max_size=3, unique_by=school_key))),
        attendance_before=tuple(
            draw(
                st.lists(
                    years_before(),
                    max_size=3,
                    unique_by=lambda each: (each.academic_year, each.local_authority, each.establishment),
                )
            )
        ),
    )
    record = msgspec.structs.replace(
        draw(records),
        class_name=None,
        gifted=None,
        enrolment_status=draw(st.none() | st.sampled_from(list(ENROLMENT_STATUS))),
        meals_periods=draw(meals_periods),
        sen_periods=draw(sen_periods()),
        sen_needs=tuple(draw(st.lists(st.sampled_from(list(SEN_TYPE)), max_size=3, unique=True))),
    )
    if record.meals_periods:
        record = msgspec.structs.replace(record, free_school_meals=meals_on(record, TODAY))
    if record.sen_periods:
        began = (record.sen_periods[0].start or date.min) <= TODAY
        record = msgspec.structs.replace(record, sen_provision=provision_on(record, TODAY) if began else None)
    elements = draw(st.lists(_other_element(record, named), max_size=6))
    return msgspec.structs.replace(named, other_elements=_placed(elements)), record


def _other_element(record: PupilRecord, named: PupilNames) -> st.SearchStrategy[OtherElement]:
    """An element that no field holds, at any place that there is in the file of this pupil."""
    places = [("", ""), ("BasicDetails", ""), ("LookedAfter", ""), ("SchoolHistory/School", HERE)]
    places += [("FSMhistory/FSMinstance", meals_key(each.start)) for each in record.meals_periods]
    places += [("SchoolHistory/School", school_key(each)) for each in named.previous_schools]
    places += [
        ("Attendance/YearData", year_key(each.academic_year, each.local_authority, each.establishment))
        for each in named.attendance_before
    ]
    return st.builds(
        lambda place, tag, text: OtherElement(
            xml=f"<{tag}><Said>{text}</Said></{tag}>", path=place[0], of=place[1]
        ),
        st.sampled_from(places),
        st.sampled_from(["Extra", "MoreOfIt", "Österreich"]),
        st.sampled_from(["12", "Zoë", "a &lt; b", "two\nlines"]),
    )


def _placed(elements: list[OtherElement]) -> tuple[OtherElement, ...]:
    """The elements in the order in which a file has them."""
    order = list(ORDER)
    return tuple(sorted(elements, key=lambda each: (each.path != "", order.index(each.path), each.of)))


codes = st.text(alphabet="ABCEKMRSTX0123456789+-.", min_size=1, max_size=5)
results = st.builds(
    Result,
    scheme=st.just("statutory"),
    subject=codes,
    value=codes,
    academic_year=st.integers(1999, ACADEMIC_YEAR),
    stage=st.none() | st.sampled_from(["EYF", "KS1", "KS2"]),
    component=st.none() | codes,
    method=st.none() | codes,
    qualifier=st.none() | codes,
    status=st.none() | codes,
    assessed_on=st.none() | st.dates(date(2000, 1, 1), TODAY),
)


def distinct(child: tuple[PupilNames, object]) -> tuple[str, str, date]:
    """What no two children of one file have in common."""
    return child[0].surname.casefold(), child[0].forename.casefold(), child[0].date_of_birth


def with_own_upns(children: list[PupilNames]) -> bool:
    """Whether no two of them have the same UPN."""
    stated = [child.upn for child in children if child.upn]
    return len(stated) == len(set(stated))

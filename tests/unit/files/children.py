"""Made-up children, and hypothesis strategies that make up more."""

from __future__ import annotations

from datetime import date

from hypothesis import strategies as st

from domain.assessment import Result
from domain.codes.sets import ETHNICITY, LANGUAGE, NC_YEAR, SEN_PROVISION, SEX
from domain.codes.upn import make_upn
from domain.files.rows import EARLIEST_DATE_OF_BIRTH, holds_email
from domain.pupil import AttendanceTotals, PupilNames, PupilRecord
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

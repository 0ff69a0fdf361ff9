"""Results of files, seen as results of schemes that they belong to; what is not known is said to be so."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.assessment import STATUTORY, Meaning, Result, meaning_of
from domain.schemes.statutory import seen


@dataclass(frozen=True)
class Row:
    stage: str | None
    subject: str
    component: str | None
    method: str | None
    value: str
    year: int
    qualifier: str | None = None


@pytest.mark.parametrize(
    ("row", "scheme", "code", "value"),
    [
        (Row("EYF", "COM", "E01", "FA", "2", 2025, "FD"), "eyfs-profile 2021", "E01", "2"),
        (Row("FSP", "COM", "G01", "FA", "3", 2015), "eyfs-profile 2013", "G01", "3"),
        (Row("KS1", "PHO", "PHO", "TA", "34", 2023, "NM"), "phonics 2012", "PHO", "34"),
        (Row("KS1", "PHO", "PHO", None, "WA", 2012), "phonics 2012", "PHO", "Wa"),
        (Row("KS2", "ENG", "REA", "TA", "EXS", 2024), "ks2-teacher 2019", "REA", "EXS"),
        (Row("KS1", "ENG", "WRI", "TA", "PKG", 2016), "ks1-teacher 2016", "WRI", "PKG"),
        (Row("KS2", "ENG", "REA", "TT", "104", 2024), "ks2-tests 2016", "REA", "104"),
        (Row("KS2", "MAT", None, "TT", "104", 2024, "SC"), "ks2-tests 2016", "MAT", "104"),
        (Row("KS2", "MAT", "MAT", "TT", "104", 2024), "ks2-tests 2016", "MAT", "104"),
        (Row("KS2", "MAT", "MTC", "TT", "25", 2021, "MT"), "mtc 2022", "MTC", "25"),
        (Row("KS1", "ENG", "REA", "TA", "2B", 2012, "NL"), "levels national-curriculum", "REA", "2b"),
        (Row("KS1", "ENG", "REA", "TA", "2B", 2012), "levels national-curriculum", "REA", "2b"),
        (Row("KS2", "SCI", None, "TA", "P7", 2016, "NP"), "levels p-levels", "SCI", "P7"),
        # The scheme is known, and the value is not.
        (Row("KS2", "ENG", "REA", "TT", "121", 2024), "ks2-tests 2016", "REA", None),
        (Row("KS2", "ENG", "REA", "TA", "PKG", 2024), "ks2-teacher 2019", "REA", None),
    ],
)
def test_what_a_result_is_a_result_of(row: Row, scheme: str, code: str, value: str | None) -> None:
    found = seen(row.stage, row.subject, row.component, row.method, row.qualifier, row.value, row.year)
    assert found
    assert f"{found.version.scheme} {found.version.name}" == scheme
    assert (found.measure.code, found.value) == (code, value)


KS2 = Row("KS2", "ENG", "REA", "TT", "34", 2024)


@pytest.mark.parametrize(
    "row",
    [
        replace(KS2, qualifier="RS"),
        replace(KS2, stage="KS3"),
        replace(KS2, stage=None),
        replace(KS2, subject="FRE", component=None),
        replace(KS2, method=None),
        replace(KS2, year=2001, component="XYZ"),
        Row("EYF", "COM", "E01", "FA", "2", 2019),
    ],
)
def test_what_no_scheme_measures(row: Row) -> None:
    assert seen(row.stage, row.subject, row.component, row.method, row.qualifier, row.value, row.year) is None


codes = st.one_of(st.none(), st.text(max_size=6), st.sampled_from(["ENG", "REA", "KS2", "PHO", "TT", "NL"]))


@given(
    result=st.builds(
        Result,
        scheme=st.sampled_from([STATUTORY, "steps", "levels", "eyfs-profile", "something else"]),
        subject=st.one_of(st.text(max_size=6), st.sampled_from(["ENG", "MAT", "REA"])),
        value=st.one_of(st.text(max_size=6), st.sampled_from(["3w", "EXS", "104", "A", "2b"])),
        academic_year=st.integers(1990, 2100),
        term=st.sampled_from([None, "autumn", "summer-2"]),
        nc_year=st.sampled_from([None, "R", "6", "X"]),
        stage=codes,
        component=codes,
        method=codes,
        qualifier=codes,
        scheme_version=st.sampled_from([None, "2016", "no such"]),
    )
)
def test_no_result_is_refused_however_strange(result: Result) -> None:
    found = meaning_of(result)
    assert found is None or isinstance(found, Meaning)


def test_a_result_of_ours_says_what_it_means() -> None:
    step = Result(scheme="steps", subject="REA", value="3w", academic_year=2024, term="spring", nc_year="3")
    meaning = meaning_of(step)
    assert meaning
    assert (meaning.version.scheme, meaning.code, meaning.value, meaning.standing) == (
        "steps",
        "REA",
        "3w",
        "at",
    )

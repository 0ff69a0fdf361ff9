"""Targets are of what can be reached."""

from __future__ import annotations

import pytest

from domain.academic_year import WholeYear
from domain.errors import InvalidInput
from domain.targets import target_of


@pytest.mark.parametrize(
    ("scheme", "subject", "value"),
    [("ks2-tests", "MAT", "A"), ("ks2-teacher", "WRI", "D"), ("phonics", "PHO", "L"), ("mtc", "MTC", "X")],
)
def test_nobody_is_meant_to_have_no_result(scheme: str, subject: str, value: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        target_of(scheme, subject, value, WholeYear(2025))
    [finding] = refused.value.findings
    assert (finding.field, finding.found) == ("value", value)


@pytest.mark.parametrize(
    ("scheme", "subject", "value"),
    [
        ("ks2-tests", "MAT", "110"),
        ("ks2-tests", "MAT", "AS"),
        ("ks2-teacher", "WRI", "EXS"),
        ("phonics", "PHO", "Wa"),
        ("mtc", "MTC", "0"),
    ],
)
def test_what_can_be_reached_is_a_target(scheme: str, subject: str, value: str) -> None:
    assert target_of(scheme, subject, value, WholeYear(2025)).value == value

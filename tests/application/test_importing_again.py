"""Importing again what the school has set right meanwhile: no file brings it back."""

from __future__ import annotations

import msgspec

from domain.academic_year import WholeYear
from domain.application import assessing
from domain.application.assessing import Entry
from domain.national_results import as_statutory
from tests.application.conftest import RegisteredSchool
from tests.application.examples import YEAR, child, ctf_of
from tests.application.test_importing import KS1, ctf_pupil, dry, outcomes, real


def test_what_the_school_set_right_no_file_brings_back(registered: RegisteredSchool) -> None:
    school = registered.application
    some = child(1, class_name=None)
    other = msgspec.structs.replace(KS1, component="WRI", value="WTS")
    content = ctf_of(ctf_pupil(some, KS1, other))
    real(registered, content)
    [pupil_id] = school.roll()
    first, second = assessing.assessments(school, pupil_id)
    assessing.correct(school, pupil_id, first, "GDS", registered.teacher)
    assessing.void(school, pupil_id, second, "Of another child", registered.teacher)
    assert outcomes(dry(registered, content)) == ["unchanged"]
    assert outcomes(real(registered, content)) == ["unchanged"]
    [there] = assessing.assessments(school, pupil_id).values()
    assert (there.id, there.result.value) == (first, "GDS")
    # What is new in a file is taken, and so is what a later file takes back.
    for value in ("WTS", "GDS", "WTS"):
        said = msgspec.structs.replace(KS1, value=value)
        assert outcomes(real(registered, ctf_of(ctf_pupil(some, said)))) == ["changed"], value


def test_what_was_entered_by_hand_and_set_right_no_file_brings_back(registered: RegisteredSchool) -> None:
    """The file was written here, before the result was corrected."""
    school = registered.application
    some = child(1, class_name=None)
    real(registered, ctf_of(ctf_pupil(some)))
    [pupil_id] = school.roll()
    at = WholeYear(YEAR - 2)
    entry = [Entry(pupil_id, "REA", "EXS")]
    [by_hand] = assessing.record(
        school, at, entry, registered.teacher, scheme="ks1-teacher"
    ).result.assessment_ids
    national = as_statutory(assessing.assessments(school, pupil_id)[by_hand].result)
    assert national is not None
    assessing.correct(school, pupil_id, by_hand, "GDS", registered.teacher)
    assert outcomes(real(registered, ctf_of(ctf_pupil(some, national)))) == ["unchanged"]
    assert [each.result.value for each in assessing.assessments(school, pupil_id).values()] == ["GDS"]

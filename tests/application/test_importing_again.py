"""Importing again where the school has said something else meanwhile: no file takes it back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import UUID

import msgspec
import pytest

from domain.academic_year import WholeYear
from domain.application import assessing, exporting, results_of_files
from domain.application.assessing import Entry
from domain.application.importing import ImportReport
from domain.assessment import Result
from domain.files.reader import read_pupil_file
from domain.national_results import as_statutory
from tests.application.conftest import RegisteredSchool
from tests.application.examples import TODAY, YEAR, Child, child, ctf_of
from tests.application.test_importing import KS1, ctf_pupil, dry, real

SOME = child(1, class_name=None)
WRITING = msgspec.structs.replace(KS1, component="WRI", value="WTS")


def values(registered: RegisteredSchool, pupil_id: UUID) -> list[str]:
    return [each.result.value for each in assessing.assessments(registered.application, pupil_id).values()]


def both(registered: RegisteredSchool, *results: Result, some: Child = SOME) -> Iterator[ImportReport]:
    """The reports of the dry run of a file, and of the file."""
    content = ctf_of(ctf_pupil(some, *results))
    yield dry(registered, content)
    yield real(registered, content)


def stays(registered: RegisteredSchool, *results: Result, kept: bool = True) -> None:
    """Checks that nothing of a file is taken, and that the report says so."""
    for report in both(registered, *results):
        [row] = report.rows
        assert (row.outcome.value, row.results) == ("unchanged", 0)
        assert row.kept == (("results",) if kept else ())


def taken(registered: RegisteredSchool, *results: Result) -> None:
    for report in both(registered, *results):
        assert [(row.outcome.value, row.kept) for row in report.rows] == [("changed", ())]


def by_hand(registered: RegisteredSchool, value: str = "EXS") -> tuple[UUID, UUID]:
    """A pupil, and a result of the Key Stage 1 teacher assessment in reading that was entered for it."""
    school = registered.application
    real(registered, ctf_of(ctf_pupil(SOME)))
    [pupil_id] = school.roll()
    entry = [Entry(pupil_id, "REA", value)]
    recorded = assessing.record(school, WholeYear(YEAR - 2), entry, registered.teacher, scheme="ks1-teacher")
    return pupil_id, recorded.result.assessment_ids[0]


def test_what_was_corrected_here_no_file_takes_back(registered: RegisteredSchool) -> None:
    school = registered.application
    real(registered, ctf_of(ctf_pupil(SOME, KS1)))
    [pupil_id] = school.roll()
    [assessment_id] = assessing.assessments(school, pupil_id)
    assessing.correct(school, pupil_id, assessment_id, "GDS", registered.teacher)
    for value in ("EXS", "WTS", "PK4"):
        stays(registered, msgspec.structs.replace(KS1, value=value))
    stays(registered, msgspec.structs.replace(KS1, value="GDS"), kept=False)
    assert list(assessing.assessments(school, pupil_id)) == [assessment_id]
    assert values(registered, pupil_id) == ["GDS"]


def test_what_was_voided_here_no_file_brings_back(registered: RegisteredSchool) -> None:
    school = registered.application
    real(registered, ctf_of(ctf_pupil(SOME, KS1, WRITING)))
    [pupil_id] = school.roll()
    _, writing = assessing.assessments(school, pupil_id)
    assessing.void(school, pupil_id, writing, "Of another child", registered.teacher)
    stays(registered, KS1, WRITING)
    assert values(registered, pupil_id) == ["EXS"]
    # What was voided was another result than this one; and the one that was voided stays so.
    taken(registered, KS1, msgspec.structs.replace(WRITING, value="GDS"))
    stays(registered, WRITING)
    assert values(registered, pupil_id) == ["EXS", "GDS"]


def test_what_was_corrected_and_then_voided_no_file_brings_back(registered: RegisteredSchool) -> None:
    school = registered.application
    real(registered, ctf_of(ctf_pupil(SOME, KS1)))
    [pupil_id] = school.roll()
    [reading] = assessing.assessments(school, pupil_id)
    assessing.correct(school, pupil_id, reading, "GDS", registered.teacher)
    assessing.void(school, pupil_id, reading, "Of another child", registered.teacher)
    for value in ("EXS", "GDS"):
        stays(registered, msgspec.structs.replace(KS1, value=value))
    assert values(registered, pupil_id) == []


def test_what_only_files_said_a_file_changes(registered: RegisteredSchool) -> None:
    real(registered, ctf_of(ctf_pupil(SOME, KS1)))
    [pupil_id] = registered.application.roll()
    for value in ("WTS", "GDS", "WTS"):
        taken(registered, msgspec.structs.replace(KS1, value=value))
        assert values(registered, pupil_id) == [value]


def test_what_was_entered_by_hand_a_file_does_not_hide(registered: RegisteredSchool) -> None:
    pupil_id, _ = by_hand(registered)
    for other in ({"value": "WTS"}, {"value": "GDS", "status": "R"}, {"value": "A", "qualifier": "LG"}):
        stays(registered, msgspec.structs.replace(KS1, **other))
    stays(registered, KS1, kept=False)
    assert values(registered, pupil_id) == ["EXS"]
    # Another subject, or another year, is another result.
    taken(registered, WRITING, msgspec.structs.replace(KS1, academic_year=YEAR - 3, value="WTS"))


def test_of_what_a_file_brought_first_and_was_entered_by_hand_then(registered: RegisteredSchool) -> None:
    real(registered, ctf_of(ctf_pupil(SOME, msgspec.structs.replace(KS1, value="WTS"))))
    by_hand(registered, "GDS")
    stays(registered, KS1)


def test_what_was_entered_by_hand_and_set_right_no_file_brings_back(registered: RegisteredSchool) -> None:
    """The file was written here, before the result was corrected, or voided."""
    school = registered.application
    pupil_id, assessment_id = by_hand(registered)
    national = as_statutory(assessing.assessments(school, pupil_id)[assessment_id].result)
    assert national is not None
    assessing.correct(school, pupil_id, assessment_id, "GDS", registered.teacher)
    stays(registered, national)
    assert values(registered, pupil_id) == ["GDS"]
    assessing.void(school, pupil_id, assessment_id, "Of another child", registered.teacher)
    stays(registered, national)
    assert values(registered, pupil_id) == []


@pytest.mark.parametrize(
    "check",
    [
        test_what_was_corrected_here_no_file_takes_back,
        test_what_was_voided_here_no_file_brings_back,
        test_what_was_corrected_and_then_voided_no_file_brings_back,
        test_what_was_entered_by_hand_a_file_does_not_hide,
        test_of_what_a_file_brought_first_and_was_entered_by_hand_then,
        test_what_was_entered_by_hand_and_set_right_no_file_brings_back,
    ],
)
def test_an_import_that_takes_whatever_a_file_says_is_found(
    registered: RegisteredSchool, monkeypatch: pytest.MonkeyPatch, check: Callable[[RegisteredSchool], None]
) -> None:
    """The sabotaged twin."""
    monkeypatch.setattr(results_of_files._There, "stands_against", lambda *_: False)
    with pytest.raises(AssertionError):
        check(registered)


def national(registered: RegisteredSchool, pupil_id: UUID) -> list[str]:
    """The values that a Common Transfer File of the pupil has."""
    made = exporting.export_ctf(registered.application, exporting.Selection(pupil_id=pupil_id))
    file = read_pupil_file(made.content, academic_year=YEAR, today=TODAY, any_destination=True)
    return [result.value for result in file.rows[0].results]


def check_what_was_entered_goes_out(registered: RegisteredSchool) -> None:
    """A file says WTS of reading; GDS is entered here by hand; then the file's own is set right to EXS."""
    school, actor = registered.application, registered.teacher
    real(registered, ctf_of(ctf_pupil(SOME, msgspec.structs.replace(KS1, value="WTS"), WRITING)))
    [pupil_id] = school.roll()
    [of_a_file, _] = assessing.assessments(school, pupil_id)
    assert national(registered, pupil_id) == ["WTS", "WTS"]
    at = WholeYear(KS1.academic_year)
    assessing.record(school, at, [Entry(pupil_id, "REA", "GDS")], actor, scheme="ks1-teacher")
    assert sorted(national(registered, pupil_id)) == ["GDS", "WTS"]  # the other one is that of writing
    assessing.correct(school, pupil_id, of_a_file, "EXS", actor)
    assert sorted(national(registered, pupil_id)) == ["EXS", "WTS"]


def test_of_a_result_by_hand_and_another_of_a_file_one_goes_out(registered: RegisteredSchool) -> None:
    check_what_was_entered_goes_out(registered)


def test_that_both_go_out_would_be_noticed(
    registered: RegisteredSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin: what the two are results of is not seen to be the same."""
    monkeypatch.setattr(exporting, "said_of", lambda result: (result, result.value))
    with pytest.raises(AssertionError):
        check_what_was_entered_goes_out(registered)

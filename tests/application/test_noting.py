"""Notes and concerns about a pupil."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from domain import school_time
from domain.application import histories, noting, pupils
from domain.application.school_application import CommandKey, Schools
from domain.errors import Conflict, InvalidInput, NotFound
from domain.events import is_sealed
from domain.identifiers import new_id
from domain.particulars import PupilParticulars
from domain.pupil_record import Period
from tests.application.conftest import RegisteredSchool
from tests.application.examples import TODAY, admitted, child, topics

YESTERDAY = TODAY - timedelta(days=1)


@pytest.fixture
def pupil_id(registered: RegisteredSchool) -> UUID:
    [pupil_id] = admitted(registered.application, registered.teacher, child(1))
    return pupil_id


def test_notes_are_written_changed_and_removed(registered: RegisteredSchool, pupil_id: UUID) -> None:
    school, actor = registered.application, registered.teacher
    first = noting.write_note(school, pupil_id, "Read  aloud\nin assembly ", YESTERDAY, actor).result.note_id
    second = noting.write_note(school, pupil_id, "Lost a tooth", TODAY, actor).result.note_id
    assert [note.text for note in noting.notes(school, pupil_id).values()] == [
        "Read aloud\nin assembly",
        "Lost a tooth",
    ]
    noting.change_note(school, pupil_id, second, "Lost two teeth", registered.administrator)
    noting.change_note(school, pupil_id, second, "Lost two teeth", registered.administrator)
    noting.remove_note(school, pupil_id, first, actor)
    [note] = noting.notes(school, pupil_id).values()
    assert (note.id, note.text, note.written_on, note.by) == (
        second,
        "Lost two teeth",
        TODAY,
        registered.administrator,
    )
    said = [entry.event for entry in histories.of_pupil(school, pupil_id)]
    assert said == ["pupil.admitted", "note.written", "note.written", "note.changed", "note.removed"]
    with pytest.raises(NotFound):
        noting.change_note(school, pupil_id, first, "Again", actor)
    with pytest.raises(NotFound):
        noting.remove_note(school, pupil_id, new_id(), actor)
    with pytest.raises(NotFound):
        noting.write_note(school, new_id(), "Nobody", TODAY, actor)


def test_the_same_command_writes_one_note(registered: RegisteredSchool, pupil_id: UUID) -> None:
    command = CommandKey("key", b"content")
    done = [
        noting.write_note(registered.application, pupil_id, "Once", TODAY, registered.teacher, command)
        for _ in range(2)
    ]
    assert done[0].result == done[1].result
    assert len(noting.notes(registered.application, pupil_id)) == 1


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The service runs where it is another day than in England, whatever the hour is."""
    hour = datetime.now(school_time.SCHOOL_TIME).hour
    monkeypatch.setenv("TZ", "UTC+12" if hour < 10 else "UTC-14")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("elsewhere")
def test_the_day_is_that_of_the_school_wherever_the_service_runs(
    registered: RegisteredSchool, pupil_id: UUID
) -> None:
    school, actor, today = registered.application, registered.teacher, school_time.today()
    tomorrow = today + timedelta(days=1)
    noting.write_note(school, pupil_id, "Read aloud", today, actor)
    with pytest.raises(InvalidInput):
        noting.write_note(school, pupil_id, "Read aloud", tomorrow, actor)
    entered = PupilParticulars(date_of_entry=today, meals_periods=(Period(start=today),))
    version = pupils.change(school, pupil_id, entered, 1, actor).result.version
    for ahead in (
        PupilParticulars(date_of_entry=tomorrow),
        PupilParticulars(meals_periods=(Period(start=tomorrow),)),
    ):
        with pytest.raises(InvalidInput):
            pupils.change(school, pupil_id, ahead, version, actor)
    with pytest.raises(InvalidInput):
        pupils.leave(school, pupil_id, tomorrow, version, actor)
    pupils.leave(school, pupil_id, today, version, actor)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Write to mum@made-up.example about it", "mum@made-up.example"),
        ("They live at 12 Acacia Avenue now", "12 Acacia Avenue"),
        ("", "0 characters"),
        ("x" * 4001, "4001 characters"),
    ],
)
def test_words_that_cannot_be_kept(
    registered: RegisteredSchool, pupil_id: UUID, text: str, found: str
) -> None:
    before = topics(registered.application)
    for refused in (noting.write_note, noting.open_concern):
        with pytest.raises(InvalidInput) as error:
            refused(registered.application, pupil_id, text, TODAY, registered.teacher)
        assert error.value.findings[0].found == found
        assert error.value.findings[0].field == "text"
    assert topics(registered.application) == before


def test_no_day_lies_ahead(registered: RegisteredSchool, pupil_id: UUID) -> None:
    with pytest.raises(InvalidInput) as error:
        noting.write_note(
            registered.application, pupil_id, "Soon", TODAY + timedelta(days=1), registered.teacher
        )
    assert error.value.findings[0].field == "written_on"


def test_the_number_of_active_concerns_is_derived(registered: RegisteredSchool, pupil_id: UUID) -> None:
    school, actor = registered.application, registered.teacher
    first = noting.open_concern(school, pupil_id, "Very quiet", YESTERDAY, actor).result
    second = noting.open_concern(school, pupil_id, "Often late", TODAY, actor).result
    assert (first.active, second.active, second.version) == (1, 2, 3)
    closed = noting.close_concern(school, pupil_id, first.concern_id, TODAY, actor, "Chatty again").result
    assert (closed.active, closed.version) == (1, 4)
    assert school.pupil(pupil_id).active_concerns == 1
    assert [
        (each.text, each.opened_on, each.closed_on, each.outcome)
        for each in noting.concerns(school, pupil_id)
    ] == [
        ("Very quiet", YESTERDAY, TODAY, "Chatty again"),
        ("Often late", TODAY, None, None),
    ]
    with pytest.raises(Conflict):
        noting.close_concern(school, pupil_id, first.concern_id, TODAY, actor)
    with pytest.raises(NotFound):
        noting.close_concern(school, pupil_id, new_id(), TODAY, actor)
    with pytest.raises(InvalidInput):
        noting.close_concern(school, pupil_id, second.concern_id, YESTERDAY, actor)


def test_words_are_sealed_with_the_names(
    registered: RegisteredSchool, schools: Schools, pupil_id: UUID
) -> None:
    school, actor = registered.application, registered.teacher
    noting.write_note(school, pupil_id, "Somebody's name", TODAY, actor)
    noting.open_concern(school, pupil_id, "Somebody's name", TODAY, actor)
    nameless = schools.opened(school.keys.school.without_names())
    [note] = noting.notes(nameless, pupil_id).values()
    [concern] = noting.concerns(nameless, pupil_id)
    assert is_sealed(note.text)
    assert is_sealed(concern.text)
    assert (concern.opened_on, nameless.pupil(pupil_id).active_concerns) == (TODAY, 1)

"""Observations: words and photographs, kept, changed, withdrawn, and read as they stood."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from domain.application import observing
from domain.application.histories import Moment, of_pupil
from domain.application.school_application import CommandKey, SchoolApplication
from domain.errors import (
    CommandReused,
    Conflict,
    InvalidInput,
    NotFound,
    NotPermitted,
    UnreadableFile,
    VersionConflict,
)
from domain.identifiers import new_id
from domain.observation import (
    MOST_CHARACTERS,
    MOST_PHOTOGRAPHS,
    Observation,
    ObservationWithdrawn,
    Observed,
    fold,
    observations_of,
)
from domain.school_time import today
from tests.application.conftest import RegisteredSchool
from tests.application.examples import admitted, at_once, child, events, topics
from tests.photographs import jpeg

SEEN = Observed(observed_on=today(), text="Shared twelve conkers among three friends.", subject="mat")


@pytest.fixture
def pupil_id(registered: RegisteredSchool) -> UUID:
    [pupil_id] = admitted(registered.application, registered.teacher, child(1))
    return pupil_id


def made(registered: RegisteredSchool, pupil_id: UUID, seen: Observed = SEEN) -> UUID:
    return observing.make(registered.application, pupil_id, seen, registered.teacher).result.observation_id


def the_only(school: SchoolApplication, pupil_id: UUID) -> Observation:
    [observation] = observing.observations(school, pupil_id)
    return observation


def test_what_was_seen_is_kept(registered: RegisteredSchool, pupil_id: UUID) -> None:
    school = registered.application
    outcome = observing.make(school, pupil_id, SEEN, registered.teacher)
    assert outcome.position == school.stream.head().position
    assert topics(school)[-1] == "observation.made.1"
    assert the_only(school, pupil_id) == Observation(
        id=outcome.result.observation_id,
        pupil_id=pupil_id,
        version=1,
        made_by=registered.teacher.staff_id,
        observed_on=today(),
        subject_code="MAT",
        text=SEEN.text,
    )
    assert observing.observation(school, pupil_id, outcome.result.observation_id).text == SEEN.text
    assert events(school)[-1].originator_id == observations_of(pupil_id)


def test_the_newest_come_first_and_others_children_have_their_own(
    registered: RegisteredSchool, pupil_id: UUID
) -> None:
    [other] = admitted(registered.application, registered.teacher, child(2))
    ids = [made(registered, each) for each in (pupil_id, other, pupil_id, pupil_id)]
    found = observing.observations(registered.application, pupil_id)
    assert [each.id for each in found] == [ids[3], ids[2], ids[0]]
    with pytest.raises(NotFound):
        observing.observation(registered.application, pupil_id, ids[1])


def test_a_change_is_another_event_and_the_first_words_stay(
    registered: RegisteredSchool, pupil_id: UUID
) -> None:
    school, observation_id = registered.application, made(registered, pupil_id)
    before = school.stream.head().position
    better = Observed(observed_on=today() - timedelta(1), text="Shared them fairly.\n\nBy herself!")
    outcome = observing.change(school, pupil_id, observation_id, better, 1, registered.administrator)
    assert outcome.result.version == 2
    now = the_only(school, pupil_id)
    assert (now.text, now.subject_code, now.observed_on) == (better.text, None, today() - timedelta(1))
    assert now.made_by == registered.teacher.staff_id
    [then] = observing.observations(school, pupil_id, Moment(position=before))
    assert (then.text, then.version) == (SEEN.text, 1)
    told = str([entry.details for entry in of_pupil(school, pupil_id)])
    assert SEEN.text in told
    assert "By herself!" in told
    assert (
        observing.change(school, pupil_id, observation_id, better, 2, registered.teacher).result.version == 2
    )
    assert school.stream.head().position == outcome.position, "what is so already is no event"


def test_nobodys_change_is_lost(registered: RegisteredSchool, pupil_id: UUID) -> None:
    school, observation_id = registered.application, made(registered, pupil_id)

    def change_to(text: str) -> Any:
        seen = msgspec.structs.replace(SEEN, text=text)
        return lambda: observing.change(school, pupil_id, observation_id, seen, 1, registered.teacher)

    came = at_once(*(change_to(text) for text in ("one", "two", "three")))
    conflicts = [each for each in came if isinstance(each, VersionConflict)]
    assert [(each.expected, each.actual) for each in conflicts] == [(1, 2), (1, 2)]
    assert the_only(school, pupil_id).version == 2


def test_several_at_once_are_all_kept(registered: RegisteredSchool, pupil_id: UUID) -> None:
    came = at_once(*[lambda: made(registered, pupil_id)] * 6)
    found = observing.observations(registered.application, pupil_id)
    assert {each.id for each in found} == set(came)
    assert len(found) == 6


def test_what_is_withdrawn_is_not_shown_any_more(registered: RegisteredSchool, pupil_id: UUID) -> None:
    school, teacher, observation_id = registered.application, registered.teacher, made(registered, pupil_id)
    before = school.stream.head().position
    observing.withdraw(school, pupil_id, observation_id, teacher, reason="about another child")
    assert observing.observations(school, pupil_id) == []
    assert len(observing.observations(school, pupil_id, Moment(position=before))) == 1
    for call in (
        lambda: observing.observation(school, pupil_id, observation_id),
        lambda: observing.withdraw(school, pupil_id, observation_id, teacher),
        lambda: observing.change(school, pupil_id, observation_id, SEEN, 2, teacher),
        lambda: observing.attach(school, pupil_id, observation_id, jpeg(), teacher),
    ):
        with pytest.raises(NotFound):
            call()
    assert "about another child" in str(of_pupil(school, pupil_id)[-1].details)


@pytest.mark.parametrize(
    ("text", "found", "accepted"),
    [
        ("", "0 characters", "1 to 5000 characters"),
        (" \n\t\n ", "0 characters", "1 to 5000 characters"),
        ("x" * 5001, "5001 characters", "1 to 5000 characters"),
        ("x" * 5_000_000, "5000000 characters", "1 to 5000 characters"),
        ("Ask zoe.smith@home.example about it", "zoe.smith@home.example", "text without email"),
        ("Now lives at\n12 Elm Road,\nbut comes in time", "12 Elm Road", "text without email"),
        ("the bell \a rang", "15 characters", "text without control or damaged characters"),
        ("ZoÃ« counted", "12 characters", "text whose accents came through whole"),
    ],
)
def test_text_that_cannot_be_kept(
    registered: RegisteredSchool, pupil_id: UUID, text: str, found: str, accepted: str
) -> None:
    before = registered.application.stream.head().position
    with pytest.raises(InvalidInput) as caught:
        made(registered, pupil_id, msgspec.structs.replace(SEEN, text=text))
    [finding] = caught.value.findings
    assert (finding.field, finding.found) == ("text", found)
    assert finding.accepted.startswith(accepted)
    assert registered.application.stream.head().position == before


def test_text_keeps_its_lines(registered: RegisteredSchool, pupil_id: UUID) -> None:
    made(
        registered,
        pupil_id,
        msgspec.structs.replace(SEEN, text="\n  Zoë  counted\t12.\r\n\n\n\nThen 13.  \n"),
    )
    assert the_only(registered.application, pupil_id).text == "Zoë counted 12.\n\nThen 13."
    made(registered, pupil_id, msgspec.structs.replace(SEEN, text="é" * MOST_CHARACTERS))


def test_every_field_that_is_wrong_is_named(registered: RegisteredSchool, pupil_id: UUID) -> None:
    tomorrow = Observed(observed_on=today() + timedelta(1), text="", subject="XYZ")
    with pytest.raises(InvalidInput) as caught:
        made(registered, pupil_id, tomorrow)
    assert [finding.field for finding in caught.value.findings] == ["observed_on", "text", "subject"]
    born = registered.application.pupil(pupil_id).names.date_of_birth
    with pytest.raises(InvalidInput):
        made(registered, pupil_id, msgspec.structs.replace(SEEN, observed_on=born - timedelta(1)))
    with pytest.raises(InvalidInput):
        made(registered, pupil_id, msgspec.structs.replace(SEEN, observed_on=date(1989, 12, 31)))
    made(registered, pupil_id, msgspec.structs.replace(SEEN, observed_on=born))


def test_only_about_children_of_ones_own_classes(registered: RegisteredSchool, pupil_id: UUID) -> None:
    school, teacher, observation_id = registered.application, registered.teacher, made(registered, pupil_id)
    before = school.stream.head().position
    for call in (
        lambda classes: observing.make(school, pupil_id, SEEN, teacher, only_classes=classes),
        lambda classes: observing.change(
            school, pupil_id, observation_id, SEEN, 1, teacher, only_classes=classes
        ),
        lambda classes: observing.withdraw(school, pupil_id, observation_id, teacher, only_classes=classes),
        lambda classes: observing.attach(
            school, pupil_id, observation_id, jpeg(), teacher, only_classes=classes
        ),
        lambda classes: observing.withdraw_photograph(
            school, pupil_id, observation_id, new_id(), teacher, only_classes=classes
        ),
    ):
        for classes in ((), ("Blue",)):
            with pytest.raises(NotPermitted):
                call(classes)
    assert school.stream.head().position == before
    assert observing.make(school, pupil_id, SEEN, teacher, only_classes=("RED", "Blue"))


def test_a_command_that_comes_again_is_answered_and_not_repeated(
    registered: RegisteredSchool, pupil_id: UUID
) -> None:
    school, teacher = registered.application, registered.teacher
    key = CommandKey("one", b"content")
    first = observing.make(school, pupil_id, SEEN, teacher, command=key)
    again = observing.make(school, pupil_id, SEEN, teacher, command=key)
    assert (again.result, again.position, again.repeated) == (first.result, first.position, True)
    observation_id = first.result.observation_id
    photograph = CommandKey("two", b"content")
    attached = observing.attach(school, pupil_id, observation_id, jpeg(), teacher, command=photograph)
    observing.withdraw(school, pupil_id, observation_id, teacher)
    # The answer of then, although it would be refused now.
    came = observing.attach(school, pupil_id, observation_id, jpeg(), teacher, command=photograph)
    assert (came.result, came.repeated) == (attached.result, True)
    with pytest.raises(CommandReused):
        observing.attach(
            school, pupil_id, observation_id, jpeg(), teacher, command=CommandKey("two", b"another")
        )


def test_what_is_no_photograph_leaves_nothing(registered: RegisteredSchool, pupil_id: UUID) -> None:
    school, observation_id = registered.application, made(registered, pupil_id)
    before = school.stream.head().position
    with pytest.raises(UnreadableFile) as caught:
        observing.attach(school, pupil_id, observation_id, b"not a picture", registered.teacher)
    assert [finding.found for finding in caught.value.findings] == ["text"]
    assert school.stream.head().position == before
    with school.database.bound_to(school.school_id) as connection:
        assert connection.execute("SELECT count(*) FROM ledger.photographs").fetchall() == [(0,)]


def test_an_observation_has_so_many_photographs_and_no_more(
    registered: RegisteredSchool, pupil_id: UUID
) -> None:
    school, teacher, observation_id = registered.application, registered.teacher, made(registered, pupil_id)
    ids = [
        observing.attach(school, pupil_id, observation_id, jpeg(), teacher).result.photograph_id
        for _ in range(MOST_PHOTOGRAPHS)
    ]
    assert [each.id for each in the_only(school, pupil_id).photographs] == ids
    with pytest.raises(InvalidInput) as caught:
        observing.attach(school, pupil_id, observation_id, jpeg(), teacher)
    assert [finding.found for finding in caught.value.findings] == ["20 photographs already"]
    observing.withdraw_photograph(school, pupil_id, observation_id, ids[3], teacher)
    assert [each.id for each in the_only(school, pupil_id).photographs] == [*ids[:3], *ids[4:]]
    with pytest.raises(NotFound):
        observing.withdraw_photograph(school, pupil_id, observation_id, ids[3], teacher)
    observing.attach(school, pupil_id, observation_id, jpeg(), teacher)
    assert the_only(school, pupil_id).version == 1 + MOST_PHOTOGRAPHS + 2


def test_an_event_of_nothing_that_was_made_is_a_conflict(registered: RegisteredSchool) -> None:
    event = ObservationWithdrawn(
        originator_id=new_id(),
        originator_version=1,
        actor=registered.teacher,
        observation_id=new_id(),
        pupil_id=new_id(),
    )
    with pytest.raises(Conflict):
        fold([event])


def test_of_a_child_that_is_nobody_there_is_nothing(registered: RegisteredSchool) -> None:
    for call in (
        lambda: observing.observations(registered.application, new_id()),
        lambda: made(registered, new_id()),
    ):
        with pytest.raises(NotFound):
            call()

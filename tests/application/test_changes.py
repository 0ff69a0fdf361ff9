"""The feed of changes: followed from any cut to any other, it shows what reading everything shows."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest

import domain.application.erasing as erasing
import domain.application.pupils as commands
from domain.application import assessing, noting
from domain.application.assessing import Entry
from domain.application.changes import ChangesPage, changes_of, types_about_pupils
from domain.application.histories import Moment, pupil_as_at
from domain.application.school_application import SchoolApplication
from domain.assessment import Assessment
from domain.codes.upn import make_upn
from domain.errors import InvalidInput, NotYetVisible
from domain.events import SYSTEM
from domain.identifiers import new_id
from domain.ledger.stream import RecordedEvent, Stream
from domain.particulars import PupilParticulars
from domain.pupil import ErasureReason, Pupil
from domain.usage import RecordsRead, usage_of
from domain.vault.erasures import FileRegister
from tests.application.conftest import RegisteredSchool
from tests.application.examples import NOW, TODAY, admitted, child


def head(school: SchoolApplication) -> int:
    return school.stream.head().position


def enter(registered: RegisteredSchool, pupil_id: UUID, **fields: Any) -> None:
    particulars = msgspec.convert(fields, PupilParticulars)
    version = registered.application.pupil(pupil_id).version
    commands.change(registered.application, pupil_id, particulars, version, registered.teacher)


@dataclass
class Reader:
    """Somebody who follows a school: what they know of each child, and how far they have come."""

    school: SchoolApplication
    position: int = 0
    pupils: dict[UUID, Pupil] = field(default_factory=dict)
    results: dict[UUID, list[Assessment]] = field(default_factory=dict)
    by_upn: dict[str, UUID] = field(default_factory=dict)

    def follow(self, up_to: int | None = None, limit: int = 500) -> None:
        """Reads every page of what has changed, up to a position."""
        page = changes_of(self.school, self.position, up_to, limit=limit)
        self.take(page)
        while page.next:
            page = changes_of(self.school, self.position, page.position, beyond=page.next, limit=limit)
            self.take(page)
        self.position = page.position

    def take(self, page: ChangesPage) -> None:
        for key in page.key_changes:
            if key.upn_before:
                assert self.by_upn.pop(key.upn_before) == key.pupil_id
        for pupil, change in zip(page.pupils, page.changes, strict=True):
            assert (pupil.id, change.position > self.position) == (change.pupil_id, True)
            self.pupils[pupil.id] = pupil
            if pupil.names.upn:
                self.by_upn[pupil.names.upn] = pupil.id
            if "assessment" in change.what:
                then = pupil_as_at(self.school, pupil.id, Moment(position=page.position))
                self.results[pupil.id] = then.assessments
        for pupil_id in page.removed:
            self.pupils.pop(pupil_id, None)
            self.results.pop(pupil_id, None)
            for upn in [upn for upn, of in self.by_upn.items() if of == pupil_id]:
                del self.by_upn[upn]

    def knows(self) -> dict[UUID, tuple[Pupil, list[Assessment]]]:
        return {pupil_id: (pupil, self.results.get(pupil_id, [])) for pupil_id, pupil in self.pupils.items()}


def as_it_is(school: SchoolApplication) -> dict[UUID, tuple[Pupil, list[Assessment]]]:
    """Everybody, read whole."""
    now = Moment()
    return {
        pupil_id: (pupil, pupil_as_at(school, pupil_id, now).assessments)
        for pupil_id, pupil in school.roll().items()
    }


class Life:
    """What happens at a school, at random but the same for a seed."""

    def __init__(self, registered: RegisteredSchool, register: FileRegister, seed: int) -> None:
        self.registered = registered
        self.school = registered.application
        self.register = register
        self.chance = random.Random(seed)
        self.serial = 0
        self.here: list[UUID] = []

    def go_on(self, steps: int) -> None:
        happenings: list[tuple[int, Callable[[], None]]] = [
            (3, self.admit),
            (4, self.change),
            (2, self.another_upn),
            (1, self.leave_or_return),
            (4, self.assess),
            (1, self.write),
            (1, self.erase),
            (1, self.nothing_about_pupils),
        ]
        for _ in range(steps):
            weights = [weight for weight, _ in happenings]
            [(_, happen)] = self.chance.choices(happenings, weights)
            if happen in (self.admit, self.nothing_about_pupils) or self.here:
                happen()

    def one(self) -> UUID:
        return self.chance.choice(self.here)

    def admit(self) -> None:
        self.serial += 1
        upn = {} if self.chance.random() < 0.7 else {"upn": None}
        self.here += admitted(self.school, self.registered.teacher, child(self.serial, **upn))

    def change(self) -> None:
        enter(self.registered, self.one(), class_name=self.chance.choice(["Red", "Blue", "Elm"]))

    def another_upn(self) -> None:
        self.serial += 1
        enter(self.registered, self.one(), upn=make_upn(882, 2001, 2020, self.serial))

    def leave_or_return(self) -> None:
        pupil = self.school.pupil(self.one())
        act = commands.leave if pupil.on_roll else commands.take_back
        act(self.school, pupil.id, TODAY, pupil.version, self.registered.teacher)

    def assess(self) -> None:
        value = self.chance.choice(["3b", "3w", "3s"])
        entry = Entry(pupil_id=self.one(), subject="REA", value=value)
        # The same judgement twice is nothing new.
        assessing.record(self.school, NOW, [entry], self.registered.teacher)

    def write(self) -> None:
        noting.write_note(self.school, self.one(), "Read aloud", TODAY, self.registered.teacher)

    def erase(self) -> None:
        pupil_id, reason, head = self.one(), ErasureReason.REQUEST, self.registered.administrator
        asked = erasing.ask(self.school, pupil_id, reason, head)
        erasing.erase(self.school, self.register, pupil_id, reason, asked.confirmation, head)
        self.here.remove(pupil_id)

    def nothing_about_pupils(self) -> None:
        staff_id = self.registered.teacher.staff_id
        assert staff_id
        self.school.add_to_log(
            RecordsRead(
                originator_id=usage_of(staff_id),
                originator_version=0,
                actor=SYSTEM,
                session_id=new_id(),
                staff_id=staff_id,
                reads=(),
            )
        )


@pytest.fixture
def register(tmp_path: Path) -> FileRegister:
    return FileRegister(tmp_path / "erasures")


def live(registered: RegisteredSchool, register: FileRegister, seed: int) -> Reader:
    """A life at the school, and somebody who has followed it now and then, to its end."""
    chance = random.Random(seed)
    life = Life(registered, register, seed)
    beside = Reader(registered.application)
    for _ in range(6):
        life.go_on(8)
        if chance.random() < 0.7:
            beside.follow(limit=chance.randint(1, 4))
    beside.follow(limit=3)
    return beside


def check_any_cuts_show_the_same(school: SchoolApplication, seed: int, *readers: Reader) -> None:
    chance = random.Random(seed)
    afterwards, whole = Reader(school), Reader(school)
    cuts = sorted(chance.sample(range(head(school)), 5))
    for cut in (*cuts, head(school)):
        afterwards.follow(cut, limit=chance.randint(1, 4))
    whole.follow()
    truth = as_it_is(school)
    assert truth, "a life in which nobody comes shows nothing"
    upns = {pupil.names.upn: pupil_id for pupil_id, (pupil, _) in truth.items() if pupil.names.upn}
    for reader in (afterwards, whole, *readers):
        assert reader.knows() == truth
        assert reader.by_upn == upns


@pytest.mark.parametrize("seed", range(6))
def test_whoever_follows_in_any_cuts_knows_what_there_is(
    registered: RegisteredSchool, register: FileRegister, seed: int
) -> None:
    beside = live(registered, register, seed)
    check_any_cuts_show_the_same(registered.application, seed, beside)


def test_the_twin_that_skips_one_event_fails_the_same_check(
    registered: RegisteredSchool, register: FileRegister, monkeypatch: pytest.MonkeyPatch
) -> None:
    school = registered.application
    live(registered, register, 1)
    original = Stream.last_of_each_between
    newest = original(school.stream, 1, head(school), types_about_pupils())
    skipped = max(event.id for event in newest if event.topic in {"pupil.changed.1", "pupil.admitted.1"})

    def forgetful(self: Stream, first: int, last: int, types: list[str]) -> list[RecordedEvent]:
        return [event for event in original(self, first, last, types) if event.id != skipped]

    check_any_cuts_show_the_same(school, 1)
    monkeypatch.setattr(Stream, "last_of_each_between", forgetful)
    with pytest.raises(AssertionError):
        check_any_cuts_show_the_same(school, 1)


def test_pages_stay_as_the_first_one_saw_the_school(registered: RegisteredSchool) -> None:
    school = registered.application
    some = admitted(school, registered.teacher, *(child(number) for number in range(5)))
    first = changes_of(school, 0, limit=2)
    assert (len(first.pupils), first.next) == (2, sorted(some)[1])
    for pupil_id in some:
        enter(registered, pupil_id, class_name="Elm")
    admitted(school, registered.teacher, child(9))
    rest = changes_of(school, 0, first.position, beyond=first.next, limit=10)
    assert [pupil.id for pupil in (*first.pupils, *rest.pupils)] == sorted(some)
    assert {pupil.record.class_name for pupil in (*first.pupils, *rest.pupils)} == {"Red"}
    assert rest.next is None
    assert rest.position == first.position
    again = changes_of(school, 0, first.position, limit=2)
    assert again == first


def test_what_has_changed_is_named_with_its_position(registered: RegisteredSchool) -> None:
    school = registered.application
    [one, other] = admitted(school, registered.teacher, child(1), child(2))
    before = head(school)
    noting.write_note(school, one, "Read aloud", TODAY, registered.teacher)
    assessing.record(school, NOW, [Entry(pupil_id=one, subject="REA", value="3w")], registered.teacher)
    enter(registered, other, class_name="Elm")
    page = changes_of(school, before)
    assert {change.pupil_id: change.what for change in page.changes} == {
        one: ("assessment", "note"),
        other: ("pupil",),
    }
    assert [change.position for change in page.changes] == (
        [head(school) - 1, head(school)] if one < other else [head(school), head(school) - 1]
    )
    assert changes_of(school, page.position).changes == []


def test_natural_keys_before_and_after(registered: RegisteredSchool) -> None:
    school = registered.application
    [pupil_id, other] = admitted(school, registered.teacher, child(1), child(2, upn=None))
    before = head(school)
    upns = [make_upn(882, 2001, 2020, serial) for serial in (1, 2, 3)]
    for upn in upns[:2]:
        enter(registered, pupil_id, upn=upn)
    enter(registered, other, upn=upns[2])
    keys = {
        each.pupil_id: (each.upn_before, each.upn_after) for each in changes_of(school, before).key_changes
    }
    assert keys == {pupil_id: (child(1)[0].upn, upns[1]), other: (None, upns[2])}
    assert changes_of(school, 0).key_changes == [], "whom nobody knew has changed nothing"


def test_who_left_is_shown_and_who_was_erased_is_not(
    registered: RegisteredSchool, register: FileRegister
) -> None:
    school = registered.application
    [left, erased, stayed] = admitted(school, registered.teacher, child(1), child(2), child(3))
    before = head(school)
    commands.leave(school, left, TODAY, 1, registered.teacher)
    enter(registered, erased, class_name="Elm")
    seen = changes_of(school, before)
    assert {pupil.id: pupil.on_roll for pupil in seen.pupils} == {left: False, erased: True}
    life = Life(registered, register, 0)
    life.here = [erased]
    life.erase()
    assert changes_of(school, seen.position).removed == [erased]
    earlier = changes_of(school, before, seen.position)
    assert (earlier.removed, [pupil.id for pupil in earlier.pupils]) == ([erased], [left])
    assert stayed not in {change.pupil_id for change in earlier.changes}


def test_positions_that_cannot_be(registered: RegisteredSchool) -> None:
    school = registered.application
    with pytest.raises(NotYetVisible):
        changes_of(school, head(school) + 1)
    with pytest.raises(NotYetVisible):
        changes_of(school, 0, head(school) + 1)
    with pytest.raises(InvalidInput) as refused:
        changes_of(school, 2, 1)
    assert refused.value.findings[0].field == "up_to_position"


def test_every_log_of_a_pupil_counts() -> None:
    words = {each.partition(".")[0] for each in types_about_pupils()}
    assert {"pupil", "assessment", "target", "note", "attendance", "observation"} <= words
    assert not words & {"school", "staff", "session", "records", "statement", "import"}

"""Marking registers, whole or not at all, totals that add up, and who may do either."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.access import Permission
from domain.application import attending, histories, importing, pupils
from domain.application.attending import DayEntry, TotalsResult
from domain.application.school_application import CommandKey, Outcome, SchoolApplication, attendance_of
from domain.attendance import Attendance, AttendanceMarked, Session, Totals
from domain.codes.attendance import Half
from domain.errors import Conflict, InvalidInput, NotFound, NotPermitted
from domain.identifiers import new_id
from domain.ledger.mapper import split
from domain.school_time import today
from tests.application.conftest import RegisteredSchool
from tests.application.examples import (
    YEAR,
    admitted,
    at_once,
    child,
    children,
    csv_of,
    events,
    fields_of,
    topics,
)

AM, PM = Half.AM, Half.PM
TERM = date(YEAR - 1, 9, 1)
"""The first day of the academic year before this one, which is over."""

MONDAY = TERM + timedelta(days=(7 - TERM.weekday()) % 7 + 7)
PRESENT = ("/", "\\")


def day_of(pupil_id: UUID, am: str | None = "/", pm: str | None = "\\", day: date = MONDAY) -> DayEntry:
    return DayEntry(pupil_id=pupil_id, day=day, am=am, pm=pm)


def marks(school: SchoolApplication, pupil_id: UUID) -> dict[Session, str]:
    return attending.attendance(school, pupil_id).marks


def totals(first_day: date = TERM, days: int = 100, **changes: int) -> Totals:
    counted = {"possible": 140, "attended": 130, "authorised": 8, "unauthorised": 2} | changes
    return Totals(first_day=first_day, last_day=first_day + timedelta(days=days), **counted)


def test_one_day_of_one_pupil(registered: RegisteredSchool) -> None:
    school = registered.application
    [pupil_id] = admitted(school, registered.teacher, child(1))
    made = attending.mark(school, [day_of(pupil_id, " / ", "i")], registered.teacher)
    assert (made.result.pupils, made.result.sessions) == (1, 2)
    assert marks(school, pupil_id) == {Session(MONDAY, AM): "/", Session(MONDAY, PM): "I"}
    [stored] = school.stream.events_of(attendance_of(pupil_id))
    assert stored.id == made.position == school.stream.head().position
    assert (stored.topic, split(stored.state).names) == ("attendance.marked.1", None)


def test_a_week_of_thirty_is_one_append(registered: RegisteredSchool) -> None:
    school = registered.application
    importing.import_file(school, csv_of(children(30)), registered.teacher, dry_run=False)
    ids = list(school.roll())
    before = school.stream.head().position
    week = [MONDAY + timedelta(days=number) for number in range(5)]
    made = attending.mark(
        school, [day_of(pupil_id, day=day) for day in week for pupil_id in ids], registered.teacher
    )
    assert (made.result.pupils, made.result.sessions) == (30, 300)
    added = events(school)[before:]
    assert [event.id for event in added] == list(range(before + 1, made.position + 1))
    assert len(added) == 30
    assert len({event.recorded_at for event in added}) == 1
    assert {event.topic for event in added} == {"attendance.marked.1"}
    for pupil_id in ids:
        assert len(marks(school, pupil_id)) == 10
    [event] = school.read(school.stream.events_of(attendance_of(ids[7])))
    assert isinstance(event, AttendanceMarked)
    assert (event.first_day, event.marks) == (MONDAY, PRESENT * 5)


def test_a_later_mark_overrides_and_a_withdrawn_one_is_none(registered: RegisteredSchool) -> None:
    school = registered.application
    [pupil_id] = admitted(school, registered.teacher, child(1))
    attending.mark(school, [day_of(pupil_id, "N", "\\")], registered.teacher)
    attending.mark(school, [day_of(pupil_id, "M", None)], registered.teacher, reason="a note came")
    assert marks(school, pupil_id) == {Session(MONDAY, AM): "M", Session(MONDAY, PM): "\\"}
    attending.mark(school, [day_of(pupil_id, None, "-")], registered.teacher, reason="it was closed")
    assert marks(school, pupil_id) == {Session(MONDAY, AM): "M"}
    told = [entry.details for entry in histories.of_pupil(school, pupil_id) if "marks" in entry.details]
    assert [(each["marks"], each["reason"]) for each in told] == [
        (("N", "\\"), None),
        (("M",), "a note came"),
        (("", "-"), "it was closed"),
    ]


def test_days_that_lie_far_apart_are_two_runs(registered: RegisteredSchool) -> None:
    school = registered.application
    [pupil_id] = admitted(school, registered.teacher, child(1))
    later = MONDAY + timedelta(days=70)
    attending.mark(school, [day_of(pupil_id, day=later), day_of(pupil_id)], registered.teacher)
    stored = school.stream.events_of(attendance_of(pupil_id))
    assert [event.originator_version for event in stored] == [1, 2]
    assert sorted(marks(school, pupil_id)) == [Session(day, half) for day in (MONDAY, later) for half in Half]


def test_a_register_is_marked_whole_or_not_at_all(registered: RegisteredSchool) -> None:
    school = registered.application
    one, other = admitted(school, registered.teacher, *children(2))
    nobody = new_id()
    head = school.stream.head()
    with pytest.raises(InvalidInput) as refused:
        attending.mark(
            school,
            [
                day_of(one),
                day_of(one, "A", "/"),
                day_of(nobody),
                day_of(other, None, None),
                day_of(one, None, "L", MONDAY - timedelta(days=7)),
                day_of(other, day=today() + timedelta(days=1)),
            ],
            registered.teacher,
        )
    found = [(finding.row, finding.field) for finding in refused.value.findings]
    assert found == [(2, "am"), (2, "am"), (2, "pm"), (2, "pm"), (3, "pupil_id"), (4, "am"), (6, "date")]
    accepted = [finding.accepted for finding in refused.value.findings]
    assert accepted[0] == "each session of a pupil once: entry 1 is of the same"
    assert accepted[1].startswith(f"for AM of {MONDAY.isoformat()} one of /, ")
    assert school.stream.head() == head
    with pytest.raises(InvalidInput):
        attending.mark(school, [], registered.teacher)


CHANGE = date(2024, 8, 19)


@pytest.mark.parametrize(
    ("mark", "day", "good"),
    [
        ("H", CHANGE - timedelta(days=1), True),
        ("H", CHANGE, False),
        ("J1", CHANGE, True),
        ("J1", CHANGE - timedelta(days=1), False),
        ("J", CHANGE, False),
        ("Y4", CHANGE, True),
        ("Y", CHANGE, False),
    ],
)
def test_a_code_is_taken_on_the_days_on_which_it_is_valid(
    registered: RegisteredSchool, mark: str, day: date, good: bool
) -> None:
    school = registered.application
    [pupil_id] = admitted(school, registered.teacher, child(1, date_of_entry=date(2022, 9, 1)))
    if good:
        attending.mark(school, [day_of(pupil_id, mark, None, day)], registered.teacher)
        assert marks(school, pupil_id) == {Session(day, AM): mark}
        return
    with pytest.raises(InvalidInput) as refused:
        attending.mark(school, [day_of(pupil_id, mark, None, day)], registered.teacher)
    [finding] = refused.value.findings
    assert (finding.field, finding.found, finding.row) == ("am", mark, 1)
    assert f" {'H' if day < CHANGE else 'Y1'}," in finding.accepted


def test_days_have_bounds(registered: RegisteredSchool) -> None:
    school = registered.application
    [pupil_id] = admitted(school, registered.teacher, child(1, date_of_entry=MONDAY))
    friday = MONDAY + timedelta(days=4)
    pupils.leave(school, pupil_id, friday, 1, registered.teacher)
    before, after = MONDAY - timedelta(days=3), friday + timedelta(days=3)
    head = school.stream.head()
    for day, told in (
        (before, f"the date of entry, {MONDAY.isoformat()}, or a later day; before it only Z"),
        (after, f"the day on which the child left, {friday.isoformat()}, or an earlier one"),
        (date(1989, 12, 29), "a day from 1990-01-01 to today"),
        (today() + timedelta(days=1), "a day from 1990-01-01 to today"),
    ):
        with pytest.raises(InvalidInput) as refused:
            attending.mark(school, [day_of(pupil_id, "I", None, day)], registered.teacher)
        [finding] = [each for each in refused.value.findings if each.field == "date"]
        assert (finding.found, finding.accepted) == (day.isoformat(), told)
    assert school.stream.head() == head
    for day in (MONDAY, friday):
        attending.mark(school, [day_of(pupil_id, day=day)], registered.teacher)
    attending.mark(school, [day_of(pupil_id, "Z", "z", before)], registered.teacher)
    attending.mark(school, [day_of(pupil_id, "-", "-", each) for each in (before, after)], registered.teacher)
    assert {session.day for session in marks(school, pupil_id)} == {MONDAY, friday}


def test_the_register_of_a_class_holds_its_pupils_only(registered: RegisteredSchool) -> None:
    school = registered.application
    red, blue, none = admitted(
        school, registered.teacher, child(1), child(2, class_name="Blue"), child(3, class_name=None)
    )
    class_id = school.class_id_of("red ")
    attending.mark(school, [day_of(red)], registered.teacher, class_id=class_id)
    head = school.stream.head()
    with pytest.raises(InvalidInput) as refused:
        attending.mark(
            school, [day_of(each) for each in (blue, red, none)], registered.teacher, class_id=class_id
        )
    assert [(each.row, each.accepted) for each in refused.value.findings] == [
        (1, "a pupil of this class"),
        (3, "a pupil of this class"),
    ]
    for nobodys, entries in ((new_id(), [day_of(red)]), (class_id, [day_of(new_id())])):
        with pytest.raises(NotFound):
            attending.mark(school, entries, registered.teacher, class_id=nobodys)
    assert school.stream.head() == head


def test_limited_users_mark_their_own_classes_only(registered: RegisteredSchool) -> None:
    school = registered.application
    red, blue = admitted(school, registered.teacher, child(1), child(2, class_name="Blue"))
    calls: list[Callable[..., Any]] = [
        lambda each, only: attending.mark(school, [day_of(each)], registered.teacher, only_classes=only),
        lambda each, only: attending.record_totals(
            school, each, totals(), registered.teacher, only_classes=only
        ),
        lambda each, only: attending.void_totals(
            school, each, TERM, totals().last_day, registered.teacher, only_classes=only
        ),
    ]
    for call in calls:
        head = school.stream.head()
        for only in (["Red"], []):
            with pytest.raises(NotPermitted) as refused:
                call(blue, only)
            assert refused.value.details["needed"] is Permission.RECORD_ATTENDANCE
        assert school.stream.head() == head
        call(red, ["red"])
    with pytest.raises(NotPermitted):
        attending.mark(school, [day_of(red), day_of(blue)], registered.teacher, only_classes=["Red"])


def test_totals_are_recorded_replaced_and_voided(registered: RegisteredSchool) -> None:
    school = registered.application
    [pupil_id] = admitted(school, registered.teacher, child(1))
    autumn, year = totals(), totals(days=150, possible=190, attended=180)

    def there() -> list[Totals]:
        return list(attending.attendance(school, pupil_id).totals.values())

    attending.record_totals(school, pupil_id, autumn, registered.teacher)
    assert there() == [autumn]
    attending.record_totals(school, pupil_id, year, registered.teacher, reason="counted anew")
    assert there() == [year]
    spring = totals(TERM + timedelta(days=151), 30, possible=40, attended=30)
    attending.record_totals(school, pupil_id, spring, registered.teacher)
    head = school.stream.head()
    across = totals(TERM + timedelta(days=120), 40, possible=20, attended=10)
    for lost in (autumn, across):
        with pytest.raises(Conflict) as refused:
            attending.record_totals(school, pupil_id, lost, registered.teacher)
        assert refused.value.details["overlaps_from"] == TERM.isoformat()
    with pytest.raises(NotFound):
        attending.void_totals(school, pupil_id, TERM, autumn.last_day, registered.teacher)
    assert school.stream.head() == head
    attending.void_totals(school, pupil_id, TERM, year.last_day, registered.teacher, reason="another child's")
    assert there() == [spring]
    attending.record_totals(school, pupil_id, autumn, registered.teacher)
    assert there() == [spring, autumn]
    assert topics(school).count("attendance.totalled.1") == 4
    assert topics(school).count("attendance.totals-voided.1") == 1


def test_totals_that_somebody_enters_meanwhile_are_not_lost(
    registered: RegisteredSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else is quicker, just after it was looked what totals there are."""
    school = registered.application
    [pupil_id] = admitted(school, registered.teacher, child(1))
    year, autumn = totals(days=150, possible=190, attended=180), totals()
    look, looks = attending.attendance, list[int]()

    def looking(school: SchoolApplication, pupil_id: UUID) -> Attendance:
        found = look(school, pupil_id)
        looks.append(1)
        if len(looks) == 1:
            attending.record_totals(school, pupil_id, year, registered.teacher)
        return found

    monkeypatch.setattr(attending, "attendance", looking)
    with pytest.raises(Conflict):
        attending.record_totals(school, pupil_id, autumn, registered.teacher)
    assert list(look(school, pupil_id).totals.values()) == [year]


def test_totals_that_cannot_be_are_refused(registered: RegisteredSchool) -> None:
    school = registered.application
    entered = TERM + timedelta(days=30)
    [pupil_id] = admitted(school, registered.teacher, child(1, date_of_entry=entered))
    pupils.leave(school, pupil_id, entered + timedelta(days=60), 1, registered.teacher)
    head = school.stream.head()
    few = {"possible": 100, "attended": 90}
    for given, fields in (
        (totals(entered, 60, **few | {"possible": 101}), ["possible"]),
        (totals(TERM, **few), ["from", "to"]),
        (totals(entered - timedelta(days=1), 50, **few), ["from"]),
        (totals(entered, 61, **few), ["to"]),
    ):
        with pytest.raises(InvalidInput) as refused:
            attending.record_totals(school, pupil_id, given, registered.teacher)
        assert fields_of(refused.value.findings) == fields
    with pytest.raises(NotFound):
        attending.record_totals(school, new_id(), totals(), registered.teacher)
    assert school.stream.head() == head


def test_a_repeated_register_is_marked_once(registered: RegisteredSchool) -> None:
    school = registered.application
    [pupil_id] = admitted(school, registered.teacher, child(1))
    key = CommandKey("key", b"content")
    first = attending.mark(school, [day_of(pupil_id)], registered.teacher, command=key)
    again = attending.mark(school, [day_of(pupil_id)], registered.teacher, command=key)
    assert (again.result, again.position, again.repeated) == (first.result, first.position, True)
    calls: dict[str, Callable[[CommandKey], Outcome[TotalsResult]]] = {
        "totals": lambda command: attending.record_totals(
            school, pupil_id, totals(), registered.teacher, command=command
        ),
        "void": lambda command: attending.void_totals(
            school, pupil_id, TERM, totals().last_day, registered.teacher, command=command
        ),
    }
    for name, call in calls.items():
        assert [call(CommandKey(name, b"")).repeated for _ in range(2)] == [False, True]
    kinds = [topic for topic in topics(school) if topic.startswith("attendance.")]
    assert kinds == ["attendance.marked.1", "attendance.totalled.1", "attendance.totals-voided.1"]


def test_registers_of_the_same_pupils_at_once_are_all_marked(registered: RegisteredSchool) -> None:
    school = registered.application
    ids = admitted(school, registered.teacher, *children(5))
    answers = at_once(
        *(
            lambda day=MONDAY + timedelta(days=number): attending.mark(
                school, [day_of(pupil_id, day=day) for pupil_id in ids], registered.teacher
            )
            for number in range(5)
        )
    )
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    for pupil_id in ids:
        assert len(marks(school, pupil_id)) == 10


def test_a_reason_with_an_address_is_refused(registered: RegisteredSchool) -> None:
    school = registered.application
    [pupil_id] = admitted(school, registered.teacher, child(1))
    with pytest.raises(InvalidInput) as refused:
        attending.mark(school, [day_of(pupil_id)], registered.teacher, reason="asked a.b@mail.example")
    assert [(each.field, each.found) for each in refused.value.findings] == [("reason", "a.b@mail.example")]

"""Nobody leaves before days whose registers are marked, also not at the very moment in which they are."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from domain.application import attending, importing, pupils
from domain.application.attending import DayEntry
from domain.application.importing import Leavers
from domain.application.school_application import SchoolApplication
from domain.attendance import Totals
from domain.errors import InvalidInput
from domain.events import Actor
from domain.ledger.stream import Stream
from tests.application.conftest import RegisteredSchool
from tests.application.examples import TODAY, admitted, at_once, child, csv_of

DAY = TODAY - timedelta(days=14)
LAST = TODAY - timedelta(days=2)


def mark(school: SchoolApplication, pupil_id: UUID, actor: Actor, days: int = 1) -> object:
    """Marks sessions of the days up to LAST: one in the morning of each, and the last afternoon."""
    entries = [
        DayEntry(pupil_id=pupil_id, day=LAST - timedelta(days=number), am="/", pm=None if number else "\\")
        for number in range(days)
    ]
    return attending.mark(school, entries, actor)


def leave(school: SchoolApplication, pupil_id: UUID, actor: Actor) -> object:
    return pupils.leave(school, pupil_id, DAY, 1, actor)


def marked_after_leaving(school: SchoolApplication, pupil_id: UUID) -> bool:
    left_on = school.pupil(pupil_id).left_on
    there = attending.attendance(school, pupil_id).marks
    return left_on is not None and any(session.day > left_on for session in there)


def test_nobody_leaves_before_days_that_are_marked(registered: RegisteredSchool) -> None:
    school, actor = registered.application, registered.teacher
    [pupil_id] = admitted(school, actor, child(1))
    mark(school, pupil_id, actor, days=2)
    head = school.stream.head()
    with pytest.raises(InvalidInput, match="of days after that on which the pupil would leave") as refused:
        leave(school, pupil_id, actor)
    [finding] = refused.value.findings
    assert (finding.field, finding.found) == ("left_on", DAY.isoformat())
    assert finding.accepted == (
        f"{LAST.isoformat()} or a later day; "
        "3 sessions are marked after it: withdraw those marks first, if they are wrong"
    )
    assert school.stream.head() == head
    # Either of the two that it names will do.
    withdrawn = [DayEntry(pupil_id=pupil_id, day=LAST, am="-", pm="-")]
    attending.mark(school, withdrawn, actor)
    pupils.leave(school, pupil_id, LAST - timedelta(days=1), 1, actor)
    assert not marked_after_leaving(school, pupil_id)


def test_nobody_leaves_within_a_period_that_has_totals(registered: RegisteredSchool) -> None:
    school, actor = registered.application, registered.teacher
    [pupil_id] = admitted(school, actor, child(1))
    totals = Totals(first_day=LAST, last_day=LAST, possible=2, attended=2, authorised=0, unauthorised=0)
    attending.record_totals(school, pupil_id, totals, actor)
    with pytest.raises(InvalidInput) as refused:
        leave(school, pupil_id, actor)
    [finding] = refused.value.findings
    assert "totals of 2 sessions" in finding.accepted
    assert "void those first" in finding.accepted
    attending.void_totals(school, pupil_id, LAST, LAST, actor)
    leave(school, pupil_id, actor)


def test_who_is_marked_until_the_last_day_leaves_also_by_a_file(registered: RegisteredSchool) -> None:
    school, actor = registered.application, registered.teacher
    stays, leaves = admitted(school, actor, child(1), child(2))
    mark(school, leaves, actor)
    report = importing.import_file(
        school, csv_of([child(1)]), actor, dry_run=False, leavers=Leavers(allowed=1)
    )
    assert report.counts.left == 1
    assert school.pupil(stays).on_roll
    assert school.pupil(leaves).left_on == TODAY


def check_marked_while_leaving(registered: RegisteredSchool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between what a leaving reads and its append, a register is marked."""
    school, actor = registered.application, registered.teacher
    [pupil_id] = admitted(school, actor, child(1))
    happens_meanwhile(monkeypatch, pupils, "check_nothing_after", partial(mark, school, pupil_id, actor))
    with pytest.raises(InvalidInput):
        leave(school, pupil_id, actor)
    assert not marked_after_leaving(school, pupil_id)


def check_left_while_marking(registered: RegisteredSchool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between what the marking of a register reads and its append, the child leaves."""
    school, actor = registered.application, registered.teacher
    [pupil_id] = admitted(school, actor, child(1))
    happens_meanwhile(monkeypatch, attending, "_read", partial(leave, school, pupil_id, actor))
    with pytest.raises(InvalidInput):
        mark(school, pupil_id, actor)
    assert not marked_after_leaving(school, pupil_id)


def happens_meanwhile(
    monkeypatch: pytest.MonkeyPatch, module: Any, reads: str, act: Callable[[], object]
) -> None:
    """Lets something happen once, right after a function has read."""
    read, left_to_do = getattr(module, reads), [act]

    def then_it_happens(*arguments: Any) -> Any:
        found = read(*arguments)
        if left_to_do:
            left_to_do.pop()()
        return found

    monkeypatch.setattr(module, reads, then_it_happens)


def test_a_register_that_is_marked_at_the_same_moment_is_seen(
    registered: RegisteredSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_marked_while_leaving(registered, monkeypatch)


def test_a_leaving_that_rests_on_nothing_is_noticed(
    registered: RegisteredSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Stream, "check_unmoved", lambda *_: None)
    with pytest.raises(pytest.fail.Exception):
        check_marked_while_leaving(registered, monkeypatch)


def test_a_leaving_at_the_same_moment_is_seen(
    registered: RegisteredSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_left_while_marking(registered, monkeypatch)


def test_a_register_without_its_condition_is_noticed(
    registered: RegisteredSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attending, "Unless", lambda *_: None)
    with pytest.raises(pytest.fail.Exception):
        check_left_while_marking(registered, monkeypatch)


def test_of_the_two_at_once_one_is_refused(registered: RegisteredSchool) -> None:
    school, actor = registered.application, registered.teacher
    for pupil_id in admitted(school, actor, *(child(number) for number in range(10))):
        came_of_it = at_once(partial(leave, school, pupil_id, actor), partial(mark, school, pupil_id, actor))
        assert sum(isinstance(each, InvalidInput) for each in came_of_it) == 1, came_of_it
        assert not marked_after_leaving(school, pupil_id)

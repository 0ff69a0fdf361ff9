"""The headteacher: appointed by somebody else, on the record, and never replaced behind their back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

import msgspec
import pytest

import domain.headteachers
from domain.access import AccessLevel, Permission
from domain.application import accounts
from domain.application.registration import register
from domain.application.school_application import SchoolApplication, Schools
from domain.errors import Conflict, NotPermitted
from domain.events import OPERATOR, Actor
from domain.staff import Access, StaffHeadteacherAppointed, StaffMember, StaffNames
from domain.vault.sessions import Sessions
from tests.application.conftest import PASSWORD, registration, staff
from tests.keys import opened

_urns = count(700001)
_users = count(1)


@dataclass
class Headed:
    """A school whose first administrator is its headteacher, with two administrators beside them."""

    school: SchoolApplication
    head: Actor
    deputy: Actor
    bursar: Actor


def added(school: SchoolApplication, level: AccessLevel = AccessLevel.ADMIN) -> Actor:
    names = StaffNames(username=f"user{next(_users)}", display_name="Somebody")
    return staff(accounts.add_staff(school, names, Access(level), PASSWORD, OPERATOR).result.staff_id)


def registered(schools: Schools, *, headteacher: bool) -> Headed:
    request = msgspec.structs.replace(registration(str(next(_urns))), headteacher=headteacher)
    made = register(schools, request)
    assert made.login_key
    school = opened(schools, made.login_key)
    head = staff(made.outcome.result.administrator_id)
    return Headed(school, head, added(school), added(school))


@pytest.fixture
def headed(schools: Schools) -> Headed:
    return registered(schools, headteacher=True)


@pytest.fixture
def headless(schools: Schools) -> Headed:
    return registered(schools, headteacher=False)


def member(school: SchoolApplication, actor: Actor) -> StaffMember:
    assert actor.staff_id
    return school.staff_member(actor.staff_id)


def appoint(headed: Headed, whom: Actor, by: Actor) -> None:
    assert whom.staff_id
    accounts.appoint_headteacher(headed.school, whom.staff_id, by)


def heads(headed: Headed) -> set[Actor]:
    return {staff(each.id) for each in headed.school.staff()[0] if each.headteacher}


def test_the_operator_says_it_when_the_school_is_registered(headed: Headed, headless: Headed) -> None:
    assert heads(headed) == {headed.head}
    assert heads(headless) == set()
    assert member(headed.school, headed.head).may(Permission.GIVE_RELEASES)
    assert not member(headed.school, headed.deputy).may(Permission.GIVE_RELEASES)
    assert not member(headless.school, headless.head).may(Permission.GIVE_RELEASES)


def test_a_headteacher_hands_over(headed: Headed) -> None:
    assert headed.head.staff_id
    appoint(headed, headed.deputy, headed.head)
    appoint(headed, headed.deputy, headed.head)
    assert heads(headed) == {headed.head, headed.deputy}
    accounts.end_headteacher(headed.school, headed.head.staff_id, headed.head)
    assert heads(headed) == {headed.deputy}
    topics = [event.topic for event in headed.school.stream.events_of_category("staff")]
    assert topics.count("staff.headteacher-appointed.1") == topics.count("staff.headteacher-ended.1") == 1


def takeovers(headed: Headed, sessions: Sessions) -> list[str]:
    """The ways in which the other administrators, together, put one of them in the headteacher's place."""
    school, head, deputy, bursar = headed.school, headed.head, headed.deputy, headed.bursar
    assert head.staff_id
    head_id = head.staff_id
    tries: dict[str, Callable[[], object]] = {
        "appoint a colleague": lambda: appoint(headed, deputy, bursar),
        "appoint oneself": lambda: appoint(headed, deputy, deputy),
        "end the role": lambda: accounts.end_headteacher(school, head_id, deputy),
        "take the access": lambda: accounts.change_access(
            school, sessions, head_id, Access(AccessLevel.READ_ONLY), deputy
        ),
        "disable": lambda: accounts.disable(school, sessions, head_id, deputy),
        "log in as them": lambda: accounts.set_password(school, sessions, head_id, PASSWORD + "!", deputy),
    }
    found = []
    for name, attempt in tries.items():
        try:
            attempt()
        except (NotPermitted, Conflict):
            continue
        found.append(name)
    return found


def test_nobody_else_puts_themselves_in_their_place(headed: Headed, sessions: Sessions) -> None:
    before = headed.school.stream.head().position
    assert takeovers(headed, sessions) == []
    assert headed.school.stream.head().position == before
    assert heads(headed) == {headed.head}


def test_an_appointment_that_asks_nobody_would_be_noticed(
    headed: Headed, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    def anybody(member: StaffMember, _: object, actor: Actor) -> StaffHeadteacherAppointed:
        return StaffHeadteacherAppointed(
            originator_id=member.id, originator_version=member.version + 1, actor=actor
        )

    monkeypatch.setattr(domain.headteachers, "appoint", anybody)
    assert takeovers(headed, sessions) == ["appoint a colleague", "appoint oneself"]


def test_where_there_is_none_another_administrator_appoints(headless: Headed) -> None:
    with pytest.raises(NotPermitted, match="Nobody appoints themselves"):
        appoint(headless, headless.deputy, headless.deputy)
    appoint(headless, headless.head, headless.deputy)
    assert heads(headless) == {headless.head}
    with pytest.raises(NotPermitted, match="has a headteacher"):
        appoint(headless, headless.bursar, headless.deputy)


def test_where_they_are_gone_the_operator_does_it(headed: Headed, sessions: Sessions) -> None:
    assert headed.head.staff_id
    appoint(headed, headed.deputy, OPERATOR)
    accounts.end_headteacher(headed.school, headed.head.staff_id, OPERATOR)
    assert heads(headed) == {headed.deputy}
    accounts.disable(headed.school, sessions, headed.head.staff_id, headed.deputy)


def test_a_headteacher_is_an_administrator_whose_account_is_used(headed: Headed, sessions: Sessions) -> None:
    with pytest.raises(Conflict, match="is an administrator"):
        appoint(headed, added(headed.school, AccessLevel.READ_WRITE), headed.head)
    assert headed.bursar.staff_id
    accounts.disable(headed.school, sessions, headed.bursar.staff_id, headed.head)
    with pytest.raises(Conflict, match="disabled"):
        appoint(headed, headed.bursar, headed.head)


def test_they_set_their_own_password(headed: Headed, sessions: Sessions) -> None:
    assert headed.head.staff_id
    accounts.set_password(headed.school, sessions, headed.head.staff_id, PASSWORD + "!", headed.head)

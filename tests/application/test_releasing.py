"""Releases of named data: nothing without a permission that covers it, and nothing that is not recorded."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import threading
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from domain import school_time
from domain.access import AccessLevel
from domain.application import (
    accounts,
    assessing,
    erasing,
    people,
    permissions,
    pupils,
    releasing,
    school_bundle,
    subject_access,
)
from domain.application.assessing import Entry
from domain.application.registration import register
from domain.application.releasing import Asked, Release, release
from domain.application.school_application import Outcome, SchoolApplication, Schools
from domain.bundles.archive import problems_of
from domain.errors import Conflict, InvalidInput, KeyNotHeld, NotFound, NotPermitted
from domain.events import OPERATOR, Actor, is_sealed
from domain.ledger.stream import Stream
from domain.permissions import (
    PermissionUsed,
    ReleasePermission,
    ReleaseRefused,
    Scope,
    Terms,
    permissions_of,
)
from domain.pupil import ErasureReason
from domain.staff import Access, StaffNames
from domain.vault.erasures import FileRegister
from domain.vault.keyring import SchoolKeys
from tests.application.conftest import PASSWORD, RegisteredSchool, registration, staff
from tests.application.examples import NOW, YEAR, admitted, child
from tests.keys import opened

_urns = count(800001)

AT = datetime.now(UTC)
TODAY = school_time.today()


@pytest.fixture
def registered(schools: Schools) -> RegisteredSchool:
    """A school whose administrator is its headteacher."""
    urn = str(next(_urns))
    made = register(schools, msgspec.structs.replace(registration(urn), headteacher=True))
    assert made.login_key
    school = opened(schools, made.login_key)
    names = StaffNames(username="Teacher", display_name="A Teacher")
    teacher = accounts.add_staff(school, names, Access(AccessLevel.READ_WRITE), PASSWORD, OPERATOR)
    head = staff(made.outcome.result.administrator_id)
    return RegisteredSchool(urn, made.login_key, school, head, staff(teacher.result.staff_id))


def terms(**changes: Any) -> Terms:
    said: dict[str, Any] = {
        "recipient": "Countyshire Council",
        "purpose": "Moderation of writing",
        "scope": Scope.NAMED_PUPILS,
        "until": TODAY + timedelta(days=30),
    }
    return Terms(**(said | changes))


def given(registered: RegisteredSchool, **changes: Any) -> UUID:
    outcome = permissions.give(registered.application, terms(**changes), registered.administrator)
    return outcome.result.permission_id


def asked(permission_id: UUID, **changes: Any) -> Asked:
    said: dict[str, Any] = {
        "permission_id": permission_id,
        "recipient": "Countyshire Council",
        "purpose": "Moderation of writing",
        "scope": Scope.NAMED_PUPILS,
    }
    return Asked(**(said | changes))


def released(registered: RegisteredSchool, permission_id: UUID, **changes: Any) -> Release:
    return release(registered.application, asked(permission_id, **changes), registered.teacher, AT)


def permission(school: SchoolApplication, permission_id: UUID) -> ReleasePermission:
    return permissions.permissions_and_version(school)[0][permission_id]


def uses(school: SchoolApplication) -> list[PermissionUsed]:
    events = school.read(school.stream.events_of(permissions_of(school.school_id)))
    return [event for event in events if isinstance(event, PermissionUsed)]


def parts(content: bytes) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """The cover sheet, and the rows of the file that it speaks of."""
    assert problems_of(io.BytesIO(content)) == []
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        cover = json.loads(archive.read("cover-sheet.json"))
        data = archive.read(cover["file"])
        assert set(archive.namelist()) == {"cover-sheet.json", cover["file"], "manifest.json"}
    assert hashlib.sha256(data).hexdigest() == cover["sha256"]
    return cover, list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))


def judged(registered: RegisteredSchool, pupil_ids: list[UUID], value: str = "4w") -> None:
    entries = [Entry(pupil_id=pupil_id, subject="WRI", value=value) for pupil_id in pupil_ids]
    assessing.record(registered.application, NOW, entries, registered.teacher)


def leave(registered: RegisteredSchool, pupil_id: UUID) -> None:
    pupils.leave(registered.application, pupil_id, TODAY, 1, registered.teacher)


def test_named_pupils_with_a_cover_sheet(registered: RegisteredSchool) -> None:
    school = registered.application
    ids = admitted(school, registered.teacher, child(2), child(1, surname="=HYPERLINK()"))
    judged(registered, ids[:1])
    permission_id = given(registered)
    made = released(registered, permission_id)
    cover, rows = parts(made.content)
    assert [(row["Surname"], row["Value"]) for row in rows] == [("'=HYPERLINK()", ""), ("Surname002", "4w")]
    assert (rows[1]["Subject"], rows[1]["Class"], rows[1]["NC year"]) == ("WRI", "Red", "4")
    expected = {
        "format": "target-tracker named release",
        "version": 1,
        "release_id": str(made.release_id),
        "permission_id": str(permission_id),
        "school": "Made-up Primary School",
        "urn": registered.urn,
        "recipient": "Countyshire Council",
        "purpose": "Moderation of writing",
        "scope": "named_pupils",
        "until": (TODAY + timedelta(days=30)).isoformat(),
        "released_at": AT.isoformat(),
        "released_by": "A Teacher",
        "permitted_by": "The Head",
        "pupils": 2,
        "file": "pupils.csv",
    }
    assert {field: cover[field] for field in expected} == expected
    assert cover.keys() == expected.keys() | {"sha256"}


def test_a_use_is_on_the_stream_with_whom_it_named(registered: RegisteredSchool) -> None:
    school = registered.application
    ids = admitted(school, registered.teacher, child(1), child(2))
    permission_id = given(registered)
    made = [released(registered, permission_id), released(registered, permission_id, pupil_ids=(ids[1],))]
    assert [set(each.pupil_ids) for each in made] == [set(ids), {ids[1]}]
    found = permission(school, permission_id)
    assert [use.release_id for use in found.uses] == [each.release_id for each in made]
    assert [use.pupils for use in found.uses] == [2, 1]
    assert [use.sha256 for use in found.uses] == [hashlib.sha256(each.content).digest() for each in made]
    assert {use.by for use in found.uses} == {registered.teacher}
    assert school.stream.head().position == made[1].position


def slipped_through(
    registered: RegisteredSchool, release_: Callable[[SchoolApplication, Asked, Actor, datetime], Release]
) -> set[str]:
    """Which releases are made that no permission covers."""
    school = registered.application
    one, other = admitted(school, registered.teacher, child(1), child(2, class_name="Blue", nc_year="5"))
    good, revoked = given(registered), given(registered)
    permissions.revoke(school, revoked, registered.administrator)
    figures = given(registered, scope=Scope.SCHOOL_FIGURES)
    red, year_4, listed = (
        given(registered, class_name="red"),
        given(registered, nc_year="Y4"),
        given(registered, pupil_ids=(one,)),
    )
    tries = {
        "revoked": asked(revoked),
        "another recipient": asked(good, recipient="Countyshire Gazette"),
        "another purpose": asked(good, purpose="A league table"),
        "figures in place of pupils": asked(good, scope=Scope.SCHOOL_FIGURES),
        "pupils in place of figures": asked(figures),
        "another class": asked(red, pupil_ids=(other,)),
        "another NC year": asked(year_4, pupil_ids=(other,)),
        "a pupil who is not listed": asked(listed, pupil_ids=(one, other)),
        "a pupil whom nobody knows": asked(good, pupil_ids=(uuid4(),)),
    }
    late = datetime.combine(TODAY + timedelta(days=31), AT.timetz())
    found = set()
    for name, at in (*((name, AT) for name in tries), ("ended", late)):
        before = school.stream.head().position
        try:
            release_(school, tries.get(name, asked(good)), registered.teacher, at)
        except ReleaseRefused as refused:
            findings = refused.findings
        else:
            found.add(name)
            continue
        assert findings
        assert all(each.field and each.found and each.accepted for each in findings)
        assert school.stream.head().position == before
    return found


def test_nothing_is_released_that_no_permission_covers(registered: RegisteredSchool) -> None:
    assert slipped_through(registered, release) == set()
    assert uses(registered.application) == []


def test_a_release_that_looks_at_nothing_would_be_noticed(
    registered: RegisteredSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(releasing, "check_covers", lambda found, *_: found.terms)
    monkeypatch.setattr(releasing, "_covers", lambda *_: True)
    assert slipped_through(registered, release) == {
        "revoked",
        "another recipient",
        "another purpose",
        "figures in place of pupils",
        "pupils in place of figures",
        "another class",
        "another NC year",
        "a pupil who is not listed",
        "ended",
    }


def test_what_is_not_covered_is_said(registered: RegisteredSchool) -> None:
    admitted(registered.application, registered.teacher, child(1))
    permission_id = given(registered)
    permissions.revoke(registered.application, permission_id, registered.administrator)
    with pytest.raises(ReleaseRefused) as refused:
        released(registered, permission_id, recipient="A newspaper", scope=Scope.SCHOOL_FIGURES)
    assert [(each.field, each.found) for each in refused.value.findings] == [
        ("permission_id", "revoked"),
        ("recipient", "A newspaper"),
        ("scope", "school_figures"),
    ]
    with pytest.raises(NotFound):
        released(registered, uuid4())


def test_words_are_the_same_whatever_their_capitals(registered: RegisteredSchool) -> None:
    admitted(registered.application, registered.teacher, child(1))
    permission_id = given(registered)
    assert released(registered, permission_id, recipient=" countyshire  COUNCIL").pupil_ids


def test_it_holds_to_the_end_of_its_last_day_in_england(registered: RegisteredSchool) -> None:
    admitted(registered.application, registered.teacher, child(1))
    last = date(TODAY.year + 1, 7, 1)
    permission_id = given(registered, until=last)
    # In July, 22:59 UTC is a minute before midnight in England.
    end = datetime(last.year, 7, 1, 22, 59, tzinfo=UTC)
    assert release(registered.application, asked(permission_id), registered.teacher, end)
    with pytest.raises(ReleaseRefused):
        release(registered.application, asked(permission_id), registered.teacher, end + timedelta(minutes=2))


def test_classes_and_years_are_those_of_the_day(registered: RegisteredSchool) -> None:
    school = registered.application
    one, other = admitted(school, registered.teacher, child(1), child(2, class_name="Blue", nc_year="5"))
    red, year_5 = given(registered, class_name="red"), given(registered, nc_year="Y5")
    assert released(registered, red).pupil_ids == [one]
    assert released(registered, year_5).pupil_ids == [other]
    leave(registered, one)
    with pytest.raises(Conflict, match="covers nobody"):
        released(registered, red)
    assert uses(school)[-1].pupils == other.bytes


def test_whoever_left_is_named_only_where_they_are_listed(registered: RegisteredSchool) -> None:
    school = registered.application
    one, other = admitted(school, registered.teacher, child(1), child(2))
    everybody, listed = given(registered), given(registered, pupil_ids=(one,))
    leave(registered, one)
    assert released(registered, everybody).pupil_ids == [other]
    assert released(registered, listed).pupil_ids == [one]


def erase(registered: RegisteredSchool, pupil_id: UUID, register_: FileRegister) -> None:
    school, head = registered.application, registered.administrator
    reason = ErasureReason.MISTAKE
    confirmation = erasing.ask(school, pupil_id, reason, head).confirmation
    erasing.erase(school, register_, pupil_id, reason, confirmation, head)


def test_an_erased_child_is_in_no_release(registered: RegisteredSchool, tmp_path: Any) -> None:
    school = registered.application
    one, other = admitted(school, registered.teacher, child(1), child(2))
    everybody, listed = given(registered), given(registered, pupil_ids=(one,))
    before = released(registered, listed)
    assert b"Surname001" in zipfile.ZipFile(io.BytesIO(before.content)).read("pupils.csv")
    erase(registered, one, FileRegister(tmp_path / "erasures"))
    made = released(registered, everybody)
    assert made.pupil_ids == [other]
    assert b"Surname001" not in zipfile.ZipFile(io.BytesIO(made.content)).read("pupils.csv")
    with pytest.raises(Conflict, match="covers nobody"):
        released(registered, listed)
    with pytest.raises(ReleaseRefused):
        released(registered, everybody, pupil_ids=(one,))
    with pytest.raises(InvalidInput):
        given(registered, pupil_ids=(one,))


def test_the_figures_of_a_school_name_nobody(registered: RegisteredSchool) -> None:
    school = registered.application
    ids = admitted(school, registered.teacher, *(child(number) for number in range(11)))
    judged(registered, ids[:4], "3b")
    judged(registered, ids[4:])
    few = admitted(school, registered.teacher, *(child(n, nc_year="5") for n in range(20, 29)))
    judged(registered, few)
    permission_id = given(registered, scope=Scope.SCHOOL_FIGURES)
    made = released(registered, permission_id, scope=Scope.SCHOOL_FIGURES)
    cover, rows = parts(made.content)
    assert (made.pupil_ids, cover["pupils"], cover["file"]) == ([], 0, "school-figures.csv")
    figures = {row["NC year"]: [row[column] for column in ("Pupils", "Below", "At", "Above")] for row in rows}
    assert figures["5"] == ["c"] * 4
    assert figures["4"][0] == "11"
    assert sum(map(int, figures["4"][1:])) == 11
    assert {row["Academic year"] for row in rows} == {f"{YEAR}/{(YEAR + 1) % 100:02d}"}
    assert b"Surname" not in b"".join(
        zipfile.ZipFile(io.BytesIO(made.content)).read(name)
        for name in ("school-figures.csv", "manifest.json")
    )
    [use] = uses(school)
    assert use.pupils == b""


def test_only_the_headteacher_gives_and_revokes(registered: RegisteredSchool) -> None:
    school = registered.application
    names = StaffNames(username="Deputy", display_name="The Deputy")
    deputy = staff(
        accounts.add_staff(school, names, Access(AccessLevel.ADMIN), PASSWORD, OPERATOR).result.staff_id
    )
    permission_id = given(registered)
    for actor in (deputy, registered.teacher, OPERATOR):
        with pytest.raises(NotPermitted):
            permissions.give(school, terms(), actor)
        with pytest.raises(NotPermitted):
            permissions.revoke(school, permission_id, actor)
    assert deputy.staff_id
    assert registered.administrator.staff_id
    accounts.appoint_headteacher(school, deputy.staff_id, registered.administrator)
    accounts.end_headteacher(school, registered.administrator.staff_id, registered.administrator)
    with pytest.raises(NotPermitted):
        given(registered)
    # What the headteacher before permitted stands, and the one who came after may end it.
    admitted(school, registered.teacher, child(1))
    assert released(registered, permission_id)
    permissions.revoke(school, permission_id, deputy)
    permissions.revoke(school, permission_id, deputy)
    assert permission(school, permission_id).revoked_by == deputy
    with pytest.raises(ReleaseRefused):
        released(registered, permission_id)
    with pytest.raises(NotFound):
        permissions.revoke(school, uuid4(), deputy)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"recipient": " "}, "recipient"),
        ({"recipient": "desk@council.example"}, "recipient"),
        ({"purpose": "x" * 201}, "purpose"),
        ({"until": TODAY - timedelta(days=1)}, "until"),
        ({"until": TODAY + timedelta(days=2 * 366)}, "until"),
        ({"scope": Scope.SCHOOL_FIGURES, "nc_year": "4"}, "nc_year"),
        ({"class_name": "Red", "nc_year": "4"}, "nc_year"),
        ({"class_name": "Rde"}, "class_name"),
        ({"nc_year": "99"}, "nc_year"),
        ({"pupil_ids": (uuid4(),)}, "pupil_ids"),
    ],
)
def test_a_permission_that_cannot_be(
    registered: RegisteredSchool, changes: dict[str, Any], field: str
) -> None:
    school = registered.application
    admitted(school, registered.teacher, child(1))
    before = school.stream.head().position
    with pytest.raises(InvalidInput) as refused:
        given(registered, **changes)
    assert [finding.field for finding in refused.value.findings] == [field]
    assert school.stream.head().position == before


def test_what_is_free_text_is_sealed(registered: RegisteredSchool, schools: Schools) -> None:
    """The service by itself learns neither recipient nor purpose, and makes no release of names."""
    school = registered.application
    [pupil_id] = admitted(school, registered.teacher, child(1))
    permission_id = given(registered)
    by_service = schools.opened_by_service(school.school_id)
    seen = permission(by_service, permission_id).terms
    assert is_sealed(seen.recipient)
    assert is_sealed(seen.purpose)
    assert seen.scope is Scope.NAMED_PUPILS
    with pytest.raises(KeyNotHeld):
        release(by_service, asked(permission_id), registered.teacher, AT)
    nobody = schools.opened(SchoolKeys.none_of(school.school_id))
    with pytest.raises(KeyNotHeld):
        release(nobody, asked(permission_id), registered.teacher, AT)
    for stored in school.stream.events_of(permissions_of(school.school_id)):
        assert b"Countyshire" not in stored.state
    assert pupil_id.bytes not in school.stream.events_of(permissions_of(school.school_id))[0].state


def test_another_schools_permission_is_nobodys(registered: RegisteredSchool, schools: Schools) -> None:
    admitted(registered.application, registered.teacher, child(1))
    permission_id = given(registered)
    made = register(schools, msgspec.structs.replace(registration(str(next(_urns))), headteacher=True))
    assert made.login_key
    other, head = opened(schools, made.login_key), staff(made.outcome.result.administrator_id)
    admitted(other, head, child(1))
    with pytest.raises(NotFound):
        release(other, asked(permission_id), head, AT)
    with pytest.raises(NotFound):
        permissions.revoke(other, permission_id, head)


def race(
    registered: RegisteredSchool,
    permission_id: UUID,
    monkeypatch: pytest.MonkeyPatch,
    act: Callable[[], object],
) -> Release:
    """A release, in the middle of which, when the file is made and not recorded, something else happens."""
    once, content = threading.Lock(), releasing._content

    def made(*given: Any) -> bytes:
        file = content(*given)
        if once.acquire(blocking=False):
            act()
        return file

    monkeypatch.setattr(releasing, "_content", made)
    return released(registered, permission_id)


def test_a_revocation_that_comes_first_wins(
    registered: RegisteredSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    school = registered.application
    admitted(school, registered.teacher, child(1))
    permission_id = given(registered)
    with pytest.raises(ReleaseRefused):
        race(
            registered,
            permission_id,
            monkeypatch,
            lambda: permissions.revoke(school, permission_id, registered.administrator),
        )
    assert uses(school) == []


def test_an_append_without_its_condition_would_be_noticed(
    registered: RegisteredSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin: a use that takes whatever place there is comes after the revocation."""
    school = registered.application
    admitted(school, registered.teacher, child(1))
    permission_id = given(registered)

    def revoke() -> None:
        permissions.revoke(school, permission_id, registered.administrator)
        monkeypatch.setattr(
            SchoolApplication, "_append", lambda self, decision, _: self.add_to_log(decision.events[0])
        )

    assert race(registered, permission_id, monkeypatch, revoke).content
    assert permission(school, permission_id).revoked_by
    assert len(uses(school)) == 1


def test_an_erasure_that_comes_first_wins(
    registered: RegisteredSchool, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    one, other = admitted(registered.application, registered.teacher, child(1), child(2))
    permission_id = given(registered)
    register_ = FileRegister(tmp_path / "erasures")
    made = race(registered, permission_id, monkeypatch, lambda: erase(registered, one, register_))
    assert made.pupil_ids == [other]
    assert b"Surname001" not in zipfile.ZipFile(io.BytesIO(made.content)).read("pupils.csv")
    [use] = uses(registered.application)
    assert use.pupils == other.bytes


def handed_out_unrecorded(registered: RegisteredSchool, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether a release is there for somebody, although it could not be recorded."""
    school = registered.application
    admitted(school, registered.teacher, child(1))
    permission_id = given(registered)

    def fails(*_: Any, **__: Any) -> Any:
        raise RuntimeError("the power went")

    with monkeypatch.context() as broken:
        broken.setattr(Stream, "append", fails)
        try:
            made = released(registered, permission_id)
        except RuntimeError:
            return False
    return bool(made.content) and uses(school) == []


def test_what_is_not_recorded_is_not_handed_out(
    registered: RegisteredSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not handed_out_unrecorded(registered, monkeypatch)


def test_a_use_that_is_not_recorded_would_be_noticed(
    registered: RegisteredSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin: a release that decides, and leaves it at that."""
    carry_out = SchoolApplication.carry_out

    def careless(self: SchoolApplication, decide: Any, result_type: Any, command: Any = None) -> Any:
        if result_type is releasing.ReleaseResult:
            return Outcome(0, decide().result)
        return carry_out(self, decide, result_type, command)

    monkeypatch.setattr(SchoolApplication, "carry_out", careless)
    assert handed_out_unrecorded(registered, monkeypatch)


def test_the_child_is_told_to_whom_it_was_named(registered: RegisteredSchool) -> None:
    school, actor = registered.application, registered.teacher
    one, other = admitted(school, actor, child(1), child(2))
    permission_id = given(registered, recipient="Countyshire Council, Dana Desk")
    released(registered, permission_id, recipient="Countyshire Council, Dana Desk", pupil_ids=(one,))

    def record(pupil_id: UUID) -> tuple[list[Any], str]:
        content = b"".join(subject_access.everything_about(school, pupil_id, actor, AT))
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            kept = json.loads(archive.read("record.json"))["seen"]["releases"]
            return kept, archive.read("index.html").decode()

    kept, page = record(one)
    assert [(each["recipient"], each["purpose"], each["by"], each["pupils"]) for each in kept] == [
        ("Countyshire Council, Dana Desk", "Moderation of writing", "A Teacher", 1)
    ]
    assert "Countyshire Council, Dana Desk" in page
    kept, page = record(other)
    assert kept == []
    assert "Countyshire" not in page
    assert "To nobody." in page


def test_the_schools_bundle_holds_permissions_and_releases(registered: RegisteredSchool) -> None:
    school, head = registered.application, registered.administrator
    admitted(school, registered.teacher, child(1))
    permission_id = given(registered)
    made = released(registered, permission_id)
    bundle = school_bundle.SchoolBundle(school, head, AT)
    with zipfile.ZipFile(io.BytesIO(b"".join(bundle.content()))) as archive:
        [line] = archive.read("release-permissions.ndjson").splitlines()
    kept = json.loads(line)
    assert (kept["permission_id"], kept["recipient"]) == (str(permission_id), "Countyshire Council")
    assert [each["release_id"] for each in kept["releases"]] == [str(made.release_id)]
    assert people.people_of(school, bundle.position)(head) == kept["given_by"]

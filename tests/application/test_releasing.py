"""Releases of named data: nothing without a permission that covers it, and nothing that is not recorded."""

from __future__ import annotations

import hashlib
import io
import threading
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.application import (
    erasing,
    permissions,
    releasing,
)
from domain.application.releasing import Asked, Release, release
from domain.application.school_application import Outcome, SchoolApplication, Schools
from domain.errors import Conflict, InvalidInput, NotFound
from domain.events import Actor
from domain.ledger.stream import Stream
from domain.permissions import (
    ReleaseRefused,
    Scope,
)
from domain.pupil import ErasureReason
from domain.vault.erasures import FileRegister
from tests.application.conftest import RegisteredSchool
from tests.application.examples import YEAR, admitted, child
from tests.application.releases import (
    AT,
    TODAY,
    asked,
    given,
    headed,
    judged,
    leave,
    parts,
    permission,
    released,
    uses,
)


@pytest.fixture
def registered(schools: Schools) -> RegisteredSchool:
    return headed(schools)


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

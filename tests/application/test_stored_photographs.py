"""Photographs where they lie: sealed with the child's key, for one place, with a digest in their event."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from domain.application import erasing, login_keys, observing
from domain.application.erasing import erase
from domain.application.histories import of_pupil
from domain.application.observing import Picture
from domain.application.school_application import SchoolApplication, Schools
from domain.errors import DoesNotOpen, Erased, KeyNotHeld
from domain.events import ERASED, Compartment, is_sealed
from domain.files.photographs import kind_of
from domain.keys import KeyOrigin
from domain.ledger import photographs
from domain.ledger.photographs import Role, digest_of, sealed_for
from domain.ledger.sealing import generation_of, place_of_photograph, seal, unseal
from domain.observation import Observed, Photograph
from domain.pupil import ErasureReason
from domain.school_time import today
from domain.vault import keystore
from domain.vault.erasures import FileRegister
from domain.vault.login_key import read
from tests.application.conftest import RegisteredSchool
from tests.application.examples import admitted, child
from tests.conftest import TestDatabase
from tests.keys import opened
from tests.ledger import golden
from tests.ledger.example_ids import PHOTOGRAPH, PUPIL
from tests.photographs import FORMS, beside_the_pixels, jpeg, planted_in, same_colours

SEEN = Observed(observed_on=today(), text="Shared twelve conkers.")

GOLDEN = Path(__file__).with_name("golden_photograph.json")


class Kept:
    """A child with an observation and two photographs."""

    def __init__(self, registered: RegisteredSchool, number: int = 1) -> None:
        self.registered = registered
        self.school: SchoolApplication = registered.application
        [self.pupil_id] = admitted(self.school, registered.teacher, child(number))
        made = observing.make(self.school, self.pupil_id, SEEN, registered.teacher)
        self.observation_id = made.result.observation_id
        self.first, self.second = self.attached(jpeg()), self.attached(FORMS["PNG"]())

    def attached(self, content: bytes) -> UUID:
        outcome = observing.attach(
            self.school, self.pupil_id, self.observation_id, content, self.registered.teacher
        )
        return outcome.result.photograph_id

    def picture(
        self, photograph_id: UUID, role: Role = Role.PHOTOGRAPH, school: SchoolApplication | None = None
    ) -> Picture:
        return observing.picture(
            school or self.school, self.pupil_id, self.observation_id, photograph_id, role
        )

    def stored(self, photograph_id: UUID, role: Role = Role.PHOTOGRAPH) -> bytes:
        with self.school.database.bound_to(self.school.school_id) as connection:
            return photographs.get(connection, self.school.school_id, self.pupil_id, photograph_id, role)

    def described(self, photograph_id: UUID) -> Photograph:
        return observing.observation(self.school, self.pupil_id, self.observation_id).photograph(
            photograph_id
        )


@pytest.fixture
def kept(registered: RegisteredSchool) -> Kept:
    return Kept(registered)


@pytest.mark.parametrize("form", FORMS)
def test_what_comes_out_is_what_was_developed(kept: Kept, form: str) -> None:
    photograph_id = kept.attached(FORMS[form](6))
    described = kept.described(photograph_id)
    assert (described.width, described.height) == (96, 64)
    for role in Role:
        picture = kept.picture(photograph_id, role)
        assert picture.media_type == described.media_type
        assert kind_of(picture.content) == {"HEIC": "JPEG"}.get(form, form)
        assert same_colours(picture.content)
        assert planted_in(picture.content) | beside_the_pixels(picture.content) == set()


def readable(stored: bytes, content: bytes) -> bool:
    """Whether anything of a picture can be seen in what is stored."""
    return any(content[start : start + 16] in stored for start in range(0, len(content) - 16, 7))


def test_it_lies_sealed_and_the_event_has_its_digest(kept: Kept) -> None:
    for photograph_id in (kept.first, kept.second):
        described = kept.described(photograph_id)
        for role, digest in (
            (Role.PHOTOGRAPH, described.sha256),
            (Role.THUMBNAIL, described.thumbnail_sha256),
        ):
            stored, content = kept.stored(photograph_id, role), kept.picture(photograph_id, role).content
            assert kind_of(stored) is None
            assert not readable(stored, content)
            assert len(stored) == len(content) + 30
            assert digest_of(stored) == digest
            assert readable(content, content)


def test_a_store_that_does_not_seal_is_seen(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sabotaged twin."""
    monkeypatch.setattr(photographs, "seal", lambda key, content, place: bytes(30) + content)
    photograph_id = kept.attached(jpeg())
    stored = kept.stored(photograph_id)
    assert readable(stored, stored[30:])


def places(kept: Kept) -> list[tuple[UUID, UUID, UUID, Role]]:
    """Where else a picture might be put: each differs from its own place in one thing."""
    other = Kept(kept.registered, 2)
    school_id = kept.school.school_id
    return [
        (other.pupil_id, school_id, kept.pupil_id, Role.PHOTOGRAPH),
        (school_id, other.pupil_id, kept.first, Role.PHOTOGRAPH),
        (school_id, kept.pupil_id, kept.second, Role.PHOTOGRAPH),
        (school_id, kept.pupil_id, kept.first, Role.THUMBNAIL),
    ]


def test_it_opens_in_its_own_place_only(kept: Kept) -> None:
    stored = kept.stored(kept.first)
    cipher = kept.school.keys.to_open(kept.pupil_id, Compartment.NAMES, generation_of(stored))
    assert cipher
    own = (kept.school.school_id, kept.pupil_id, kept.first, Role.PHOTOGRAPH)
    assert unseal(cipher, stored, place_of_photograph(*own)) == kept.picture(kept.first).content
    for place in places(kept):
        with pytest.raises(DoesNotOpen):
            unseal(cipher, stored, place_of_photograph(*place))
    record = kept.school.keys.to_open(kept.pupil_id, Compartment.RECORD, generation_of(stored))
    assert record
    with pytest.raises(DoesNotOpen):
        unseal(record, stored, place_of_photograph(*own))


def overwritten(database: TestDatabase, kept: Kept, stored: bytes, role: Role = Role.PHOTOGRAPH) -> None:
    """What somebody does who may do anything to the database."""
    with database.connect("postgres") as superuser:
        changed = superuser.execute(
            "UPDATE ledger.photographs SET sealed = %s WHERE photograph_id = %s AND role = %s",
            [stored, kept.first, role.value],
        )
        assert changed.rowcount == 1


def forged(kept: Kept) -> bytes:
    """Another picture, sealed by somebody who has the child's key, for the very place of the first."""
    content = kept.picture(kept.second).content
    return sealed_for(kept.school.keys, kept.pupil_id, kept.first, Role.PHOTOGRAPH, content)


TAMPERING: dict[str, Callable[[Kept], bytes]] = {
    "one octet": lambda kept: kept.stored(kept.first)[:-1] + bytes([kept.stored(kept.first)[-1] ^ 1]),
    "cut": lambda kept: kept.stored(kept.first)[:-1],
    "nothing": lambda kept: b"",
    "the other photograph": lambda kept: kept.stored(kept.second),
    "its thumbnail": lambda kept: kept.stored(kept.first, Role.THUMBNAIL),
    "one of another child": lambda kept: (other := Kept(kept.registered, 2)).stored(other.first),
    "one that was sealed for it": forged,
}


@pytest.mark.parametrize("name", TAMPERING)
def test_one_that_was_exchanged_is_noticed(module_database: TestDatabase, kept: Kept, name: str) -> None:
    overwritten(module_database, kept, TAMPERING[name](kept))
    with pytest.raises(DoesNotOpen, match="not the photograph that was stored"):
        kept.picture(kept.first)
    assert kept.picture(kept.second)


def test_without_the_digest_one_that_was_sealed_for_its_place_would_pass(
    module_database: TestDatabase, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin: a store that leaves the digest out notices the others, and not this one."""
    monkeypatch.setattr("domain.ledger.photographs.hmac.compare_digest", lambda *_: True)
    for name, tamper in TAMPERING.items():
        before = kept.stored(kept.first)
        overwritten(module_database, kept, tamper(kept))
        if tamper is forged:
            assert kept.picture(kept.first).content == kept.picture(kept.second).content
        else:
            with pytest.raises(DoesNotOpen):
                kept.picture(kept.first)
        overwritten(module_database, kept, before)
        assert kept.picture(kept.first), name


def test_one_that_is_gone_is_noticed(module_database: TestDatabase, kept: Kept) -> None:
    with module_database.connect("postgres") as superuser:
        superuser.execute("DELETE FROM ledger.photographs WHERE photograph_id = %s", [kept.first])
    with pytest.raises(DoesNotOpen, match="not where it was stored"):
        kept.picture(kept.first)


def test_pictures_and_their_event_are_stored_together_or_not_at_all(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    def count() -> int:
        with kept.school.database.bound_to(kept.school.school_id) as connection:
            [row] = connection.execute("SELECT count(*) FROM ledger.photographs").fetchall()
        return int(row[0])

    before, position = count(), kept.school.stream.head().position
    really_add = photographs.add

    def failing(connection: Any, *arguments: Any) -> None:
        really_add(connection, *arguments)
        if arguments[3] is Role.THUMBNAIL:
            raise psycopg.errors.DiskFull("there is no room")

    monkeypatch.setattr(photographs, "add", failing)
    with pytest.raises(psycopg.errors.DiskFull):
        kept.attached(jpeg())
    assert (count(), kept.school.stream.head().position) == (before, position)
    monkeypatch.setattr(photographs, "add", really_add)
    kept.attached(jpeg())
    assert (count(), kept.school.stream.head().position) == (before + 2, position + 1)


def test_without_the_names_key_it_stays_sealed(kept: Kept, schools: Schools) -> None:
    nameless = schools.opened(kept.school.keys.school.without_names())
    by_service = schools.opened_by_service(kept.school.school_id)
    for school in (nameless, by_service):
        [observation] = observing.observations(school, kept.pupil_id)
        assert is_sealed(observation.text)
        for role in Role:
            with pytest.raises(KeyNotHeld):
                kept.picture(kept.first, role, school)


def still_opens(school: SchoolApplication, kept: Kept) -> list[Role]:
    """The pictures that open, whatever the application says of the child."""
    described, found = kept_before[kept.first], []
    for role, sha256 in (
        (Role.PHOTOGRAPH, described.sha256),
        (Role.THUMBNAIL, described.thumbnail_sha256),
    ):
        stored = kept.stored(kept.first, role)
        if photographs.opened(school.keys, kept.pupil_id, kept.first, role, stored, sha256) is not ERASED:
            found.append(role)
    return found


def test_after_the_schools_keys_were_replaced_the_earlier_ones_still_open(
    kept: Kept, schools: Schools
) -> None:
    registered = kept.registered
    issued = login_keys.issued(kept.school, schools, KeyOrigin.ADMINISTRATOR, registered.administrator)
    before = kept.picture(kept.first)
    leaked = read(registered.login_key, schools.service_keys).key_id
    login_keys.replace(kept.school, schools, leaked, registered.administrator)
    school = opened(schools, issued.login_key)
    assert school.keys.school.generation == 2
    assert kept.picture(kept.first, school=school) == before
    later = observing.attach(
        school, kept.pupil_id, kept.observation_id, jpeg(), registered.teacher
    ).result.photograph_id
    assert {generation_of(kept.stored(each)) for each in (kept.first, later)} == {1, 2}
    assert same_colours(kept.picture(later, school=school).content)


kept_before: dict[UUID, Photograph] = {}
"""What the event said of a photograph, from before its child was erased."""


def erased(kept: Kept, schools: Schools, register: FileRegister) -> SchoolApplication:
    kept_before[kept.first] = kept.described(kept.first)
    head = kept.registered.administrator
    asked = erasing.ask(kept.school, kept.pupil_id, ErasureReason.REQUEST, head)
    assert (asked.events, asked.observations) == (1, 3)
    erase(kept.school, register, kept.pupil_id, ErasureReason.REQUEST, asked.confirmation, head)
    return schools.opened(kept.school.keys.school)


def test_when_the_child_is_erased_nothing_of_it_opens(kept: Kept, schools: Schools, tmp_path: Path) -> None:
    other = Kept(kept.registered, 2)
    school = erased(kept, schools, FileRegister(tmp_path / "erasures"))
    assert still_opens(school, kept) == []
    for call in (
        lambda: kept.picture(kept.first, school=school),
        lambda: observing.observations(school, kept.pupil_id),
        lambda: observing.observation(school, kept.pupil_id, kept.observation_id),
        lambda: observing.make(school, kept.pupil_id, SEEN, kept.registered.teacher),
        lambda: observing.attach(school, kept.pupil_id, kept.observation_id, jpeg(), kept.registered.teacher),
    ):
        with pytest.raises(Erased):
            call()
    told = of_pupil(school, kept.pupil_id)
    assert [entry.event for entry in told][-2:] == ["observation.photograph-added", "pupil.erased"]
    assert "conkers" not in str(told)
    assert other.picture(other.first, school=school)


def test_an_erasure_that_leaves_the_key_is_seen(
    kept: Kept, schools: Schools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin."""
    monkeypatch.setattr(keystore, "destroy_subject", lambda *_: 2)
    school = erased(kept, schools, FileRegister(tmp_path / "erasures"))
    assert still_opens(school, kept) == list(Role)


def test_what_was_stored_ever_is_opened_for_ever() -> None:
    """Frozen, as events are: with the keys of the golden events."""
    recorded, keys = json.loads(GOLDEN.read_text(encoding="utf-8")), golden.keyring_of(golden.read())
    for role in Role:
        stored = bytes.fromhex(recorded[role])
        found = photographs.opened(keys, PUPIL, PHOTOGRAPH, role, stored, digest_of(stored))
        assert found == f"a picture of the made-up child, as its {role}".encode()


def test_large_ones_are_stored_and_read_whole(kept: Kept) -> None:
    content = bytes(range(256)) * 39_062  # 10 MB
    school = kept.school
    place = (school.school_id, kept.pupil_id, kept.observation_id)
    sealed = seal(school.keys.to_seal(kept.pupil_id, Compartment.NAMES), content, b"")
    with school.database.bound_to(school.school_id) as connection:
        photographs.add(connection, *place, Role.PHOTOGRAPH, sealed)
    with school.database.bound_to(school.school_id) as connection:
        assert photographs.get(connection, *place, Role.PHOTOGRAPH) == sealed

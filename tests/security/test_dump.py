"""Whoever steals the whole database reads nobody's name or record in it; and this test would see one."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import date, timedelta

import msgspec
import pytest

import domain.ledger.mapper
import domain.ledger.photographs
import domain.pupil
import projections.assessments
import projections.pupils
from domain.access import AccessLevel
from domain.application import accounts, login_keys, logins, observing, pupils
from domain.application.assessing import Entry, correct, record
from domain.application.importing import import_file
from domain.application.registration import register
from domain.application.school_application import CommandKey, SchoolApplication, Schools
from domain.errors import LoginRefused
from domain.keys import KeyOrigin
from domain.ledger.database import Database
from domain.ledger.sealing import GENERATION_SIZE, OVERHEAD, SealingKey
from domain.ledger.sealing import seal as really_seal
from domain.observation import Observed
from domain.particulars import PupilParticulars
from domain.pupil import fold
from domain.staff import Access, Adviser, StaffNames
from domain.vault import keyring, passwords
from domain.vault.hashing import Pbkdf2
from domain.vault.passwords import Passwords
from domain.vault.sessions import Sessions
from scripts.demonstration.dump import FIELDS, readable, spellings
from tests.application.conftest import PASSWORD, registration, staff
from tests.application.examples import TODAY, child, csv_of, point_before
from tests.conftest import TestDatabase
from tests.keys import opened, schools_of
from tests.photographs import FORMS, GPS, PLANTED
from tests.projections.catching_up import caught_up

CANARIES = {
    "surname": "Zanzibarcanary",
    "forename": "Quokkacanary",
    "postcode": "CM99 9ZZ",
    "date of birth": "2017-11-23",
    "UPN": str(child(77)[0].upn),
    "former UPN": str(child(78)[0].upn),
    "class": "Ostrichcanary",
    "reason of a correction": "Wharfcanary sends word",
    "reason for leaving": "Tundracanary moved",
    "destination": "Meadowcanary School",
    "reason for an adviser": "Gannetcanary looks round",
    "observation": "Conkercanary was counted",
    "its change": "Chestnutcanary was counted",
    "reason of a withdrawal": "Acorncanary sends word",
    "username": "lynxcanary",
    "display name": "Heroncanary",
    "label of a login key": "Officecanary",
    "official address": "canary@made-up.example",
    "ethnicity": "WBRI-canary",
    "password": "the password of a canary",
}
"""Something to look for in every field that is personal."""


IN_PICTURES = [
    *(word.decode() for word in (*PLANTED.values(), GPS)),
    *("JFIF\0\1", "IHDR\0\0", "WEBPVP8", "ftypheic", "Exif\0\0"),
]
"""What was planted beside the pixels of photographs, and what every file of their kinds has in it."""


@pytest.fixture
def schools(test_database: TestDatabase) -> Iterator[Schools]:
    schools = schools_of(test_database.conninfo())
    yield schools
    schools.database.close()


class WithSnapshots(SchoolApplication):
    is_snapshotting_enabled = True


def everything_happens(schools: Schools) -> SchoolApplication:
    """A school in which whatever can be recorded is recorded, with a canary in every field."""
    request = msgspec.structs.replace(registration(), official_email=CANARIES["official address"])
    login_key = register(schools, request).login_key
    assert login_key
    school, sessions = opened(schools, login_key), Sessions(schools.database)
    added = accounts.add_staff(
        school,
        StaffNames(username=CANARIES["username"], display_name=CANARIES["display name"]),
        Access(AccessLevel.LIMITED_READ_WRITE, (CANARIES["class"],)),
        CANARIES["password"],
        staff(school.staff()[0][0].id),
        CommandKey("staff", CANARIES["password"].encode()),
        adviser=Adviser(reason=CANARIES["reason for an adviser"], until=TODAY + timedelta(days=30)),
    )
    actor = staff(added.result.staff_id)
    login_keys.issued(school, schools, KeyOrigin.ADMINISTRATOR, actor, CANARIES["label of a login key"])
    names, its_record = child(
        77,
        surname=CANARIES["surname"],
        forename=CANARIES["forename"],
        postcode=CANARIES["postcode"],
        upn=CANARIES["former UPN"],
        class_name=CANARIES["class"],
        sen_provision="K",
    )
    names = msgspec.structs.replace(names, date_of_birth=date.fromisoformat(CANARIES["date of birth"]))
    pupil_id = pupils.admit(
        school,
        names,
        its_record,
        actor,
        CommandKey("admit", CANARIES["surname"].encode()),
    ).result.pupil_id
    pupils.change(school, pupil_id, PupilParticulars(upn=CANARIES["UPN"], ethnicity="WBRI"), 1, actor)
    # Every code is too short to be looked for; one that is longer only ever comes from an event itself.
    pupil = school.pupil(pupil_id)
    its_record = msgspec.structs.replace(pupil.record, ethnicity=CANARIES["ethnicity"])
    changed = domain.pupil.change(pupil, pupil.names, its_record, actor)
    assert changed
    school.add_to_log(changed)
    kept = record(school, point_before(1), [Entry(pupil_id, "REA", "3w")], actor)
    assessment_id = kept.result.assessment_ids[0]
    correct(school, pupil_id, assessment_id, "3s", actor, reason=CANARIES["reason of a correction"])
    seen = Observed(observed_on=TODAY, text=CANARIES["observation"], subject="MAT")
    observed = observing.make(
        school, pupil_id, seen, actor, command=CommandKey("observe", CANARIES["observation"].encode())
    ).result.observation_id
    seen = Observed(observed_on=TODAY, text=CANARIES["its change"])
    observing.change(school, pupil_id, observed, seen, 1, actor)
    for make in FORMS.values():
        content = make(6)
        command = CommandKey(f"photograph {make.__name__}", content)
        observing.attach(school, pupil_id, observed, content, actor, command=command)
    withdrawn = observing.make(school, pupil_id, seen, actor).result.observation_id
    observing.withdraw(school, pupil_id, withdrawn, actor, reason=CANARIES["reason of a withdrawal"])
    pupils.leave(
        school, pupil_id, TODAY, 3, actor,
        reason=CANARIES["reason for leaving"], destination=CANARIES["destination"],
        command=CommandKey("leave", CANARIES["destination"].encode()),
    )  # fmt: skip
    import_file(
        school, csv_of([child(5, surname=CANARIES["surname"])]), actor, dry_run=False, command_key="file"
    )
    snapshots = WithSnapshots(schools.conninfo, school.school_id).opened_with(school.keys.school)
    snapshots.take_snapshot(pupil_id, projector_func=fold)
    logins.log_in(schools, sessions, login_key, CANARIES["username"], CANARIES["password"])
    for username, password in (
        (CANARIES["username"], CANARIES["surname"]),
        (CANARIES["surname"], CANARIES["password"]),
        ("Head", CANARIES["password"]),
    ):
        with pytest.raises(LoginRefused):
            logins.log_in(schools, sessions, login_key, username, password)
    assert logins.log_in(schools, sessions, login_key, "head", PASSWORD)
    return school


def project(database: TestDatabase) -> None:
    with Database(database.conninfo("target_tracker_worker")) as connections:
        caught_up(connections)


def test_nothing_personal_can_be_read_in_the_database(schools: Schools, test_database: TestDatabase) -> None:
    everything_happens(schools)
    project(test_database)
    assert list(readable(test_database.conninfo("postgres"), [*CANARIES.values(), *IN_PICTURES])) == []


def test_where_nothing_is_sealed_every_one_of_them_is_found(
    schools: Schools, test_database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin: each of them is really there, and the search would see it."""
    for module in (domain.ledger.mapper, projections.pupils):
        monkeypatch.setattr(module, "seal", left_open)
    for module in (domain.ledger.mapper, projections.assessments, projections.pupils, keyring):
        monkeypatch.setattr(module, "unseal", lambda _cipher, part, _place: part[OVERHEAD:])
    monkeypatch.setattr(passwords, "_chosen", Passwords(Unhashed()))
    everything_happens(schools)
    project(test_database)
    found = list(readable(test_database.conninfo("postgres"), CANARIES.values()))
    assert {*CANARIES.values()} - {each.word for each in found if each.table == "ledger.events"} == set()
    of_the_child = {
        CANARIES[part] for part in ("surname", "forename", "postcode", "UPN", "class", "ethnicity")
    }
    assert of_the_child - {each.word for each in found if each.table == "projections.pupils"} == set()


def left_open(key: SealingKey, part: bytes, _place: bytes) -> bytes:
    """A part that looks like a sealed one, with what is in it as it was."""
    return key.generation.to_bytes(GENERATION_SIZE) + bytes(OVERHEAD - GENERATION_SIZE) + part


class Unhashed(Pbkdf2):
    """Keeps passwords as they are."""

    def hash(self, password: bytes) -> str:
        return password.decode()

    def verifies(self, verifier: str, password: bytes) -> bool:
        return verifier == password.decode()

    def is_outdated(self, verifier: str) -> bool:
        return False


def test_a_mapper_that_forgets_one_part_is_seen(
    schools: Schools, test_database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forgetful(key: SealingKey, part: bytes, place: bytes) -> bytes:
        return part if b"sen_provision" in part else really_seal(key, part, place)

    monkeypatch.setattr(domain.ledger.mapper, "seal", forgetful)
    login_key = register(schools, registration()).login_key
    assert login_key
    school = opened(schools, login_key)
    names, its_record = child(1, class_name=CANARIES["class"], sen_provision="K")
    pupils.admit(school, names, its_record, staff(school.staff()[0][0].id))
    found = list(readable(test_database.conninfo("postgres"), CANARIES.values()))
    assert {each.table for each in found} == {"ledger.events"}
    assert {each.word for each in found} >= {CANARIES["class"], "sen_provision", "class_name"}


def test_a_photograph_that_is_not_sealed_is_seen(
    schools: Schools, test_database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(domain.ledger.photographs, "seal", lambda key, content, place: bytes(30) + content)
    everything_happens(schools)
    found = list(readable(test_database.conninfo("postgres"), IN_PICTURES))
    assert {each.table for each in found} == {"ledger.photographs"}
    assert len({each.word for each in found}) >= 3


@pytest.mark.parametrize(
    "kept",
    [
        CANARIES["surname"].encode(),
        CANARIES["surname"].upper().encode(),
        b"x" + CANARIES["surname"].encode("utf-16-le"),
        CANARIES["surname"].encode().hex().encode(),
        b"",
    ],
)
def test_whatever_it_is_written_as(test_database: TestDatabase, kept: bytes) -> None:
    with test_database.connect("postgres") as superuser:
        superuser.execute("CREATE TABLE public.leak (octets bytea)")
        superuser.execute("INSERT INTO public.leak VALUES (%s)", [b"\x00\xff" + kept + b"\n"])
    found = {each.table for each in readable(test_database.conninfo("postgres"), CANARIES.values())}
    assert found == ({"public.leak"} if kept else set())


def test_base64_is_looked_for_at_each_of_its_three_places() -> None:
    for before in (b"", b"a", b"ab"):
        encoded = base64.b64encode(before + CANARIES["surname"].encode() + b"after it")
        assert any(spelling in encoded for spelling in spellings(CANARIES["surname"]))


def test_the_names_of_sealed_fields_are_looked_for() -> None:
    assert {"surname", "date_of_birth", "ethnicity", "sen_provision", "username"} <= FIELDS

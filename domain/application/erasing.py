"""Erasing a child: destroying the keys, so that nothing of the record opens anywhere any more.

The stream, the projections, snapshots, replicas and backups of them hold nothing but ciphertext. The two
keys of the child are all that opens it, and they lie in one place. They are destroyed in the transaction
that records the erasure; nobody can undo it.

It is asked for twice: the first call says what would be destroyed and gives a confirmation, which is good
for ten minutes, for this child as it is now, and for whoever asked; the second call brings it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast
from uuid import UUID

import msgspec

import domain.pupil
from domain.application.school_application import (
    PUPILS,
    CommandKey,
    Decision,
    Outcome,
    SchoolApplication,
    Schools,
    assessments_of,
    attendance_of,
    targets_of,
)
from domain.errors import Finding, InvalidInput, Misconfigured
from domain.events import SYSTEM, Actor, Compartment
from domain.ledger.database import Connection, Database
from domain.ledger.stream import every_school
from domain.notes import notes_of
from domain.observation import observations_of
from domain.pupil import ErasureReason, Pupil, PupilErased
from domain.vault import keystore
from domain.vault.erasures import Erasure, ErasureRegister

ERASED_TOPIC = f"{PupilErased.name}.{PupilErased.version}"

GOOD_FOR = 600
"""Seconds for which a confirmation is good."""


class ErasureAsked(msgspec.Struct, frozen=True, kw_only=True):
    """What would be destroyed, and what confirms it.

    Attributes:
        pupil_id: The child.
        version: The version of the record that is meant.
        events: How many events of the child's record can no longer be read afterwards.
        assessments: How many of the assessments.
        attendance: How many of the attendance.
        targets: How many of the targets.
        notes: How many of the notes.
        observations: How many of the observations, photographs included.
        confirmation: What the second call brings.
        good_for: For how many seconds.
    """

    pupil_id: UUID
    version: int
    events: int
    assessments: int
    attendance: int
    targets: int
    notes: int
    observations: int
    confirmation: str
    good_for: int


class ErasureResult(msgspec.Struct, frozen=True):
    """The child that was erased, and the version after it."""

    pupil_id: UUID
    version: int


def ask(school: SchoolApplication, pupil_id: UUID, reason: ErasureReason, actor: Actor) -> ErasureAsked:
    """Says what erasing a child would destroy; nothing is done yet.

    Raises:
        NotFound: There is no such pupil.
        Erased: The child has been erased.
    """
    pupil = school.pupil(pupil_id)
    logs = {
        name: log(pupil_id)
        for name, log in (
            ("assessments", assessments_of),
            ("attendance", attendance_of),
            ("targets", targets_of),
            ("notes", notes_of),
            ("observations", observations_of),
        )
    }
    versions = school.stream.last_versions(logs.values())
    return ErasureAsked(
        pupil_id=pupil_id,
        version=pupil.version,
        events=pupil.version,
        **{name: versions.get(log, 0) for name, log in logs.items()},
        confirmation=_confirmation(school, pupil, reason, actor, int(time.time()) + GOOD_FOR),
        good_for=GOOD_FOR,
    )


def erase(
    school: SchoolApplication,
    register: ErasureRegister,
    pupil_id: UUID,
    reason: ErasureReason,
    confirmation: str,
    actor: Actor,
    command: CommandKey | None = None,
) -> Outcome[ErasureResult]:
    """Erases a child. It cannot be undone.

    Args:
        school: The school.
        register: Where erasures are kept apart from the database.
        pupil_id: The child.
        reason: Why.
        confirmation: What :func:`ask` gave, to the same person, for the same child and reason.
        actor: Who erases.
        command: The key, if the caller gave one.

    Raises:
        NotFound: There is no such pupil.
        Erased: The child has been erased.
        InvalidInput: The confirmation is not the right one, or is too old, or the record has changed since.
    """

    def decide() -> Decision[ErasureResult]:
        pupil = school.pupil(pupil_id)
        _check(school, pupil, reason, actor, confirmation)
        erased = domain.pupil.erase(pupil, reason, actor)

        def destroy(connection: Connection) -> None:
            keystore.destroy_subject(connection, school.school_id, pupil_id)
            # Before the commit: an erasure that was confirmed is finished at the next start, if it comes to
            # that.
            register.add(Erasure(school.school_id, pupil_id, reason, datetime.now(UTC)))

        return Decision([erased], ErasureResult(pupil_id, erased.originator_version), beside=destroy)

    return school.carry_out(decide, ErasureResult, command)


@dataclass(frozen=True)
class Replayed:
    """What telling a database of the erasures that were made did.

    Attributes:
        erasures: How many erasures the register holds.
        destroyed: How many children's keys were there, and are not any more.
        recorded: How many erasures the stream did not know of.
        noted: How many the register did not know of.
    """

    erasures: int
    destroyed: int
    recorded: int
    noted: int


def replay(schools: Schools, register: ErasureRegister) -> Replayed:
    """Erases again whoever was erased: what has to be done before a restored backup is opened.

    A backup that is older than an erasure holds the child's keys, and perhaps not the event. The register,
    which is kept elsewhere, says who it was.
    """
    known = register.erasures()
    destroyed = recorded = 0
    for school_id, erasures in _by_school(known).items():
        school = schools.school(school_id)
        with school.database.bound_to(school_id) as connection:
            stored = keystore.of_subjects(connection, school_id, [erasure.subject for erasure in erasures])
            there = {keys.subject for keys in stored}
            for subject in there:
                keystore.destroy_subject(connection, school_id, subject)
        destroyed += len(there)
        recorded += sum(_record_again(school, each) for each in erasures if each.subject in there)
    return Replayed(len(known), destroyed, recorded, 0)


def replay_both_ways(schools: Schools, register: ErasureRegister) -> Replayed:
    """The same; and whatever one of register and streams knows of, the other is told, too.

    This reads something of every school, which takes a while.
    """
    done = replay(schools, register)
    known = register.erasures()
    recorded = sum(_record_again(schools.school(erasure.school_id), erasure) for erasure in known)
    noted = 0
    subjects = {(erasure.school_id, erasure.subject) for erasure in known}
    for school_id in every_school(schools.database):
        school = schools.school(school_id)
        for stored in school.stream.events_of_category(PUPILS):
            subject = cast("UUID", stored.originator_id)
            if stored.topic == ERASED_TOPIC and (school_id, subject) not in subjects:
                event = school.event_mapper.to_domain_event(stored)
                assert isinstance(event, PupilErased)
                register.add(Erasure(school_id, subject, event.reason, stored.recorded_at))
                noted += 1
    return Replayed(done.erasures, done.destroyed, done.recorded + recorded, noted)


def _by_school(erasures: Iterable[Erasure]) -> dict[UUID, list[Erasure]]:
    found: dict[UUID, list[Erasure]] = {}
    for erasure in erasures:
        found.setdefault(erasure.school_id, []).append(erasure)
    return found


def check_erased(database: Database, register: ErasureRegister) -> None:
    """Makes sure that nobody who was erased is there again, as after a backup has been restored.

    Args:
        database: Connections of any role that may read subjects' record keys.
        register: Where erasures are kept apart from the database.

    Raises:
        Misconfigured: Somebody is.
    """
    for school_id, erasures in _by_school(register.erasures()).items():
        subjects = [erasure.subject for erasure in erasures]
        with database.bound_to(school_id) as connection:
            if keystore.record_keys_of_subjects(connection, school_id, subjects):
                raise Misconfigured(
                    "The database holds keys of children who have been erased, as a restored backup does: "
                    "first run target-tracker erasures replay, or start the API, which does the same"
                )


def _record_again(school: SchoolApplication, erasure: Erasure) -> bool:
    """Records an erasure that the stream does not know of; false if it does, or there is no such child."""
    events = school.stream.events_of(erasure.subject)
    if not events or events[-1].topic == ERASED_TOPIC:
        return False
    school.add_to_log(
        PupilErased(originator_id=erasure.subject, originator_version=0, actor=SYSTEM, reason=erasure.reason)
    )
    return True


def _confirmation(
    school: SchoolApplication, pupil: Pupil, reason: ErasureReason, actor: Actor, good_until: int
) -> str:
    assert actor.staff_id
    said = b"".join(
        (
            pupil.id.bytes,
            pupil.version.to_bytes(8),
            actor.staff_id.bytes,
            good_until.to_bytes(8),
            reason.encode(),
        )
    )
    digest = school.keys.digest(Compartment.NAMES, "erasure", said, stays=False)
    return base64.urlsafe_b64encode(good_until.to_bytes(8) + digest[:16]).decode()


def _check(
    school: SchoolApplication, pupil: Pupil, reason: ErasureReason, actor: Actor, confirmation: str
) -> None:
    try:
        good_until = int.from_bytes(base64.urlsafe_b64decode(confirmation)[:8])
    except ValueError:
        good_until = 0
    expected = (
        _confirmation(school, pupil, reason, actor, good_until)
        if time.time() <= good_until < 2**62
        else hashlib.sha256().hexdigest()
    )
    if not hmac.compare_digest(expected.encode(), confirmation.encode(errors="replace")):
        raise InvalidInput(
            "The erasure is not confirmed",
            [
                Finding(
                    field="confirmation",
                    found="another one",
                    accepted=f"what asking for this erasure answered, for the same reason and within "
                    f"{GOOD_FOR // 60} minutes, with nothing changed since",
                )
            ],
        )

"""Releasing named data to somebody outside: under a permission, and on the stream before it is handed out.

This is the one way in which details of a school or a pupil are made for another recipient. What the school
takes away for its own use are exports and bundles: see decision 0034.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import msgspec

import domain.assessment
from domain.application.people import people_of
from domain.application.permissions import permissions_and_version
from domain.application.school_application import (
    PUPILS,
    Decision,
    SchoolApplication,
    assessments_of,
)
from domain.assessment import Result, cell_of
from domain.bundles.archive import Entry, zipped
from domain.errors import Conflict, Finding, NotFound
from domain.events import Actor, Event, is_sealed
from domain.identifiers import new_id
from domain.ledger.stream import Unless
from domain.named_release import COVER, FIGURES_FILE, PUPILS_FILE, CoverSheet, of_pupils, of_school
from domain.permissions import (
    PermissionUsed,
    ReleasePermission,
    ReleaseRefused,
    Scope,
    Terms,
    check_covers,
    permissions_of,
    same_class,
)
from domain.pupil import Pupil
from domain.school_time import SCHOOL_TIME
from domain.usage import packed


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be released, as whoever releases it says.

    Attributes:
        permission_id: The permission that they have it from.
        recipient: Whom they hand it to.
        purpose: What for.
        scope: What it is.
        pupil_ids: Only these of the pupils whom the permission covers; all of them, if none are named.
    """

    permission_id: UUID
    recipient: str
    purpose: str
    scope: Scope
    pupil_ids: tuple[UUID, ...] = ()


class ReleaseResult(msgspec.Struct, frozen=True):
    """The release that was made."""

    release_id: UUID


@dataclass(frozen=True)
class Release:
    """A release, recorded and ready to be handed out.

    Attributes:
        release_id: Its id.
        content: A ZIP file with the data, and a cover sheet.
        pupil_ids: The pupils whom it names.
        position: Its place in the school's stream.
    """

    release_id: UUID
    content: bytes = field(repr=False)
    pupil_ids: Sequence[UUID]
    position: int


def release(school: SchoolApplication, asked: Asked, actor: Actor, at: datetime) -> Release:
    """Makes a release and records it; nothing of it is there for anybody before it is on the stream.

    A revocation that comes to the stream first is heeded, and so is everything that happens to a pupil before
    the release is recorded: then it is decided anew. An erased child is in no release.

    Args:
        school: The school, opened with names.
        asked: What is to be released.
        actor: Who releases it.
        at: When, with its time zone.

    Raises:
        NotFound: The school has no such permission.
        ReleaseRefused: The permission does not cover it: it was revoked, has ended, is for another recipient,
            purpose or scope, or does not cover a pupil who is asked for.
        Conflict: The permission covers nobody any more.
        StreamConflict: Pupils kept being changed meanwhile.
    """
    release_id = new_id()
    made: list[tuple[bytes, Sequence[UUID]]] = []

    def decide() -> Decision[ReleaseResult]:
        position = school.stream.head().position
        permissions, version = permissions_and_version(school)
        permission = permissions.get(asked.permission_id)
        if permission is None:
            raise NotFound("This school has no permission with that id")
        day = at.astimezone(SCHOOL_TIME).date()
        terms = check_covers(permission, asked.recipient, asked.purpose, asked.scope, day)
        roll = school.roll()
        named = _named(roll, terms, asked.pupil_ids) if terms.scope is Scope.NAMED_PUPILS else []
        content = _content(school, permission, release_id, roll, named, actor, at, position)
        made[:] = [(content, [pupil.id for pupil in named])]
        used = PermissionUsed(
            originator_id=permissions_of(school.school_id),
            originator_version=version + 1,
            actor=actor,
            school_id=school.school_id,
            permission_id=permission.id,
            release_id=release_id,
            sha256=hashlib.sha256(content).digest(),
            pupils=packed(pupil.id for pupil in named),
        )
        return Decision([used], ReleaseResult(release_id), Unless(PUPILS, position))

    outcome = school.carry_out(decide, ReleaseResult)
    content, pupil_ids = made[0]
    return Release(release_id, content, pupil_ids, outcome.position)


def _named(roll: Mapping[UUID, Pupil], terms: Terms, asked: Sequence[UUID]) -> list[Pupil]:
    """The pupils whom the release names, in the order of the file; nobody who was erased is among them."""
    covered = {pupil.id: pupil for pupil in roll.values() if _covers(terms, pupil)}
    if findings := [
        Finding(
            field="pupil_ids", found=str(pupil_id), accepted="a pupil whom the permission covers", row=number
        )
        for number, pupil_id in enumerate(asked, start=1)
        if pupil_id not in covered
    ]:
        raise ReleaseRefused(findings)
    if not covered:
        raise Conflict("The permission covers nobody who is here: there is nothing to release")
    chosen = [covered[pupil_id] for pupil_id in dict.fromkeys(asked)] or covered.values()
    return sorted(chosen, key=lambda pupil: (pupil.names.surname, pupil.names.forename, pupil.id))


def _covers(terms: Terms, pupil: Pupil) -> bool:
    if terms.pupil_ids:
        return pupil.id in terms.pupil_ids
    if terms.class_name:
        return pupil.on_roll and same_class(pupil.record.class_name, terms.class_name)
    if terms.nc_year:
        return pupil.on_roll and pupil.record.nc_year == terms.nc_year
    return pupil.on_roll


def _content(
    school: SchoolApplication,
    permission: ReleasePermission,
    release_id: UUID,
    roll: Mapping[UUID, Pupil],
    named: Sequence[Pupil],
    actor: Actor,
    at: datetime,
    position: int,
) -> bytes:
    terms = permission.terms
    if terms.scope is Scope.NAMED_PUPILS:
        results = _results(school, [pupil.id for pupil in named])
        file, data = PUPILS_FILE, of_pupils((pupil, results[pupil.id]) for pupil in named)
    else:
        on_roll = [pupil.id for pupil in roll.values() if pupil.on_roll]
        file, data = FIGURES_FILE, of_school(_results(school, on_roll).values())
    facts, who = school.school().facts, people_of(school, position)
    cover = CoverSheet(
        release_id=release_id,
        permission_id=permission.id,
        school=facts.name,
        urn=facts.urn,
        recipient=terms.recipient,
        purpose=terms.purpose,
        scope=terms.scope.value,
        until=terms.until.isoformat(),
        released_at=at.isoformat(),
        released_by=who(actor),
        permitted_by=who(permission.given_by),
        pupils=len(named),
        file=file,
        sha256=hashlib.sha256(data).hexdigest(),
    )
    sheet = msgspec.json.format(msgspec.json.encode(cover), indent=1)
    about = {"format": cover.format, "version": cover.version, "release_id": release_id}
    return b"".join(zipped([Entry(COVER, [sheet]), Entry(file, [data])], about))


def _results(school: SchoolApplication, pupil_ids: Sequence[UUID]) -> dict[UUID, list[Result]]:
    """The current results of each pupil: the newest in each cell, in the order of their first entry."""
    logs = {assessments_of(pupil_id): pupil_id for pupil_id in pupil_ids}
    events: dict[UUID, list[Event]] = {pupil_id: [] for pupil_id in pupil_ids}
    for event in school.read(school.stream.events_of_many(logs)) if logs else ():
        events[logs[event.originator_id]].append(event)
    found = {}
    for pupil_id, happened in events.items():
        entries = domain.assessment.fold(happened).values()
        current = {cell_of(each.result): each.result for each in entries if not is_sealed(each.result)}
        found[pupil_id] = list(current.values())
    return found

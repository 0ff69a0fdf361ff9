"""Pupils, one at a time: admitting, changing, leaving and returning."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import TypeVar
from uuid import UUID

import msgspec

import domain.pupil
from domain import pupil_upns, school_time
from domain.application.attending import check_nothing_after
from domain.application.recorded_days import logged_days
from domain.application.school_application import (
    PUPILS,
    CommandKey,
    Decision,
    Outcome,
    SchoolApplication,
)
from domain.codes.record_sets import LEAVING_REASON
from domain.codes.school_number import read_school_number
from domain.errors import AlreadyExists, Finding, InvalidInput, VersionConflict
from domain.events import Actor, Event
from domain.identifiers import new_id
from domain.ledger.stream import Unless
from domain.particulars import FIELDS, PupilParticulars, checked, checked_hand_back, checked_reason
from domain.periods import contradictions, reconciled
from domain.pupil import Destination, Pupil, PupilNames, PupilRecord
from domain.since_birth import birth_of, findings_of_a_later_birth

T = TypeVar("T")


class PupilResult(msgspec.Struct, frozen=True):
    """The pupil that a command was about, and its version after it."""

    pupil_id: UUID
    version: int


def admit(
    school: SchoolApplication,
    names: PupilNames,
    record: PupilRecord,
    actor: Actor,
    command: CommandKey | None = None,
) -> Outcome[PupilResult]:
    """Begins a child's record.

    Raises:
        AlreadyExists: Another pupil of the school has the UPN.
        InvalidInput: A code, date or number is not one that is accepted.
    """
    names, record = checked(names, record)
    pupil_upns.check_mistyped(None, names)
    _check_told_once(record, FIELDS)
    record = reconciled(None, record, _today())
    pupil_id = new_id()

    def decide() -> Decision[PupilResult]:
        position = _check_upn(school, pupil_id, names.upn)
        admitted = domain.pupil.admit(pupil_id, names, record, actor)
        return Decision([admitted], PupilResult(pupil_id, 1), Unless(PUPILS, position))

    return school.carry_out(decide, PupilResult, command)


def change(
    school: SchoolApplication,
    pupil_id: UUID,
    particulars: PupilParticulars,
    expected_version: int,
    actor: Actor,
    command: CommandKey | None = None,
) -> Outcome[PupilResult]:
    """Changes some of a child's particulars.

    Args:
        school: The school.
        pupil_id: The child.
        particulars: What changes; what is unset stays.
        expected_version: The version that the change was made against.
        actor: Who changes it.
        command: The key, if the caller gave one.

    Raises:
        VersionConflict: The pupil is at another version.
        AlreadyExists: Another pupil of the school has the UPN.
        InvalidInput: A code, date or number is not one that is accepted, two fields contradict each other, or
            something is recorded of a day before the birth.
        NotFound: There is no such pupil.
    """
    handed_back = checked_hand_back(particulars.hand_back)

    def decide() -> Decision[PupilResult]:
        pupil = expecting(school.pupil(pupil_id), expected_version)
        names, record = checked(
            *particulars.applied_to(pupil.names, pupil.record), before=(pupil.names, pupil.record)
        )
        _check_told_once(record, particulars.given)
        record = reconciled(pupil.record, record, _today(), particulars.given)
        unless = None
        if names.upn and names.upn != pupil.names.upn:
            unless = Unless(PUPILS, _check_upn(school, pupil_id, names.upn))
        rests_on = _check_later_birth(school, pupil, names)
        changed = domain.pupil.change(pupil, names, record, actor, handed_back=handed_back)
        return _decided(pupil, changed, unless, rests_on)

    return school.carry_out(decide, PupilResult, command)


def leave(
    school: SchoolApplication,
    pupil_id: UUID,
    left_on: date,
    expected_version: int,
    actor: Actor,
    *,
    reason: str | None = None,
    destination: str | None = None,
    reason_code: str | None = None,
    destination_school: str | None = None,
    command: CommandKey | None = None,
) -> Outcome[PupilResult]:
    """Takes a child off the roll; the record stays readable.

    Args:
        school: The school.
        pupil_id: The child.
        left_on: The last day.
        expected_version: The version that the leaving was decided against.
        actor: Who does it.
        reason: Why, in words.
        destination: Where to, in words.
        reason_code: Why, as a code of the set `leaving-reason`.
        destination_school: Where to: the seven digits of its local authority and establishment.
        command: The key, if the caller gave one.

    Raises:
        VersionConflict: The pupil is at another version.
        Conflict: The child has already left.
        InvalidInput: The day lies ahead, before the date of entry or before a session that is marked; or the
            words cannot be kept.
        NotFound: There is no such pupil.
    """
    _check_not_ahead("left_on", left_on)
    reason = checked_reason("reason", reason)
    destination = checked_reason("destination", destination)
    code = _checked("reason_code", reason_code, LEAVING_REASON.find)
    going_to = _checked("destination_school", destination_school, read_school_number)

    def decide() -> Decision[PupilResult]:
        pupil = expecting(school.pupil(pupil_id), expected_version)
        left = domain.pupil.leave(
            pupil,
            left_on,
            actor,
            reason,
            destination,
            reason_code=code,
            school=Destination(*going_to) if going_to else None,
        )
        return _decided(pupil, left, rests_on=check_nothing_after(school, pupil_id, left_on))

    return school.carry_out(decide, PupilResult, command)


def take_back(
    school: SchoolApplication,
    pupil_id: UUID,
    returned_on: date,
    expected_version: int,
    actor: Actor,
    command: CommandKey | None = None,
) -> Outcome[PupilResult]:
    """Puts a child who had left on the roll again.

    Raises:
        VersionConflict: The pupil is at another version.
        Conflict: The child is on the roll.
        InvalidInput: The day lies ahead, or before the one on which the child left.
        NotFound: There is no such pupil.
    """
    _check_not_ahead("returned_on", returned_on)

    def decide() -> Decision[PupilResult]:
        pupil = expecting(school.pupil(pupil_id), expected_version)
        return _decided(pupil, domain.pupil.take_back(pupil, returned_on, actor))

    return school.carry_out(decide, PupilResult, command)


def _check_later_birth(school: SchoolApplication, pupil: Pupil, names: PupilNames) -> dict[UUID, int]:
    """Makes sure that nothing in the child's logs lies before another date of birth.

    Returns:
        The versions of the logs, if any had to be looked at.

    Raises:
        InvalidInput: Something does.
    """
    before, born = birth_of(pupil.names), birth_of(names)
    if born <= before:
        return {}
    logged = logged_days(school, pupil)
    if findings := findings_of_a_later_birth(before, born, logged.dated):
        raise InvalidInput("Something was recorded before the child's birth would have been", findings)
    return logged.versions


def _check_told_once(record: PupilRecord, given: frozenset[str]) -> None:
    if findings := contradictions(record, given, _today()):
        raise InvalidInput("These particulars contradict each other", findings)


def _today() -> date:
    return school_time.today()


def _checked(field: str, text: str | None, read: Callable[[str], T]) -> T | None:
    if text is None:
        return None
    try:
        return read(text)
    except ValueError as error:
        raise InvalidInput(
            "The pupil cannot leave like this",
            [Finding(field=field, found=text[:60], accepted=str(error))],
        ) from None


def _check_not_ahead(field: str, day: date) -> None:
    if day > _today():
        raise InvalidInput(
            "A pupil leaves or returns on the day itself, or it is recorded afterwards",
            [Finding(field=field, found=day.isoformat(), accepted="today or an earlier day")],
        )


def expecting(pupil: Pupil, version: int) -> Pupil:
    """The pupil, if it is at this version.

    Raises:
        VersionConflict: It is at another one.
    """
    if pupil.version != version:
        raise VersionConflict(
            "This pupil was changed meanwhile: read it again and make the change on what is there now",
            expected=version,
            actual=pupil.version,
        )
    return pupil


def _decided(
    pupil: Pupil,
    happened: Event | None,
    unless: Unless | None = None,
    rests_on: Mapping[UUID, int] | None = None,
) -> Decision[PupilResult]:
    version = happened.originator_version if happened else pupil.version
    return Decision(
        [happened] if happened else [], PupilResult(pupil.id, version), unless, rests_on=rests_on or {}
    )


def _check_upn(school: SchoolApplication, pupil_id: UUID, upn: str | None) -> int:
    """The position up to which nobody else has this UPN."""
    position = school.stream.head().position
    if upn and any(
        pupil.names.upn == upn and pupil.id != pupil_id for pupil in school.roll(up_to=position).values()
    ):
        raise AlreadyExists("Another pupil of this school has that UPN")
    return position

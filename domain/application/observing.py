"""Observations: made, changed, illustrated with photographs, withdrawn, and read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from uuid import UUID

import msgspec

import domain.observation
from domain.access import Permission
from domain.application.histories import Moment
from domain.application.school_application import CommandKey, Decision, Outcome, SchoolApplication
from domain.errors import Finding, InvalidInput, KeyNotHeld, NotFound, NotPermitted, VersionConflict
from domain.events import Actor
from domain.files.photographs import develop
from domain.identifiers import new_id
from domain.ledger import photographs
from domain.ledger.database import Connection
from domain.ledger.photographs import Role
from domain.observation import (
    MOST_PHOTOGRAPHS,
    Observation,
    ObservationChanged,
    ObservationMade,
    ObservationWithdrawn,
    Observed,
    Photograph,
    PhotographAdded,
    PhotographWithdrawn,
    checked,
    observations_of,
)
from domain.particulars import checked_reason
from domain.pupil import Pupil
from domain.school_time import today
from domain.since_birth import birth_of


class ObservationResult(msgspec.Struct, frozen=True):
    """The observation that a command was about, and its version after it."""

    observation_id: UUID
    version: int


class PhotographResult(msgspec.Struct, frozen=True):
    """The photograph that a command was about, and the version of its observation after it."""

    photograph_id: UUID
    version: int


@dataclass(frozen=True)
class Picture:
    """One of the pictures that are kept of a photograph, opened.

    Attributes:
        media_type: `image/jpeg`, `image/png` or `image/webp`.
        content: The file.
    """

    media_type: str
    content: bytes


@dataclass(frozen=True)
class _Log:
    """A pupil's observations, and where the next event of their log goes."""

    pupil: Pupil
    id: UUID
    next_version: int
    observations: dict[UUID, Observation]

    def shown(self, observation_id: UUID) -> Observation:
        """An observation that was not withdrawn.

        Raises:
            NotFound: There is none with that id.
        """
        found = self.observations.get(observation_id)
        if found is None or found.withdrawn:
            raise NotFound("This pupil has no observation with that id")
        return found


def _log(
    school: SchoolApplication,
    pupil_id: UUID,
    only_classes: Sequence[str] | None = None,
    moment: Moment | None = None,
) -> _Log:
    pupil = school.pupil(pupil_id)
    if only_classes is not None:
        _check_class(pupil, only_classes)
    log, moment = observations_of(pupil_id), moment or Moment()
    stored = school.stream.events_of_many([log], up_to=moment.position, at=moment.at)
    next_version = stored[-1].originator_version + 1 if stored else 1
    return _Log(pupil, log, next_version, domain.observation.fold(school.read(stored)))


def _check_class(pupil: Pupil, only_classes: Sequence[str]) -> None:
    allowed = {name.casefold() for name in only_classes}
    if (pupil.record.class_name or "").casefold() not in allowed:
        raise NotPermitted(
            "You may record observations of your own classes only", needed=Permission.RECORD_ASSESSMENTS
        )


def make(
    school: SchoolApplication,
    pupil_id: UUID,
    observed: Observed,
    actor: Actor,
    *,
    only_classes: Sequence[str] | None = None,
    command: CommandKey | None = None,
) -> Outcome[ObservationResult]:
    """Keeps what somebody has seen a child do.

    Args:
        school: The school.
        pupil_id: The child.
        observed: What was seen.
        actor: Who writes it down.
        only_classes: The only classes whose children this user may write about; any, if not given.
        command: The key, if the caller gave one.

    Raises:
        NotFound: There is no such pupil.
        Erased: The child has been erased.
        InvalidInput: The day, the subject or the text cannot be kept.
        NotPermitted: The child is in another class.
    """
    observation_id = new_id()

    def decide() -> Decision[ObservationResult]:
        log = _log(school, pupil_id, only_classes)
        kept = _checked(log.pupil, observed)
        made = ObservationMade(
            originator_id=log.id,
            originator_version=log.next_version,
            actor=actor,
            observation_id=observation_id,
            pupil_id=pupil_id,
            observed_on=kept.observed_on,
            text=kept.text,
            subject_code=kept.subject,
        )
        return Decision([made], ObservationResult(observation_id, 1))

    return school.carry_out(decide, ObservationResult, command)


def _checked(pupil: Pupil, observed: Observed) -> Observed:
    return checked(observed, birth_of(pupil.names), today())


def change(
    school: SchoolApplication,
    pupil_id: UUID,
    observation_id: UUID,
    observed: Observed,
    expected_version: int,
    actor: Actor,
    *,
    only_classes: Sequence[str] | None = None,
    command: CommandKey | None = None,
) -> Outcome[ObservationResult]:
    """Lets an observation read otherwise; what it said before stays in the history.

    Args:
        school: The school.
        pupil_id: The child.
        observation_id: The observation.
        observed: What it is to say, as a whole. If it says so already, nothing happens.
        expected_version: The version that the change was made against.
        actor: Who changes it.
        only_classes: The only classes whose children this user may write about; any, if not given.
        command: The key, if the caller gave one.

    Raises:
        NotFound: There is no such pupil or observation, or it was withdrawn.
        VersionConflict: It was changed since.
        InvalidInput: The day, the subject or the text cannot be kept.
        NotPermitted: The child is in another class.
    """

    def decide() -> Decision[ObservationResult]:
        log = _log(school, pupil_id, only_classes)
        before = log.shown(observation_id)
        if before.version != expected_version:
            raise VersionConflict(
                "This observation was changed meanwhile: read it again, and change what is there now",
                expected=expected_version,
                actual=before.version,
            )
        kept = _checked(log.pupil, observed)
        if (kept.observed_on, kept.text, kept.subject) == (
            before.observed_on,
            before.text,
            before.subject_code,
        ):
            return Decision([], ObservationResult(observation_id, before.version))
        changed = ObservationChanged(
            originator_id=log.id,
            originator_version=log.next_version,
            actor=actor,
            observation_id=observation_id,
            pupil_id=pupil_id,
            observed_on=kept.observed_on,
            text=kept.text,
            subject_code=kept.subject,
        )
        return Decision([changed], ObservationResult(observation_id, before.version + 1))

    return school.carry_out(decide, ObservationResult, command)


def withdraw(
    school: SchoolApplication,
    pupil_id: UUID,
    observation_id: UUID,
    actor: Actor,
    *,
    reason: str | None = None,
    only_classes: Sequence[str] | None = None,
    command: CommandKey | None = None,
) -> Outcome[ObservationResult]:
    """Takes an observation and its photographs out of sight; the history keeps what was said.

    Raises:
        NotFound: There is no such pupil or observation, or it was withdrawn.
        InvalidInput: The reason cannot be kept.
        NotPermitted: The child is in another class.
    """
    reason = checked_reason("reason", reason)

    def decide() -> Decision[ObservationResult]:
        log = _log(school, pupil_id, only_classes)
        before = log.shown(observation_id)
        withdrawn = ObservationWithdrawn(
            originator_id=log.id,
            originator_version=log.next_version,
            actor=actor,
            observation_id=observation_id,
            pupil_id=pupil_id,
            reason=reason,
        )
        return Decision([withdrawn], ObservationResult(observation_id, before.version + 1))

    return school.carry_out(decide, ObservationResult, command)


def _check_room(observation: Observation) -> None:
    if len(observation.photographs) >= MOST_PHOTOGRAPHS:
        found = f"{MOST_PHOTOGRAPHS} photographs already"
        accepted = f"at most {MOST_PHOTOGRAPHS}: make another observation, or withdraw one of them"
        raise InvalidInput(
            "The observation has all the photographs that it may have",
            [Finding(field="photograph", found=found, accepted=accepted)],
        )


def attach(
    school: SchoolApplication,
    pupil_id: UUID,
    observation_id: UUID,
    content: bytes,
    actor: Actor,
    *,
    only_classes: Sequence[str] | None = None,
    command: CommandKey | None = None,
) -> Outcome[PhotographResult]:
    """Attaches a photograph to an observation: the pictures and the event that names them, or neither.

    Args:
        school: The school.
        pupil_id: The child.
        observation_id: The observation.
        content: The photograph as it was sent. It is developed when it is clear that it may be attached, and
            that takes up to a few seconds.
        actor: Who attaches it.
        only_classes: The only classes whose children this user may write about; any, if not given.
        command: The key, if the caller gave one.

    Raises:
        NotFound: There is no such pupil or observation, or it was withdrawn.
        Erased: The child has been erased.
        UnreadableFile: It is no photograph that can be taken.
        InvalidInput: The observation has as many photographs as it may have.
        NotPermitted: The child is in another class.
    """
    photograph_id = new_id()
    developing = cache(lambda: develop(content))  # once, however often it is decided anew

    def decide() -> Decision[PhotographResult]:
        log = _log(school, pupil_id, only_classes)
        before = log.shown(observation_id)
        _check_room(before)
        developed = developing()
        sealed = {
            role: photographs.sealed_for(school.keys, pupil_id, photograph_id, role, content)
            for role, content in (
                (Role.PHOTOGRAPH, developed.content),
                (Role.THUMBNAIL, developed.thumbnail),
            )
        }

        def keep(connection: Connection) -> None:
            for role, picture in sealed.items():
                photographs.add(connection, school.school_id, pupil_id, photograph_id, role, picture)

        added = PhotographAdded(
            originator_id=log.id,
            originator_version=log.next_version,
            actor=actor,
            observation_id=observation_id,
            pupil_id=pupil_id,
            photograph=Photograph(
                id=photograph_id,
                media_type=developed.media_type,
                width=developed.width,
                height=developed.height,
                sha256=photographs.digest_of(sealed[Role.PHOTOGRAPH]),
                thumbnail_sha256=photographs.digest_of(sealed[Role.THUMBNAIL]),
            ),
        )
        return Decision([added], PhotographResult(photograph_id, before.version + 1), beside=keep)

    return school.carry_out(decide, PhotographResult, command)


def withdraw_photograph(
    school: SchoolApplication,
    pupil_id: UUID,
    observation_id: UUID,
    photograph_id: UUID,
    actor: Actor,
    *,
    only_classes: Sequence[str] | None = None,
    command: CommandKey | None = None,
) -> Outcome[PhotographResult]:
    """Takes a photograph out of sight; it stays stored, sealed, until the child is erased.

    Raises:
        NotFound: There is no such pupil, observation or photograph, or it was withdrawn.
        NotPermitted: The child is in another class.
    """

    def decide() -> Decision[PhotographResult]:
        log = _log(school, pupil_id, only_classes)
        before = log.shown(observation_id)
        before.photograph(photograph_id)
        withdrawn = PhotographWithdrawn(
            originator_id=log.id,
            originator_version=log.next_version,
            actor=actor,
            observation_id=observation_id,
            pupil_id=pupil_id,
            photograph_id=photograph_id,
        )
        return Decision([withdrawn], PhotographResult(photograph_id, before.version + 1))

    return school.carry_out(decide, PhotographResult, command)


def observations(
    school: SchoolApplication, pupil_id: UUID, moment: Moment | None = None
) -> list[Observation]:
    """A pupil's observations that are shown, the newest first, now or as they stood.

    Raises:
        NotFound: There is no such pupil.
        Erased: The child has been erased.
    """
    found = _log(school, pupil_id, moment=moment).observations.values()
    shown = [observation for observation in found if not observation.withdrawn]
    return sorted(shown, key=lambda observation: observation.id, reverse=True)


def observation(school: SchoolApplication, pupil_id: UUID, observation_id: UUID) -> Observation:
    """One observation of a pupil.

    Raises:
        NotFound: There is no such pupil or observation, or it was withdrawn.
        Erased: The child has been erased.
    """
    return _log(school, pupil_id).shown(observation_id)


def picture(
    school: SchoolApplication, pupil_id: UUID, observation_id: UUID, photograph_id: UUID, role: Role
) -> Picture:
    """A photograph of an observation, or its thumbnail.

    Raises:
        NotFound: There is no such pupil, observation or photograph, or it was withdrawn.
        Erased: The child has been erased.
        DoesNotOpen: What lies there is not what was stored, or nothing does.
        KeyNotHeld: The names key is not held, or was destroyed this very moment.
    """
    photograph = observation(school, pupil_id, observation_id).photograph(photograph_id)
    sha256 = photograph.sha256 if role is Role.PHOTOGRAPH else photograph.thumbnail_sha256
    with school.database.bound_to(school.school_id) as connection:
        sealed = photographs.get(connection, school.school_id, pupil_id, photograph_id, role)
    content = photographs.opened(school.keys, pupil_id, photograph_id, role, sealed, sha256)
    if not isinstance(content, bytes):
        raise KeyNotHeld("This photograph is sealed, and its key is not at hand")
    return Picture(photograph.media_type, content)

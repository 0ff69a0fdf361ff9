"""Observations: what somebody at the school saw a child do, in words and photographs, on a day.

A pupil's observations are a log, as assessments are. The photographs themselves are not in it: an event that
holds ten megabytes would burden everybody who reads the log. It holds their ids, and the SHA-256 of each as
it lies sealed in its own table, so that one that was changed or exchanged is noticed.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import ClassVar
from uuid import UUID

import msgspec

from domain import addresses
from domain.addresses import find_addresses
from domain.codes.sets import SUBJECT
from domain.errors import Conflict, Finding, InvalidInput, NotFound
from domain.events import Event, Names, Open, Record, event
from domain.identifiers import log_id_of
from domain.text import read_text

MOST_CHARACTERS = 5000
"""Of the text of an observation."""

MOST_PHOTOGRAPHS = 20
"""Of one observation, at any one time."""


def observations_of(pupil_id: UUID) -> UUID:
    """The originator id of a pupil's log of observations."""
    return log_id_of(pupil_id, "observations")


class Photograph(msgspec.Struct, frozen=True, kw_only=True):
    """A photograph of an observation, which lies sealed elsewhere.

    Attributes:
        id: Its id.
        media_type: `image/jpeg`, `image/png` or `image/webp`, of the photograph and the thumbnail.
        width: Pixels of the photograph.
        height: Likewise.
        sha256: Of the photograph as it lies sealed, 32 bytes.
        thumbnail_sha256: Of the thumbnail, likewise.
    """

    id: UUID
    media_type: str
    width: int
    height: int
    sha256: bytes
    thumbnail_sha256: bytes


class _OfAnObservation(Event, frozen=True, kw_only=True):
    """What every event of an observation says.

    Attributes:
        observation_id: The observation.
        pupil_id: The child.
    """

    subject_field: ClassVar[str] = "pupil_id"

    observation_id: Open[UUID]
    pupil_id: Open[UUID]


@event("observation.made")
class ObservationMade(_OfAnObservation, frozen=True, kw_only=True):
    """Somebody saw a child do something, and wrote it down; in a subject, perhaps, whose code it names."""

    observed_on: Record[date]
    text: Names[str]
    subject_code: Record[str | None] = None


@event("observation.changed")
class ObservationChanged(_OfAnObservation, frozen=True, kw_only=True):
    """An observation reads otherwise now, as a whole; what it said before stays in its event."""

    observed_on: Record[date]
    text: Names[str]
    subject_code: Record[str | None] = None


@event("observation.withdrawn")
class ObservationWithdrawn(_OfAnObservation, frozen=True, kw_only=True):
    """An observation is not shown any more, nor are its photographs; its events stay."""

    reason: Names[str | None] = None


@event("observation.photograph-added")
class PhotographAdded(_OfAnObservation, frozen=True, kw_only=True):
    """A photograph was attached to an observation; it was stored with this event, or neither was."""

    photograph: Open[Photograph]


@event("observation.photograph-withdrawn")
class PhotographWithdrawn(_OfAnObservation, frozen=True, kw_only=True):
    """A photograph is not shown any more; it stays where it is, sealed."""

    photograph_id: Open[UUID]


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """An observation as the events so far describe it.

    Attributes:
        id: Its id: those made later have greater ones.
        pupil_id: The child.
        version: How many events it has had; a change is made against it.
        made_by: The member of staff who wrote it down first; nobody, if it was not one.
        observed_on: The day on which it was seen.
        subject_code: The subject, if it was in one.
        text: What was seen, with its line breaks.
        photographs: In the order in which they were attached.
        withdrawn: It is not shown any more.
    """

    id: UUID
    pupil_id: UUID
    version: int
    made_by: UUID | None
    observed_on: date
    subject_code: str | None
    text: str
    photographs: tuple[Photograph, ...] = ()
    withdrawn: bool = False

    def photograph(self, photograph_id: UUID) -> Photograph:
        """One of its photographs.

        Raises:
            NotFound: It has no such photograph, or not any more.
        """
        for photograph in self.photographs:
            if photograph.id == photograph_id:
                return photograph
        raise NotFound("This observation has no photograph with that id")


def fold(events: Iterable[Event]) -> dict[UUID, Observation]:
    """A pupil's observations after these events, by id, in the order in which they were made.

    Those that were withdrawn are among them.

    Raises:
        Conflict: One of the events is not of an observation that was made.
    """
    observations: dict[UUID, Observation] = {}
    for happened in events:
        if isinstance(happened, ObservationMade):
            observations[happened.observation_id] = Observation(
                id=happened.observation_id,
                pupil_id=happened.pupil_id,
                version=1,
                made_by=happened.actor.staff_id,
                observed_on=happened.observed_on,
                subject_code=happened.subject_code,
                text=happened.text,
            )
        elif isinstance(happened, _OfAnObservation) and (before := observations.get(happened.observation_id)):
            observations[before.id] = _after(before, happened)
        else:
            raise Conflict(f"{happened.name} is not an event of an observation that was made")
    return observations


def _after(before: Observation, happened: _OfAnObservation) -> Observation:
    changes: dict[str, object] = {}
    match happened:
        case ObservationChanged():
            changes = {
                "observed_on": happened.observed_on,
                "subject_code": happened.subject_code,
                "text": happened.text,
            }
        case ObservationWithdrawn():
            changes = {"withdrawn": True}
        case PhotographAdded():
            changes = {"photographs": (*before.photographs, happened.photograph)}
        case PhotographWithdrawn():
            left = tuple(each for each in before.photographs if each.id != happened.photograph_id)
            changes = {"photographs": left}
    return msgspec.structs.replace(before, version=before.version + 1, **changes)


class Observed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody writes down of an observation.

    Attributes:
        observed_on: The day.
        text: What was seen: 1 to 5,000 characters, in which no email or postal address stands.
        subject: A subject code: REA, WRI, MAT, ...; none, if it was in no subject.
    """

    observed_on: date
    text: str
    subject: str | None = None


def checked(observed: Observed, born: date, today: date) -> Observed:
    """An observation as it is kept.

    Args:
        observed: What was written down.
        born: The child's date of birth: nobody was seen before.
        today: The day that it is at the school.

    Raises:
        InvalidInput: With a finding for each field that is not as it must be.
    """
    findings: list[Finding] = []
    text, subject = observed.text, observed.subject
    if not born <= observed.observed_on <= today:
        accepted = "a day from the child's birth to today"
        findings.append(
            Finding(field="observed_on", found=observed.observed_on.isoformat(), accepted=accepted)
        )
    try:
        text = checked_text("text", text, MOST_CHARACTERS)
    except InvalidInput as error:
        findings += error.findings
    if subject is not None:
        try:
            subject = SUBJECT.find(subject)
        except ValueError as error:
            findings.append(Finding(field="subject", found=subject[:60], accepted=str(error)))
    if findings:
        raise InvalidInput("The observation cannot be kept like this", findings)
    return Observed(observed_on=observed.observed_on, text=text, subject=subject)


def checked_text(field: str, text: str, most: int) -> str:
    """Free text of several lines, as it is kept: single spaces, and no more than one empty line at a time.

    Args:
        field: What the sender calls it.
        text: The text.
        most: Characters that it may have.

    Raises:
        InvalidInput: It is empty or too long, or holds damaged characters, or an email or postal address; the
            finding has the words of the address, cut to 60 characters.
    """
    found = f"{len(text)} characters"
    if len(text) <= 2 * most:  # whatever is longer is not looked at any closer
        try:
            lines = [read_text(line) for line in text.splitlines()]
        except ValueError as error:
            raise _not_kept(field, found, str(error)) from None
        kept = "\n".join(line for at, line in enumerate(lines) if line or (at and lines[at - 1])).strip("\n")
        found = f"{len(kept)} characters"
        if 1 <= len(kept) <= most:
            if words := find_addresses(kept):
                raise _not_kept(field, ", ".join(words)[:60], addresses.ACCEPTED)
            return kept
    raise _not_kept(field, found, f"1 to {most} characters")


def _not_kept(field: str, found: str, accepted: str) -> InvalidInput:
    return InvalidInput(
        "This cannot be kept as it is", [Finding(field=field, found=found, accepted=accepted)]
    )

"""What has changed of a school's pupils between two positions of its stream, so that others can follow.

It is decided from the stream alone, which never changes: the same question has the same answer for ever, but
for those who were erased meanwhile, of whom nothing can be told any more.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

import msgspec

import domain.assessment
import domain.attendance
import domain.notes
import domain.observation
import domain.pupil
import domain.targets
from domain.application.school_application import PUPILS, SchoolApplication, is_of
from domain.errors import Finding, InvalidInput, NotYetVisible
from domain.events import REGISTRY, Event, is_sealed
from domain.ledger.stream import RecordedEvent
from domain.pupil import Pupil, PupilErased


class PupilChange(msgspec.Struct, frozen=True, kw_only=True):
    """That something has changed of a pupil.

    Attributes:
        pupil_id: The pupil.
        position: The position of the newest event about the pupil, of those that were asked about.
        what: Of which kinds the events are, in the order of the alphabet: `pupil` for the record,
            `assessment`, `attendance`, `note`, `observation`, `target`.
    """

    pupil_id: UUID
    position: int
    what: tuple[str, ...]


class KeyChange(msgspec.Struct, frozen=True, kw_only=True):
    """That a pupil whom the reader knew by one UPN has another.

    Attributes:
        pupil_id: The pupil.
        upn_before: The UPN at the first of the two positions; null, where there was none.
        upn_after: The UPN at the second.
    """

    pupil_id: UUID
    upn_before: str | None
    upn_after: str | None


class ChangesPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of what has changed.

    Attributes:
        position: It shows everything up to here, and nothing that came later.
        pupils: The pupils as they stood there, in the order of their ids.
        changes: What has changed of each of them, in the same order.
        removed: Pupils who have been erased.
        key_changes: UPNs that have changed; none are known to those who hold no key to names.
        next: The last pupil of this page, after whom the next page begins, if there is one.
    """

    position: int
    pupils: list[Pupil]
    changes: list[PupilChange]
    removed: list[UUID]
    key_changes: list[KeyChange]
    next: UUID | None


def changes_of(
    school: SchoolApplication,
    after: int,
    up_to: int | None = None,
    *,
    beyond: UUID | None = None,
    limit: int = 500,
) -> ChangesPage:
    """The pupils about whom there are events after one position and up to another.

    Args:
        school: The school.
        after: Everything up to this position is known to the reader.
        up_to: The position at which the pages show the pupils; the end of the stream, if none is given.
        beyond: Only pupils after this one, in the order of their ids: `next` of the page before.
        limit: The most pupils of a page, erased ones included.

    Raises:
        NotYetVisible: The stream has not come as far as one of the positions.
        InvalidInput: The second position lies before the first.
    """
    head = school.stream.head().position
    for wanted in (after, up_to):
        if wanted is not None and wanted > head:
            raise NotYetVisible("The school's stream has no such position yet", reached=head, wanted=wanted)
    up_to = head if up_to is None else up_to
    if up_to < after:
        raise InvalidInput(
            "The query is not as it must be",
            [Finding(field="up_to_position", found=str(up_to), accepted=f"{after} or a later position")],
        )
    changes = _changes(school, after, up_to)
    waiting = sorted(pupil_id for pupil_id in changes if beyond is None or pupil_id > beyond)
    of_page = waiting[:limit]
    before, then = _pupils_at(school, of_page, after, up_to)
    pupils = [then[pupil_id] for pupil_id in of_page if pupil_id in then]
    shown = {pupil.id for pupil in pupils}
    return ChangesPage(
        position=up_to,
        pupils=pupils,
        changes=[changes[pupil.id] for pupil in pupils],
        removed=[pupil_id for pupil_id in of_page if pupil_id not in shown],
        key_changes=[change for pupil in pupils if (change := _key_change(before.get(pupil.id), pupil))],
        next=of_page[-1] if len(waiting) > len(of_page) else None,
    )


def types_about_pupils() -> list[str]:
    """The types of event, of every version, whose subject is a pupil.

    They are those that are registered: the modules that have any are imported above.
    """
    return [
        f"{name}.{version}"
        for name, cls in REGISTRY.classes.items()
        if is_of(PUPILS, name) or cls.subject_field == "pupil_id"
        for version in range(1, cls.version + 1)
    ]


def _changes(school: SchoolApplication, after: int, up_to: int) -> dict[UUID, PupilChange]:
    """What has changed, by pupil; of each log the newest event tells whom it is about."""
    mapper = school.event_mapper
    found: dict[UUID, PupilChange] = {}
    for stored in school.stream.last_of_each_between(after + 1, up_to, types_about_pupils()):
        pupil_id = mapper.subject_of(stored)
        what = stored.topic.partition(".")[0]
        earlier = found.get(pupil_id)
        found[pupil_id] = PupilChange(
            pupil_id=pupil_id,
            position=max(stored.id, earlier.position if earlier else 0),
            what=tuple(sorted({what, *(earlier.what if earlier else ())})),
        )
    return found


def _pupils_at(
    school: SchoolApplication, pupil_ids: Iterable[UUID], after: int, up_to: int
) -> tuple[dict[UUID, Pupil], dict[UUID, Pupil]]:
    """The pupils as they stood at each of two positions, but for those who have been erased, even since."""
    stored = [each for each in school.stream.events_of_many(pupil_ids) if is_of(PUPILS, each.topic)]
    erased = {each.originator_id for each in stored if _is_erasure(each)}
    stored = [each for each in stored if each.id <= up_to and each.originator_id not in erased]
    before: dict[UUID, Pupil] = {}
    then: dict[UUID, Pupil] = {}
    for each, event in zip(stored, school.read(stored), strict=True):
        _happen(then, event)
        if each.id <= after:
            before[event.originator_id] = then[event.originator_id]
    return before, {pupil_id: pupil for pupil_id, pupil in then.items() if not is_sealed(pupil.record)}


def _is_erasure(stored: RecordedEvent) -> bool:
    return stored.topic.rpartition(".")[0] == PupilErased.name


def _happen(pupils: dict[UUID, Pupil], event: Event) -> None:
    pupil = domain.pupil.fold(pupils.get(event.originator_id), [event])
    assert pupil
    pupils[event.originator_id] = pupil


def _key_change(before: Pupil | None, then: Pupil) -> KeyChange | None:
    if before is None or is_sealed(before.names) or is_sealed(then.names):
        return None
    if before.names.upn == then.names.upn:
        return None
    return KeyChange(pupil_id=then.id, upn_before=before.names.upn, upn_after=then.names.upn)

"""Targets: setting them, for one child or a whole class at once, and removing them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

import msgspec

import domain.targets
from domain import school_time
from domain.academic_year import When, academic_year_label, academic_year_of, when
from domain.application.assessing import check_classes, no_pupil
from domain.application.assessment_points import points_to_record_at
from domain.application.school_application import (
    CommandKey,
    Decision,
    Outcome,
    SchoolApplication,
    targets_of,
)
from domain.assessment import STATEMENTS, STEPS, version_for
from domain.assessment_points import FIRST_YEAR
from domain.errors import Finding, InvalidInput, NotFound
from domain.events import Actor, Event
from domain.identifiers import new_id
from domain.particulars import checked_reason
from domain.pupil import Pupil
from domain.since_birth import birth_of, dated_time, findings_before
from domain.targets import Target, TargetRemoved, TargetSet, cell_of, target_of

REFUSED = "The targets cannot be set like this"

YEARS_AHEAD = 8
"""From nursery to the end of Year 6."""


class TargetEntry(msgspec.Struct, frozen=True):
    """One target.

    Attributes:
        pupil_id: The child.
        subject: The code of what is measured, as the scheme lists it.
        value: What is to be reached.
    """

    pupil_id: UUID
    subject: str
    value: str


class TargetsResult(msgspec.Struct, frozen=True):
    """The ids of the targets that a command was about, in the order of the entries."""

    target_ids: list[UUID]


def targets(school: SchoolApplication, pupil_id: UUID) -> dict[UUID, Target]:
    """A pupil's targets, by id."""
    return domain.targets.fold(school.read(school.stream.events_of(targets_of(pupil_id))))


def set_targets(
    school: SchoolApplication,
    at: When,
    entries: Sequence[TargetEntry],
    actor: Actor,
    *,
    scheme: str = STEPS,
    only_classes: Sequence[str] | None = None,
    command: CommandKey | None = None,
) -> Outcome[TargetsResult]:
    """Sets targets for an assessment point or a whole year, all of them or none.

    A child has one target for each scheme, subject and point: setting another takes its place.

    Raises:
        InvalidInput: A pupil, scheme, subject or value is not one that there is, an entry comes twice, the
            point is too far away or before a child's birth, or the school has other assessment points; with a
            finding for each, numbered by entry.
        Conflict: The point is closed.
        NotPermitted: A child is in another class.
    """
    this_year = academic_year_of(school_time.today())
    _check_period(at, scheme, this_year)

    def decide() -> Decision[TargetsResult]:
        points, unless = points_to_record_at(school)
        pupils = school.pupils({entry.pupil_id for entry in entries})
        ready = _read(entries, pupils, scheme, at)
        points.check(at)
        if only_classes is not None:
            check_classes(pupils.values(), only_classes)
        before = _Before(school, pupils)
        events: list[Event] = []
        ids = []
        for entry, target in zip(entries, ready, strict=True):
            target_id, event = before.set(entry.pupil_id, target, actor)
            ids.append(target_id)
            events += [event] if event else []
        return Decision(events, TargetsResult(ids), unless)

    return school.carry_out(decide, TargetsResult, command)


def _check_period(at: When, scheme: str, this_year: int) -> None:
    last = this_year + YEARS_AHEAD
    if not FIRST_YEAR <= at.academic_year <= last:
        accepted = f"an academic year from {academic_year_label(FIRST_YEAR)} to {academic_year_label(last)}"
        found = academic_year_label(at.academic_year)[:60]
        raise InvalidInput(REFUSED, [Finding(field="academic_year", found=found, accepted=accepted)])
    if version_for(scheme, at).scheme == STATEMENTS:
        accepted = "a scheme of subjects: statements are judged, and no targets"
        raise InvalidInput(REFUSED, [Finding(field="scheme", found=scheme[:60], accepted=accepted)])


def _read(
    entries: Sequence[TargetEntry], pupils: Mapping[UUID, Pupil], scheme: str, at: When
) -> list[Target]:
    findings = [] if entries else [Finding(field="entries", found="none", accepted="at least one")]
    ready: list[Target] = []
    seen: dict[tuple[UUID, str], int] = {}
    for number, entry in enumerate(entries, start=1):
        pupil = pupils.get(entry.pupil_id)
        found = (
            findings_before(birth_of(pupil.names), dated_time(at)) if pupil else [no_pupil(entry.pupil_id)]
        )
        if (first := seen.setdefault((entry.pupil_id, entry.subject.strip().upper()), number)) != number:
            accepted = f"each pupil and subject once: entry {first} is the same"
            found.append(Finding(field="subject", found=entry.subject[:60], accepted=accepted))
        try:
            ready.append(target_of(scheme, entry.subject, entry.value, at))
        except InvalidInput as error:
            found += error.findings
        findings += [msgspec.structs.replace(finding, row=number) for finding in found]
    if findings:
        raise InvalidInput(REFUSED, findings)
    return ready


class _Before:
    """The targets that some pupils have, and the versions of their logs."""

    def __init__(self, school: SchoolApplication, pupil_ids: Iterable[UUID]) -> None:
        by_log: dict[UUID, list[Event]] = {targets_of(pupil_id): [] for pupil_id in pupil_ids}
        for event in school.read(school.stream.events_of_many(by_log)):
            by_log[event.originator_id].append(event)
        self._versions = {log: events[-1].originator_version for log, events in by_log.items() if events}
        self._targets = {
            (log, cell_of(target)): (target_id, target)
            for log, events in by_log.items()
            for target_id, target in domain.targets.fold(events).items()
        }

    def set(self, pupil_id: UUID, target: Target, actor: Actor) -> tuple[UUID, Event | None]:
        """The id of a target, and what happens when it is set; nothing, if it is so already."""
        log = targets_of(pupil_id)
        target_id, there = self._targets.get((log, cell_of(target)), (None, None))
        if target_id is not None and there == target:
            return target_id, None
        target_id = target_id or new_id()
        version = self._versions[log] = self._versions.get(log, 0) + 1
        return target_id, TargetSet(
            originator_id=log,
            originator_version=version,
            actor=actor,
            target_id=target_id,
            pupil_id=pupil_id,
            target=target,
        )


def remove(
    school: SchoolApplication,
    pupil_id: UUID,
    target_id: UUID,
    actor: Actor,
    *,
    reason: str | None = None,
    only_classes: Sequence[str] | None = None,
    command: CommandKey | None = None,
) -> Outcome[TargetsResult]:
    """Removes a target; it stays in the history.

    Raises:
        NotFound: The pupil has no such target.
        InvalidInput: The reason cannot be kept.
        Conflict: The point is closed.
        NotPermitted: The child is in another class.
    """
    reason = checked_reason("reason", reason)

    def decide() -> Decision[TargetsResult]:
        points, unless = points_to_record_at(school)
        pupil = school.pupil(pupil_id)
        if only_classes is not None:
            check_classes([pupil], only_classes)
        log = targets_of(pupil_id)
        events = list(school.read(school.stream.events_of(log)))
        target = domain.targets.fold(events).get(target_id)
        if target is None:
            raise NotFound("This pupil has no target with that id")
        points.check_open(when(target.academic_year, target.term))
        removed = TargetRemoved(
            originator_id=log,
            originator_version=events[-1].originator_version + 1,
            actor=actor,
            target_id=target_id,
            pupil_id=pupil_id,
            reason=reason,
        )
        return Decision([removed], TargetsResult([target_id]), unless)

    return school.carry_out(decide, TargetsResult, command)

"""Targets: what pupils are meant to reach, kept apart from what they have reached."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec

import domain.application.targets as commands
import projections.pupils
import projections.targets
from api.assessments import MOST_ENTRIES, AcademicYear
from api.callers import Caller, signed_in
from api.encoding import Answer, ReadQuery, Sent, body, query
from api.reading import reading
from api.routing import Routes
from api.showing import Shown
from domain.academic_year import Term, when
from domain.access import Permission
from domain.application.school_application import Outcome
from domain.application.targets import TargetEntry, TargetsResult
from domain.assessment import STEPS
from domain.errors import NotFound
from domain.usage import ReadKind

routes = Routes("targets")


class TargetBody(msgspec.Struct, frozen=True, kw_only=True):
    """A target.

    Attributes:
        target_id: Its id.
        scheme: The scale.
        scheme_version: Its version, where it has several.
        subject: The subject code of the results that it is about.
        component: The component, where the subject has several.
        value: What is to be reached.
        academic_year: The year in which the academic year starts.
        term: The term or half-term; null for results of the whole year.
    """

    target_id: UUID
    scheme: str
    scheme_version: str | None
    subject: str
    component: str | None
    value: str
    academic_year: int
    term: str | None


class TargetsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A pupil's targets, those of the latest year first."""

    pupil_id: UUID
    targets: list[TargetBody]
    position: int


class NewTarget(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A target of one pupil.

    Attributes:
        academic_year: The year in which the academic year starts.
        term: The term or half-term; left out for results of the whole year.
        scheme: The scale.
        subject: The code of what is measured, as the scheme lists it.
        value: What is to be reached.
    """

    academic_year: AcademicYear
    term: Term | None = None
    scheme: str = STEPS
    subject: str
    value: str


class SheetTarget(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One target on a sheet."""

    pupil_id: UUID
    subject: str
    value: str


class NewTargets(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The targets of several pupils for one point."""

    academic_year: AcademicYear
    term: Term | None = None
    scheme: str = STEPS
    entries: Annotated[list[SheetTarget], msgspec.Meta(max_length=MOST_ENTRIES)]


class Removal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a target is removed."""

    reason: Annotated[str, msgspec.Meta(max_length=1000)] | None = None


class TargetsKept(msgspec.Struct, frozen=True, kw_only=True):
    """The targets that a command was about, in the order of the entries."""

    target_ids: list[UUID]
    position: int


def _kept(outcome: Outcome[TargetsResult], status: int) -> Answer[TargetsKept]:
    kept = TargetsKept(target_ids=outcome.result.target_ids, position=outcome.position)
    return Answer(kept, status, position=outcome.position, repeated=outcome.repeated)


@routes.get("/v1/pupils/{pupil_id}/targets")
def read_targets(
    caller: Annotated[Caller, signed_in(Permission.READ_PUPILS)],
    asked: Annotated[ReadQuery, query(ReadQuery)],
    pupil_id: UUID,
) -> Shown[TargetsAnswer]:
    """Read a pupil's targets."""
    names = (projections.pupils.NAME, projections.targets.NAME)
    with reading(caller, asked.min_position, *names) as read:
        if projections.pupils.get(read.connection, caller.school.keys, pupil_id) is None:
            caller.school.pupil(pupil_id)  # which says so, if there was one who has been erased
            raise NotFound("This school has no pupil with that id")
        views = projections.targets.of_pupils(read.connection, caller.school.keys, [pupil_id])
    shown = [
        TargetBody(
            target_id=view.target_id,
            **{field: getattr(view.target, field) for field in view.target.__struct_fields__},
        )
        for view in views
    ]
    answer = TargetsAnswer(pupil_id=pupil_id, targets=shown, position=read.position)
    return Shown(caller, ReadKind.PUPIL, [pupil_id], answer)


@routes.post("/v1/pupils/{pupil_id}/targets", status_code=201)
def set_target(
    caller: Annotated[Caller, signed_in(Permission.RECORD_ASSESSMENTS_OF_OWN_CLASSES)],
    pupil_id: UUID,
    sent: Annotated[Sent[NewTarget], body(NewTarget)],
) -> Answer[TargetsKept]:
    """Set a target, in place of the one that there was for the same."""
    given = sent.value
    caller.school.pupil(pupil_id)
    outcome = commands.set_targets(
        caller.school,
        when(given.academic_year, given.term),
        [TargetEntry(pupil_id, given.subject, given.value)],
        caller.actor,
        scheme=given.scheme,
        only_classes=caller.only_classes,
        command=sent.command,
    )
    return _kept(outcome, 201)


@routes.post("/v1/targets", status_code=201)
def set_targets(
    caller: Annotated[Caller, signed_in(Permission.RECORD_ASSESSMENTS_OF_OWN_CLASSES)],
    sent: Annotated[Sent[NewTargets], body(NewTargets)],
) -> Answer[TargetsKept]:
    """Set targets of several pupils for one point: all of them, or none."""
    given = sent.value
    outcome = commands.set_targets(
        caller.school,
        when(given.academic_year, given.term),
        [TargetEntry(entry.pupil_id, entry.subject, entry.value) for entry in given.entries],
        caller.actor,
        scheme=given.scheme,
        only_classes=caller.only_classes,
        command=sent.command,
    )
    return _kept(outcome, 201)


@routes.post("/v1/pupils/{pupil_id}/targets/{target_id}/remove")
def remove_target(
    caller: Annotated[Caller, signed_in(Permission.RECORD_ASSESSMENTS_OF_OWN_CLASSES)],
    pupil_id: UUID,
    target_id: UUID,
    sent: Annotated[Sent[Removal], body(Removal)],
) -> Answer[TargetsKept]:
    """Remove a target; it stays in the history."""
    outcome = commands.remove(
        caller.school,
        pupil_id,
        target_id,
        caller.actor,
        reason=sent.value.reason,
        only_classes=caller.only_classes,
        command=sent.command,
    )
    return _kept(outcome, 200)

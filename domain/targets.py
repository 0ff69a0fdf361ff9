"""Targets: what a child is meant to reach in a subject by an assessment point, kept apart from results."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar
from uuid import UUID

import msgspec

from domain.academic_year import When
from domain.assessment import result_of, version_for
from domain.errors import Conflict, Finding, InvalidInput
from domain.events import Event, Names, Open, Record, event


class Target(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A target.

    Attributes:
        scheme: The scale: one of `domain.schemes.catalogue`.
        subject: The subject code of the results that it is about.
        value: What is to be reached, on that scale.
        academic_year: The year in which the academic year starts by whose point it is to be reached.
        term: The term or half-term; none for results of a whole year.
        component: The component of the results, where the subject has several.
        scheme_version: The version of the scheme, where the scheme has several.
    """

    scheme: str
    subject: str
    value: str
    academic_year: int
    term: str | None = None
    component: str | None = None
    scheme_version: str | None = None


TargetCell = tuple[str, str, str | None, int, str | None]
"""Scheme, subject, component, academic year and term: a pupil has one target for each."""


def cell_of(target: Target) -> TargetCell:
    """What a target is a target for."""
    return (target.scheme, target.subject, target.component, target.academic_year, target.term)


@event("target.set")
class TargetSet(Event, frozen=True, kw_only=True):
    """A target was set, or set anew."""

    subject_field: ClassVar[str] = "pupil_id"

    target_id: Open[UUID]
    pupil_id: Open[UUID]
    target: Record[Target]


@event("target.removed")
class TargetRemoved(Event, frozen=True, kw_only=True):
    """The child has this target no longer."""

    subject_field: ClassVar[str] = "pupil_id"

    target_id: Open[UUID]
    pupil_id: Open[UUID]
    reason: Names[str | None] = None


def fold(events: Iterable[Event]) -> dict[UUID, Target]:
    """A pupil's targets after these events, by id."""
    targets: dict[UUID, Target] = {}
    for happened in events:
        match happened:
            case TargetSet():
                targets[happened.target_id] = happened.target
            case TargetRemoved():
                targets.pop(happened.target_id, None)
            case _:
                raise Conflict(f"{happened.name} is not an event of a target")
    return targets


def target_of(scheme: str, subject: str, value: str, at: When) -> Target:
    """A target as somebody enters it.

    Args:
        scheme: The name of the scheme.
        subject: The code of what is measured, as the scheme lists it.
        value: What is to be reached.
        at: The assessment point, or the whole year.

    Raises:
        InvalidInput: It is not one that a result of that scheme could reach.
    """
    result = result_of(scheme, subject, value, at, None)
    aimed_at = version_for(scheme, at).values[result.value]
    if aimed_at.ordinal is None and aimed_at.standing is None:
        accepted = "a value to be reached, and not one that says why there is no result"
        raise InvalidInput(
            "The target cannot be set like this",
            [Finding(field="value", found=result.value, accepted=accepted)],
        )
    return Target(
        scheme=result.scheme,
        subject=result.subject,
        value=result.value,
        academic_year=result.academic_year,
        term=result.term,
        component=result.component,
        scheme_version=result.scheme_version,
    )

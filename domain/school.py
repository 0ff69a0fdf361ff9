"""The school: who it is, and the agreement under which its data is held."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from typing import ClassVar
from uuid import UUID

import msgspec

from domain.errors import Conflict, Finding, InvalidInput
from domain.events import Actor, Event, Open, Record, event
from domain.mail import is_address
from domain.text import ACCEPTED, is_text

REGIONS = (
    "East Midlands",
    "East of England",
    "London",
    "North East",
    "North West",
    "South East",
    "South West",
    "West Midlands",
    "Yorkshire and The Humber",
)
"""The nine regions of England, as the Office for National Statistics names them."""

SCHOOL_TYPES = ("infant", "junior", "primary", "middle", "all-through", "special", "other")
"""What schools are, as far as benchmarks tell them apart.

First schools are `infant`; `middle` are the middle schools that are deemed primary.
"""


class SchoolFacts(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What is publicly known of a school.

    Attributes:
        name: Its name.
        urn: Unique Reference Number of the Department for Education, 5 to 7 digits.
        local_authority: Local authority number, 3 digits.
        establishment: Establishment number within the authority, 4 digits.
        region: One of :data:`REGIONS`.
        school_type: One of :data:`SCHOOL_TYPES`; none, where nobody has said.
    """

    name: str
    urn: str
    local_authority: str
    establishment: str
    region: str
    school_type: str | None = None


@event("school.registered")
class SchoolRegistered(Event, frozen=True, kw_only=True):
    """A school's stream begins, with the agreement under which its data is held."""

    founds: ClassVar[bool] = True

    facts: Open[SchoolFacts]
    agreement_from: Open[date]
    official_email: Record[str]


@event("import.completed")
class ImportCompleted(Event, frozen=True, kw_only=True):
    """A file of pupils was imported; the events that it caused lie just before this one.

    Who did it is the actor: the school's staff, or the operator on the school's behalf.
    """

    import_id: Open[UUID]
    format: Open[str]
    created: Open[int]
    changed: Open[int]
    unchanged: Open[int]
    results: Open[int]
    left: Open[int] = 0


class School(msgspec.Struct, frozen=True, kw_only=True):
    """A school as the events so far describe it."""

    id: UUID
    version: int
    facts: SchoolFacts
    agreement_from: date
    official_email: str


def fold(school: School | None, events: Iterable[Event]) -> School | None:
    """The school after these events."""
    for happened in events:
        match happened:
            case SchoolRegistered():
                school = School(
                    id=happened.originator_id,
                    version=happened.originator_version,
                    facts=happened.facts,
                    agreement_from=happened.agreement_from,
                    official_email=happened.official_email,
                )
            case _:
                raise Conflict(f"{happened.name} is not an event of a school")
    return school


_SHAPES = {
    "urn": (r"[0-9]{5,7}", "5 to 7 digits"),
    "local_authority": (r"[0-9]{3}", "3 digits"),
    "establishment": (r"[0-9]{4}", "4 digits"),
    "name": (r"\S.{0,199}", "1 to 200 characters"),
}


def register(
    school_id: UUID, facts: SchoolFacts, official_email: str, agreement_from: date, actor: Actor
) -> SchoolRegistered:
    """Begins a school's stream.

    Raises:
        InvalidInput: A number is not of its form, the region is not one of England's, there is no such type
            of school, or nothing can be mailed to the official address.
    """
    findings = [
        Finding(field=field, found=getattr(facts, field)[:60], accepted=accepted)
        for field, (shape, accepted) in _SHAPES.items()
        if not re.fullmatch(shape, getattr(facts, field))
    ]
    if not is_text(facts.name):
        findings.append(Finding(field="name", found=f"{len(facts.name)} characters", accepted=ACCEPTED))
    if facts.region not in REGIONS:
        findings.append(
            Finding(field="region", found=facts.region[:60], accepted=f"one of {', '.join(REGIONS)}")
        )
    if facts.school_type not in (None, *SCHOOL_TYPES):
        accepted = f"one of {', '.join(SCHOOL_TYPES)}"
        findings.append(Finding(field="school_type", found=facts.school_type[:60], accepted=accepted))
    if not is_address(official_email):
        findings.append(
            Finding(
                field="official_email",
                found=official_email[:60],
                accepted="one address such as office@school.example, without a name",
            )
        )
    if findings:
        raise InvalidInput("The school cannot be registered like this", findings)
    return SchoolRegistered(
        originator_id=school_id,
        originator_version=1,
        actor=actor,
        facts=facts,
        agreement_from=agreement_from,
        official_email=official_email,
    )

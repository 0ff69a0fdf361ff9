"""Schools: registering one, and what is known of one's own."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

import msgspec

from api.callers import Caller, operator_only, signed_in
from api.encoding import Answer, ReadQuery, Sent, body, query
from api.reading import see
from api.routing import Routes
from api.services import Services
from domain.access import Permission
from domain.application.registration import Registration, register
from domain.school import SchoolFacts
from domain.staff import StaffNames

routes = Routes("schools")


class SentFacts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is publicly known of a school.

    Attributes:
        name: Its name.
        urn: Unique Reference Number.
        local_authority: Local authority number.
        establishment: Establishment number.
        region: One of the nine regions of England.
        school_type: `infant`, `junior`, `primary`, `middle`, `all-through`, `special` or `other`.
    """

    name: str
    urn: str
    local_authority: str
    establishment: str
    region: str
    school_type: str | None = None


class SentNames(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who an administrator is."""

    username: str
    display_name: str


class SentRegistration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request to register a school, with its first administrator.

    Attributes:
        facts: What is publicly known of it.
        official_email: Where new passwords are sent.
        agreement_from: The first day of the agreement.
        administrator: The first administrator.
        password: Their first password, at least 15 characters.
        headteacher: Whether the first administrator is the headteacher.
    """

    facts: SentFacts
    official_email: str
    agreement_from: date
    administrator: SentNames
    password: str
    headteacher: bool = False


class RegisteredSchool(msgspec.Struct, frozen=True, kw_only=True):
    """What a registration made.

    Attributes:
        school_id: The id of the school.
        administrator_id: The id of its first administrator.
        key_id: The id of its first login key.
        login_key: The login key, told this once; null for a repeat of the command, which cannot tell it
        again.
        position: The end of the school's stream.
    """

    school_id: UUID
    administrator_id: UUID
    key_id: UUID
    login_key: str | None
    position: int


class SchoolBody(msgspec.Struct, frozen=True, kw_only=True):
    """A school.

    Attributes:
        id: Its id.
        version: Its number of events.
        facts: What is publicly known of it.
        agreement_from: The first day of the agreement.
        official_email: Where new passwords are sent; shown to administrators alone.
        position: The end of the school's stream.
    """

    id: UUID
    version: int
    facts: SchoolFacts
    agreement_from: date
    official_email: str | None
    position: int


@routes.post("/v1/schools", status_code=201)
def register_school(
    services: Annotated[Services, operator_only()],
    sent: Annotated[Sent[SentRegistration], body(SentRegistration)],
) -> Answer[RegisteredSchool]:
    """Register a school, with its first administrator and its first login key.

    A login key is told once. Where the answer was lost, another one is issued from recovery.
    """
    given = sent.value
    registered = register(
        services.schools,
        Registration(
            facts=msgspec.convert(given.facts, SchoolFacts, from_attributes=True),
            official_email=given.official_email,
            agreement_from=given.agreement_from,
            administrator=msgspec.convert(given.administrator, StaffNames, from_attributes=True),
            password=given.password,
            headteacher=given.headteacher,
        ),
        sent.command,
    )
    outcome = registered.outcome
    return Answer(
        RegisteredSchool(
            school_id=outcome.result.school_id,
            administrator_id=outcome.result.administrator_id,
            key_id=outcome.result.key_id,
            login_key=registered.login_key,
            position=outcome.position,
        ),
        201,
        position=outcome.position,
        repeated=outcome.repeated,
    )


@routes.get("/v1/school")
def read_school(
    caller: Annotated[Caller, signed_in(Permission.READ_SCHOOL)],
    asked: Annotated[ReadQuery, query(ReadQuery)],
) -> Answer[SchoolBody]:
    """Read what is known of one's school."""
    position = see(caller, asked.min_position)
    school = caller.school.school()
    return Answer(
        SchoolBody(
            id=school.id,
            version=school.version,
            facts=school.facts,
            agreement_from=school.agreement_from,
            official_email=school.official_email if caller.may(Permission.MANAGE_STAFF) else None,
            position=position,
        )
    )

"""Permissions to release named data: for one recipient and purpose, until a day, and revocable at any time.

Details of a school or of its pupils go to nobody outside without its headteacher's permission. A permission
says who is to have what, and what for; a release that is not covered by one, word for word, is refused.
Everything lies in one log of the school, so that whoever comes first there, a release or a revocation, has
come first.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

import msgspec

from domain.access import Permission
from domain.codes.nc_year import read_nc_year
from domain.errors import Conflict, Finding, InvalidInput, KeyNotHeld, NotPermitted
from domain.events import Actor, Event, Names, Open, Record, event, is_sealed
from domain.identifiers import log_id_of
from domain.particulars import checked_reason
from domain.text import ACCEPTED, is_text

YEARS = 2
"""How far ahead the last day may be. Then the headteacher has to want it again."""

MOST_PUPILS = 1_000
"""Pupils whom one permission may list; for more there are classes and NC years."""


class Scope(StrEnum):
    """What may be released: the school's own figures under its name, or pupils by name with their results."""

    SCHOOL_FIGURES = "school_figures"
    NAMED_PUPILS = "named_pupils"


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What a permission says.

    Attributes:
        recipient: Who is to have the data.
        purpose: What for.
        scope: What may be released.
        until: The last day on which it may be.
        class_name: Of named pupils, only those on the roll who are in this class then.
        nc_year: Of named pupils, only those on the roll who are in this NC year then.
        pupil_ids: Of named pupils, only these, whether they are on the roll or have left.
    """

    recipient: str
    purpose: str
    scope: Scope
    until: date
    class_name: str | None = None
    nc_year: str | None = None
    pupil_ids: tuple[UUID, ...] = ()


def permissions_of(school_id: UUID) -> UUID:
    """The originator id of the log of a school's permissions and releases."""
    return log_id_of(school_id, "permissions")


@event("permission.given")
class PermissionGiven(Event, frozen=True, kw_only=True):
    """The headteacher permitted releases of named data; the fields are those of :class:`Terms`.

    Recipient and purpose are free text, in which people are named, and sealed like all of it.
    """

    subject_field: ClassVar[str] = "school_id"

    school_id: Open[UUID]
    permission_id: Open[UUID]
    recipient: Names[str]
    purpose: Names[str]
    scope: Record[Scope]
    until: Record[date]
    class_name: Record[str | None] = None
    nc_year: Record[str | None] = None
    pupil_ids: Record[tuple[UUID, ...]] = ()


@event("permission.revoked")
class PermissionRevoked(Event, frozen=True, kw_only=True):
    """A permission covers nothing any more; what was released before is out."""

    subject_field: ClassVar[str] = "school_id"

    school_id: Open[UUID]
    permission_id: Open[UUID]


@event("permission.used")
class PermissionUsed(Event, frozen=True, kw_only=True):
    """Named data was released under a permission; recorded before any of it was handed out.

    `pupils` are the ids of those who are named in it, 16 bytes each; none, where it holds the school's
    figures. `sha256` is the digest of the file.
    """

    subject_field: ClassVar[str] = "school_id"

    school_id: Open[UUID]
    permission_id: Open[UUID]
    release_id: Open[UUID]
    sha256: Record[bytes]
    pupils: Open[bytes] = b""


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """One release under a permission.

    Attributes:
        release_id: Its id, which its cover sheet has, too.
        by: Who released it.
        pupils: How many pupils it named.
        sha256: The digest of the file; sealed, for those who hold no key to it.
    """

    release_id: UUID
    by: Actor
    pupils: int
    sha256: bytes


class ReleasePermission(msgspec.Struct, frozen=True, kw_only=True):
    """A permission, as the events so far describe it.

    Attributes:
        id: Its id.
        terms: What it says.
        given_by: The headteacher.
        revoked_by: Who revoked it, if anybody.
        uses: The releases under it, in their order.
    """

    id: UUID
    terms: Terms
    given_by: Actor
    revoked_by: Actor | None = None
    uses: tuple[Use, ...] = ()


class ReleaseRefused(NotPermitted):
    """No permission covers the release; `findings` says what of it is not covered, and what would be."""

    title = "Release refused"

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__(
            "No permission of the headteacher covers this release",
            findings=findings,
            needed=Permission.GIVE_RELEASES,
        )
        self.findings = findings


def fold(events: Iterable[Event]) -> dict[UUID, ReleasePermission]:
    """A school's permissions after these events, by id, in the order in which they were given."""
    permissions: dict[UUID, ReleasePermission] = {}
    for happened in events:
        match happened:
            case PermissionGiven():
                permissions[happened.permission_id] = ReleasePermission(
                    id=happened.permission_id, terms=_terms(happened), given_by=happened.actor
                )
            case PermissionRevoked():
                before = permissions[happened.permission_id]
                permissions[happened.permission_id] = msgspec.structs.replace(
                    before, revoked_by=happened.actor
                )
            case PermissionUsed():
                before = permissions[happened.permission_id]
                use = Use(
                    release_id=happened.release_id,
                    by=happened.actor,
                    pupils=len(happened.pupils) // 16,
                    sha256=happened.sha256,
                )
                permissions[happened.permission_id] = msgspec.structs.replace(
                    before, uses=(*before.uses, use)
                )
            case _:
                raise Conflict(f"{happened.name} is not an event of a permission")
    return permissions


def _terms(given: PermissionGiven) -> Terms:
    return Terms(**{field: getattr(given, field) for field in Terms.__struct_fields__})


def checked(terms: Terms, today: date) -> Terms:
    """What a permission says, as it is kept.

    Args:
        terms: What it is to say.
        today: The day that it is at the school.

    Raises:
        InvalidInput: With a finding for each thing that is not as it must be: a recipient or purpose that is
            empty, too long, or holds an address; a day that has passed, or is more than two years ahead;
            pupils for a scope that names none, or said in more than one way; a class or NC year that cannot
            be.
    """
    findings: list[Finding] = []
    said: dict[str, str] = {}
    for field in ("recipient", "purpose"):
        try:
            said[field] = checked_reason(field, getattr(terms, field)) or ""
        except InvalidInput as error:
            findings += error.findings
    latest = _years_later(today)
    if not today <= terms.until <= latest:
        accepted = f"a day from {today.isoformat()} to {latest.isoformat()}"
        findings.append(Finding(field="until", found=terms.until.isoformat(), accepted=accepted))
    narrowed = [field for field in ("class_name", "nc_year", "pupil_ids") if getattr(terms, field)]
    if narrowed and terms.scope is not Scope.NAMED_PUPILS:
        accepted = f"nothing, or the scope {Scope.NAMED_PUPILS}"
        findings += [Finding(field=field, found=terms.scope, accepted=accepted) for field in narrowed]
    elif len(narrowed) > 1:
        accepted = "a class, an NC year, or pupils: one of them, or none for everybody on the roll"
        findings.append(Finding(field=narrowed[1], found=f"{narrowed[0]}, too", accepted=accepted))
    if len(terms.pupil_ids) > MOST_PUPILS:
        accepted = f"at most {MOST_PUPILS} pupils"
        findings.append(Finding(field="pupil_ids", found=str(len(terms.pupil_ids)), accepted=accepted))
    if terms.class_name is not None and not (
        1 <= len(terms.class_name.strip()) <= 100 and is_text(terms.class_name)
    ):
        found = f"{len(terms.class_name)} characters"
        findings.append(Finding(field="class_name", found=found, accepted=f"1 to 100 characters: {ACCEPTED}"))
    nc_year = terms.nc_year
    if nc_year is not None:
        try:
            nc_year = read_nc_year(nc_year)
        except ValueError as error:
            findings.append(Finding(field="nc_year", found=nc_year[:60], accepted=str(error)))
    if findings:
        raise InvalidInput("The permission cannot be given like this", findings)
    return msgspec.structs.replace(
        terms, **said, nc_year=nc_year, pupil_ids=tuple(dict.fromkeys(terms.pupil_ids))
    )


def _years_later(today: date) -> date:
    try:
        return today.replace(year=today.year + YEARS)
    except ValueError:  # the 29th of February
        return today.replace(year=today.year + YEARS, day=28)


def check_covers(
    permission: ReleasePermission, recipient: str, purpose: str, scope: Scope, today: date
) -> Terms:
    """What a permission says, if it covers a release to this recipient, for this purpose, today.

    Words are compared whatever their capitals and the spaces between them.

    Args:
        permission: The permission.
        recipient: Who is to have the data.
        purpose: What for.
        scope: What is released.
        today: The day that it is at the school.

    Raises:
        ReleaseRefused: It does not; with a finding for everything that it does not cover.
        KeyNotHeld: What the permission says is sealed, and its keys are not at hand.
    """
    asked, terms = "permission_id", permission.terms
    if any(is_sealed(getattr(terms, name)) for name in Terms.__struct_fields__):
        raise KeyNotHeld("Permissions are sealed, and their keys are not at hand")
    findings: list[Finding] = []
    if permission.revoked_by is not None:
        findings.append(Finding(field=asked, found="revoked", accepted="a permission that stands"))
    if terms.until < today:
        found = f"ended on {terms.until.isoformat()}"
        findings.append(Finding(field=asked, found=found, accepted=f"one that holds on {today.isoformat()}"))
    for field, given, permitted in (
        ("recipient", recipient, terms.recipient),
        ("purpose", purpose, terms.purpose),
        ("scope", scope.value, terms.scope.value),
    ):
        if _compared(given) != _compared(permitted):
            findings.append(Finding(field=field, found=given[:60], accepted="what the permission says"))
    if findings:
        raise ReleaseRefused(findings)
    return terms


def _compared(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).split()).casefold()


def same_class(one: str | None, other: str | None) -> bool:
    """Whether two names are the same class's."""
    return one is not None and other is not None and _compared(one) == _compared(other)

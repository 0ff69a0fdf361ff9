"""The statements of Assessing Pupil Progress: a school's own set, each of which is judged by itself."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import ClassVar
from uuid import UUID

import msgspec

from domain import addresses
from domain.addresses import find_addresses
from domain.codes.sets import SUBJECT
from domain.errors import Conflict, Finding, InvalidInput
from domain.events import Event, Names, Open, Record, event
from domain.text import read_text

LONGEST_TEXT = 500
BANDS = range(1, 7)

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,19}")


class StatementKey(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What a statement is found by.

    Attributes:
        subject: The subject code.
        code: The school's own code, unique in the subject, whatever its letter case: `3N-04`.
        band: The band that it belongs to, 1 to 6, if any.
    """

    subject: str
    code: str
    band: int | None = None


@event("statement.registered")
class StatementRegistered(Event, frozen=True, kw_only=True):
    """A statement joined the school's set. Its text is free text, and sealed like all of it."""

    subject_field: ClassVar[str] = "school_id"

    school_id: Open[UUID]
    statement_id: Open[UUID]
    key: Record[StatementKey]
    text: Names[str]


@event("statement.withdrawn")
class StatementWithdrawn(Event, frozen=True, kw_only=True):
    """A statement is judged no longer; what was judged before stays.

    Written before :class:`StatementRetired` was.
    """

    subject_field: ClassVar[str] = "school_id"

    school_id: Open[UUID]
    statement_id: Open[UUID]


@event("school.statement-withdrawn")
class StatementRetired(Event, frozen=True, kw_only=True):
    """A statement is judged no longer; what was judged before stays.

    In the category that decisions may rest on: whoever judges a statement does so on condition that none has
    been withdrawn meanwhile.
    """

    subject_field: ClassVar[str] = "school_id"

    school_id: Open[UUID]
    statement_id: Open[UUID]


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """A statement, as the events so far describe it.

    Attributes:
        id: Its id.
        key: What it is found by.
        text: The text; sealed, for those who hold no key to it.
        withdrawn: It is judged no longer.
    """

    id: UUID
    key: StatementKey
    text: str
    withdrawn: bool = False


def fold(events: Iterable[Event]) -> dict[UUID, Statement]:
    """A school's statements after these events, by id, in the order in which they joined."""
    statements: dict[UUID, Statement] = {}
    for happened in events:
        match happened:
            case StatementRegistered():
                statements[happened.statement_id] = Statement(
                    id=happened.statement_id, key=happened.key, text=happened.text
                )
            case StatementWithdrawn() | StatementRetired():
                before = statements[happened.statement_id]
                statements[happened.statement_id] = msgspec.structs.replace(before, withdrawn=True)
            case _:
                raise Conflict(f"{happened.name} is not an event of a statement")
    return statements


def checked(
    subject: str, code: str, text: str, band: int | None, row: int | None = None
) -> tuple[StatementKey, str]:
    """A statement as it is kept.

    Args:
        subject: The subject code.
        code: The school's code.
        text: The text.
        band: The band.
        row: Its number among several, for the findings.

    Raises:
        InvalidInput: With a finding for each thing that is not as it must be.
    """
    findings = []
    try:
        subject = SUBJECT.find(subject)
    except ValueError as error:
        findings.append(Finding(field="subject", found=subject[:60], accepted=str(error), row=row))
    code = code.strip()
    if not _CODE.fullmatch(code):
        accepted = "1 to 20 letters, digits, dots, dashes, slashes or underlines, such as 3N-04"
        findings.append(Finding(field="code", found=code[:60], accepted=accepted, row=row))
    if band is not None and band not in BANDS:
        findings.append(Finding(field="band", found=str(band)[:60], accepted="1 to 6", row=row))
    try:
        text = read_text(text)
        found, accepted = f"{len(text)} characters", f"1 to {LONGEST_TEXT} characters"
        if 1 <= len(text) <= LONGEST_TEXT:
            found, accepted = ", ".join(find_addresses(text)), addresses.ACCEPTED
    except ValueError as error:
        found, accepted = f"{len(text)} characters", str(error)
    if found:
        findings.append(Finding(field="text", found=found[:60], accepted=accepted, row=row))
    if findings:
        raise InvalidInput("The statement cannot be kept like this", findings)
    return StatementKey(subject=subject, code=code, band=band), text

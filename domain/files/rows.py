"""What a pupil file says, in one shape, whatever its format."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Literal, TypeVar

import msgspec

from domain.addresses import holds_email as holds_email
from domain.assessment import Result
from domain.attendance import Session
from domain.codes.sets import CodeSet
from domain.errors import Finding
from domain.pupil import PupilNames, PupilRecord

T = TypeVar("T")

LONGEST_FOUND = 60
"""So much of what was found is repeated to the sender."""

MOST_PUPILS = 10_000
"""More than any school in England has several times over: a longer file is somebody else's, or a mistake."""

EARLIEST_DATE_OF_BIRTH = date(1990, 1, 1)
"""Nobody born before this is a pupil; an earlier date is a slip of the keyboard."""

EMAIL_ADDRESSES = "email addresses"
POSTAL_ADDRESSES = "postal addresses"
PHONE_NUMBERS = "phone numbers"
CONTACTS = "contacts"
TOO_LARGE = "elements that are too large to keep"


class PupilRow(msgspec.Struct, frozen=True, kw_only=True):
    """One child, as a file describes it.

    `names` and `record` are whole, so that a new pupil can be made of them, but only the fields in `given`
    come from the file: the importer leaves the others as the school has them. In a Common Transfer File,
    `date_of_entry` and `sex` are mandatory in the record and may be missing from the file; then they are
    the first day of the academic year and `U`, and not in `given`.

    Attributes:
        row: The row of a CSV file, with the heading as row 1; the number of the pupil in a CTF, from 1.
        upn: The UPN, wherever the file states a right one: what an existing pupil is found by.
        names: Who the child is; `None` for a refused row, and where a CTF states no more than a UPN.
        record: Everything else; `None` for a refused row.
        given: The fields of `names` and `record` that the file states.
        joined: Those of them, all periods, that are joined to what the school has and do not replace it: a
            row has room for one.
        apart: Fields of `names` of a pupil whom a CTF does not name, by field: those that it states.
        results: Assessments; only a CTF has them.
        marks: Marks of the register, as they were supplied; only a CTF has them.
        findings: What is wrong with it; if anything is, the row is refused.
        flags: What is kept as it came, and is to be looked at: codes that no list has, or not at the time.
        joins: If the child is new, the date of entry is that of `record`, though the file does not state it.
    """

    row: int
    upn: str | None = None
    names: PupilNames | None = None
    record: PupilRecord | None = None
    given: frozenset[str] = frozenset()
    joined: frozenset[str] = frozenset()
    apart: Mapping[str, Any] = {}
    results: tuple[Result, ...] = ()
    marks: Mapping[Session, str] = {}
    findings: tuple[Finding, ...] = ()
    flags: tuple[Finding, ...] = ()
    joins: bool = False


class FileSource(msgspec.Struct, frozen=True, kw_only=True):
    """Where a Common Transfer File says that it comes from; each part may be missing.

    Attributes:
        la: The number of the local authority.
        establishment: The number of the school within it.
        urn: The school's Unique Reference Number.
        name: The school's name.
        academic_year: The year in which its academic year starts.
    """

    la: str | None = None
    establishment: str | None = None
    urn: str | None = None
    name: str | None = None
    academic_year: int | None = None


class PupilFile(msgspec.Struct, kw_only=True):
    """A pupil file that could be read, with every row that it has.

    Attributes:
        format: Which kind of file it is.
        encoding: The character encoding: `utf-8`, `utf-8-sig` (with a byte order mark), `cp1252`, or what
            the XML declares.
        rows: The children, in the order of the file.
        dropped: What the file holds and Target Tracker does not take, counted by kind: `{"email addresses":
            3}`.
        source: The header of a CTF.
        called: How the file calls a field of a pupil, or a part of one: `sen_periods.start`.
    """

    format: Literal["target-tracker-csv", "mapped-csv", "ctf"]
    encoding: str
    rows: list[PupilRow]
    dropped: dict[str, int]
    source: FileSource | None = None
    called: Mapping[str, str] = {}


def finding(field: str, found: str, accepted: str, row: int | None = None) -> Finding:
    """A finding, with what was found cut to a length that can be shown."""
    if len(found) > LONGEST_FOUND:
        found = found[: LONGEST_FOUND - 1] + "…"
    return Finding(field=field, found=found, accepted=accepted, row=row)


class RowReader:
    """Reads the fields of one row and gathers what is wrong with them, and what is to be looked at.

    Args:
        row: The number of the row.
    """

    def __init__(self, row: int) -> None:
        self.row = row
        self.findings: list[Finding] = []
        self.flags: list[Finding] = []

    def read(self, field: str, text: str, reader: Callable[[str], T]) -> T | None:
        """What the reader makes of the text; `None`, and a finding, where it refuses it.

        Args:
            field: The field's name as the sender knows it.
            text: What stands there.
            reader: Raises :class:`ValueError` with what is accepted.
        """
        try:
            return reader(text)
        except ValueError as refused:
            self.wrong(field, text, str(refused))
            return None

    def flag(self, field: str, found: str, message: str) -> None:
        """Says of something that is kept that it is to be looked at; the same once for each row."""
        if (flagged := finding(field, found, message, self.row)) not in self.flags:
            self.flags.append(flagged)

    def keep(self, field: str, text: str, codes: CodeSet, day: date) -> str | None:
        """The code to keep: as the list spells it, or as it came, with a flag, where the list lacks it.

        Args:
            field: The field's name as the sender knows it.
            text: What stands there.
            codes: The list.
            day: The day that the code is about.

        Returns:
            Nothing, and a finding, where it cannot be a code of any list.
        """
        code = self.read(field, text, codes.keep)
        if code is not None and (flag := codes.flag(code, day)):
            self.flag(field, code, flag.message)
        return code

    def wrong(self, field: str, found: str, accepted: str) -> None:
        """Adds a finding. An email address is never repeated, nor kept in any other way."""
        shown = "an email address" if holds_email(found) else found
        self.findings.append(finding(field, shown, accepted, self.row))


class Seen:
    """The children that the file has had so far, so that the second mention of one is found."""

    def __init__(self) -> None:
        self._upns: dict[str, int] = {}
        self._children: dict[tuple[str, str, date], int] = {}

    def check_upn(self, reader: RowReader, field: str, upn: str) -> None:
        """Adds a finding if an earlier row has this UPN."""
        if (first := self._upns.setdefault(upn, reader.row)) != reader.row:
            reader.wrong(field, upn, f"a UPN that no other row has; row {first} has it")

    def check_child(
        self, reader: RowReader, field: str, surname: str, forename: str, date_of_birth: date
    ) -> None:
        """Adds a finding if an earlier row has a child with these names and this date of birth."""
        child = (surname.casefold(), forename.casefold(), date_of_birth)
        if (first := self._children.setdefault(child, reader.row)) != reader.row:
            found = f"{surname}, {forename}, {date_of_birth:%d/%m/%Y}"
            reader.wrong(field, found, f"each child once; row {first} is the same child")

"""Finding the pupil that a row of a file speaks of, and what the row changes.

By UPN first, then by former UPN, whether the school's or the file's, then by surname, forename and date of
birth together; never on less.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from domain.errors import Finding
from domain.files.ctf_places import name_of_element
from domain.files.rows import PupilRow
from domain.periods import TOLD_BY, joined, reconciled, sen_entries
from domain.pupil import AttendanceTotals, Pupil, PupilNames, PupilRecord
from domain.pupil_record import OtherElement, SchoolAttended, SenPeriod, YearAttended
from domain.since_birth import ACCEPTED

T = TypeVar("T")


class Match(msgspec.Struct, frozen=True):
    """The pupil that a row speaks of: nobody for a new one; findings where that cannot be told."""

    pupil: Pupil | None = None
    findings: tuple[Finding, ...] = ()


class Roll:
    """Everybody that the school has had, ready to be found by what files say of them."""

    def __init__(self, pupils: Iterable[Pupil]) -> None:
        self._by_upn: dict[str, Pupil] = {}
        self._by_former_upn: dict[str, list[Pupil]] = {}
        self._by_person: dict[object, list[Pupil]] = {}
        self._taken: dict[UUID, int] = {}
        for pupil in pupils:
            if pupil.names.upn:
                self._by_upn[pupil.names.upn] = pupil
            for upn in set(pupil.names.former_upns):
                self._by_former_upn.setdefault(upn, []).append(pupil)
            self._by_person.setdefault(_person(pupil.names), []).append(pupil)

    def match(self, row: PupilRow) -> Match:
        """The pupil that a row speaks of."""
        found = self._candidates(row)
        if not found:
            if row.names is None and not row.findings:
                return _unclear(
                    row, "UPN", row.upn or "", "the UPN of a pupil of this school, or names with it"
                )
            return Match()
        if len(found) > 1:
            return _unclear(
                row,
                "Surname, Forename, DOB",
                "what is true of several pupils of this school",
                "a UPN that tells them apart",
            )
        pupil = found[0]
        if (first := self._taken.setdefault(pupil.id, row.row)) != row.row:
            return _unclear(
                row, "UPN", row.upn or "", f"each pupil once: row {first} speaks of the same one", pupil
            )
        if pupil.left_on:
            return _unclear(
                row,
                "UPN",
                row.upn or "",
                f"a pupil on the roll; this one left on {pupil.left_on:%d/%m/%Y}: take the pupil back first",
                pupil,
            )
        return Match(pupil)

    def _candidates(self, row: PupilRow) -> list[Pupil]:
        if row.upn and row.upn in self._by_upn:
            return [self._by_upn[row.upn]]
        if row.upn and row.upn in self._by_former_upn:
            return self._by_former_upn[row.upn]
        former = row.names.former_upns if row.names else ()
        if known := {self._by_upn[upn].id: self._by_upn[upn] for upn in former if upn in self._by_upn}:
            return list(known.values())
        return self._by_person.get(_person(row.names), []) if row.names else []


def _person(names: PupilNames) -> tuple[str, str, object]:
    return names.surname.casefold(), names.forename.casefold(), names.date_of_birth


def _unclear(row: PupilRow, field: str, found: str, accepted: str, pupil: Pupil | None = None) -> Match:
    return Match(pupil, (Finding(field=field, found=found, accepted=accepted, row=row.row),))


NO_DATE_OF_ENTRY = (
    "the date of entry, which a new pupil needs: in the file, or for all joiners of it with joined_on"
)


def missing_of_a_new_pupil(row: PupilRow) -> tuple[Finding, ...]:
    """What a row lacks to make a new pupil of it."""
    wanted = {"date_of_entry": NO_DATE_OF_ENTRY, "sex": "M, F, U or W"}
    return tuple(
        Finding(field=field, found="nothing", accepted=accepted, row=row.row)
        for field, accepted in wanted.items()
        if field not in row.given and not (row.joins and field == "date_of_entry")
    )


def with_date_of_entry(row: PupilRow, joined_on: date) -> PupilRow:
    """The row with this date of entry, if it describes somebody and gives none."""
    if row.record is None or row.findings or "date_of_entry" in row.given:
        return row
    names = row.names
    if names and names.date_of_birth > joined_on:
        refused = Finding(field="joined_on", found=joined_on.isoformat(), accepted=ACCEPTED, row=row.row)
        return msgspec.structs.replace(row, findings=(refused,))
    return msgspec.structs.replace(
        row,
        record=msgspec.structs.replace(row.record, date_of_entry=joined_on),
        joins=True,
    )


class Merged(msgspec.Struct, frozen=True):
    """A pupil's particulars after a row.

    Attributes:
        names: Who the child is.
        record: Everything else.
        kept: Fields of which the row says something else, and which stay as the school entered them itself.
    """

    names: PupilNames
    record: PupilRecord
    kept: tuple[str, ...] = ()


def merged(row: PupilRow, pupil: Pupil, today: date) -> Merged:
    """The pupil's particulars with what the row states; the rest stays as the school has it.

    So does what the school entered here itself: a file of its management system never replaces that. Former
    UPNs, schools and years before, and elements that no field holds are added, never taken away; and names
    that differ only in their capitals stay as the school writes them: other systems export them all in
    capitals.
    """
    names, record = pupil.names, pupil.record
    kept: list[str] = []
    stated = _stated(row, row.names) if row.names else dict(row.apart)
    for field in ("surname", "forename"):
        if field in stated and stated[field].casefold() == getattr(names, field).casefold():
            del stated[field]
    if "former_upns" in stated:  # a file may still know the child by one that was mistyped here
        stated["former_upns"] = [upn for upn in stated["former_upns"] if upn not in names.mistyped_upns]
    for field, join in _JOINED.items():
        if field in stated:
            stated[field] = join(getattr(names, field), stated[field])
    if (names.upn and stated.get("upn") in names.former_upns) or stated.get("upn") in names.mistyped_upns:
        del stated["upn"]  # the file is older than the change, or the correction, of the UPN
    kept += _take_out(stated, names, pupil.entered - ADDED_TO)
    names = msgspec.structs.replace(names, **stated)
    if names.upn and record.upn_missing:
        record = msgspec.structs.replace(record, upn_missing=None)
    if row.record:
        stated = _stated(row, row.record)
        for field in row.joined:
            stated[field] = joined(getattr(record, field), stated[field])
        if "sen_periods" in stated and _same_provision(stated["sen_periods"], record.sen_periods, today):
            del stated["sen_periods"]
        kept += _take_out(stated, record, pupil.entered)
        names = msgspec.structs.replace(
            names, attendance_before=_with_year_before(names, record, stated.get("attendance"))
        )
        record = reconciled(record, msgspec.structs.replace(record, **stated), today, stated)
    return Merged(names, record, tuple(kept))


def _same_provision(stated: tuple[SenPeriod, ...], known: tuple[SenPeriod, ...], today: date) -> bool:
    return sen_entries(stated, today) == sen_entries(known, today)


def _with_year_before(
    names: PupilNames, record: PupilRecord, now: AttendanceTotals | None
) -> tuple[YearAttended, ...]:
    """Attendance of the years before, with the one that the record holds, if a new academic year begins."""
    then = record.attendance
    if then is None or now is None or now.academic_year <= then.academic_year:
        return names.attendance_before
    ended = YearAttended(
        academic_year=then.academic_year,
        possible=then.possible,
        authorised=then.authorised,
        unauthorised=then.unauthorised,
    )
    known = {_year(each) for each in names.attendance_before}
    return names.attendance_before if _year(ended) in known else (*names.attendance_before, ended)


def _year(attended: YearAttended) -> object:
    return attended.academic_year, attended.local_authority, attended.establishment


def _school(school: SchoolAttended) -> object:
    numbers = (school.local_authority, school.establishment)
    return numbers if any(numbers) else school.name, school.entered_on


def _element(element: OtherElement) -> object:
    return element.path, element.of, name_of_element(element)


def _joined_by(key: Callable[[T], object]) -> Callable[[Iterable[T], Iterable[T]], tuple[T, ...]]:
    """Joins two lists: what the second says of the same thing stands, and what it does not speak of stays."""

    def joined(known: Iterable[T], stated: Iterable[T]) -> tuple[T, ...]:
        known, stated = tuple(known), tuple(stated)
        spoken_of = set(map(key, stated))
        if Counter(each for each in known if key(each) in spoken_of) == Counter(stated):
            return known
        return (*(each for each in known if key(each) not in spoken_of), *stated)

    return joined


_JOINED: Mapping[str, Callable[[Any, Any], Any]] = {
    "former_upns": lambda known, stated: (*known, *(upn for upn in stated if upn not in known)),
    "previous_schools": _joined_by(_school),
    "attendance_before": _joined_by(_year),
    "other_elements": _joined_by(_element),
}
"""Lists that a file adds to: it seldom has the whole of a child's past."""


ADDED_TO = frozenset({"former_upns"})
"""Fields that are only ever added to, whoever entered them."""


def _take_out(stated: dict[str, Any], part: PupilNames | PupilRecord, entered: frozenset[str]) -> list[str]:
    """Takes what the school entered itself out of what a row states; the fields where the two differ."""
    owned = set(entered)
    for plain, periods in TOLD_BY.items():
        if owned & {plain, periods}:
            owned |= {plain, periods}
    taken = {field: stated.pop(field) for field in owned & stated.keys()}
    return [
        field for field in part.__struct_fields__ if field in taken and taken[field] != getattr(part, field)
    ]


def _stated(row: PupilRow, part: PupilNames | PupilRecord) -> dict[str, Any]:
    return {field: getattr(part, field) for field in type(part).__struct_fields__ if field in row.given}

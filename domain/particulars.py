"""A pupil's particulars as people enter them: every field checked, in one place, whatever way it came."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import msgspec

from domain import addresses, lists_over_time, school_time
from domain.addresses import find_addresses, holds_email
from domain.codes.nc_year import read_nc_year
from domain.codes.postcode import read_postcode
from domain.codes.record_sets import ENROLMENT_STATUS, POST_LOOKED_AFTER, UPN_UNKNOWN_REASON
from domain.codes.sets import ETHNICITY, LANGUAGE, SEN_PROVISION, SEX
from domain.codes.upn import read_upn, spelled_upn
from domain.errors import Finding, InvalidInput
from domain.events import is_sealed
from domain.files import fields
from domain.files.rows import EARLIEST_DATE_OF_BIRTH, finding
from domain.periods import TOLD_BY
from domain.pupil_record import (
    AttendanceTotals,
    CarePeriod,
    Period,
    PremiumPeriod,
    PupilNames,
    PupilRecord,
    SchoolAttended,
    SenPeriod,
)
from domain.since_birth import dated_particulars, findings_before, findings_of_a_later_birth, new_in
from domain.text import read_text

Unset = msgspec.UnsetType
UNSET = msgspec.UNSET


class PupilParticulars(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """Fields of a pupil to set; a field that is left out stays as it is, and null empties it.

    What is set here is the school's own from then on, and no file replaces it; `hand_back` names fields that
    files may change again, with the values that are set here, if any are. `mistyped_upns` is the whole list
    of those that were entered by mistake: with a new `upn`, the one before does not become a former one.
    """

    surname: str | Unset = UNSET
    forename: str | Unset = UNSET
    date_of_birth: date | Unset = UNSET
    upn: str | Unset | None = UNSET
    mistyped_upns: tuple[str, ...] | Unset = UNSET
    postcode: str | Unset | None = UNSET
    sex: str | Unset = UNSET
    date_of_entry: date | Unset = UNSET
    nc_year: str | Unset | None = UNSET
    class_name: str | Unset | None = UNSET
    free_school_meals: bool | Unset | None = UNSET
    first_language: str | Unset | None = UNSET
    ethnicity: str | Unset | None = UNSET
    sen_provision: str | Unset | None = UNSET
    in_care: bool | Unset | None = UNSET
    gifted: bool | Unset | None = UNSET
    attendance: AttendanceTotals | Unset | None = UNSET
    middle_names: str | Unset | None = UNSET
    preferred_surname: str | Unset | None = UNSET
    preferred_forename: str | Unset | None = UNSET
    former_surname: str | Unset | None = UNSET
    former_forename: str | Unset | None = UNSET
    previous_setting: str | Unset | None = UNSET
    previous_schools: tuple[SchoolAttended, ...] | Unset = UNSET
    upn_missing: str | Unset | None = UNSET
    meals_periods: tuple[Period, ...] | Unset = UNSET
    premium_periods: tuple[PremiumPeriod, ...] | Unset = UNSET
    sen_periods: tuple[SenPeriod, ...] | Unset = UNSET
    sen_needs: tuple[str, ...] | Unset = UNSET
    eal: bool | Unset | None = UNSET
    talented: bool | Unset | None = UNSET
    care_periods: tuple[CarePeriod, ...] | Unset = UNSET
    post_looked_after: str | Unset | None = UNSET
    preschool_terms: int | Unset | None = UNSET
    enrolment_status: str | Unset | None = UNSET
    hand_back: tuple[str, ...] = ()

    @property
    def given(self) -> frozenset[str]:
        """The fields that are set."""
        return frozenset(self._set(PupilNames)) | frozenset(self._set(PupilRecord))

    def applied_to(self, names: PupilNames, record: PupilRecord) -> tuple[PupilNames, PupilRecord]:
        """The particulars with these fields set; a UPN that is found is not missing any more."""
        found = {} if self.upn in {UNSET, None} or self.upn_missing is not UNSET else {"upn_missing": None}
        return (
            msgspec.structs.replace(names, **self._set(PupilNames)),
            msgspec.structs.replace(record, **self._set(PupilRecord), **found),
        )

    def whole(self) -> tuple[PupilNames, PupilRecord]:
        """The particulars of a new pupil.

        Raises:
            InvalidInput: A field that every pupil must have is not there, or some are handed back.
        """
        missing = [field for field in MANDATORY if getattr(self, field) is UNSET]
        if missing:
            raise InvalidInput(
                "Every pupil needs these",
                [Finding(field=field, found="nothing", accepted="a value") for field in missing],
            )
        if self.hand_back:
            accepted = "nothing: a new pupil has no fields yet that files could have back"
            raise InvalidInput(
                "These fields cannot be handed back",
                [Finding(field="hand_back", found=", ".join(self.hand_back)[:60], accepted=accepted)],
            )
        return PupilNames(**self._set(PupilNames)), PupilRecord(**self._set(PupilRecord))

    def _set(self, part: type[msgspec.Struct]) -> dict[str, Any]:
        fields = set(part.__struct_fields__)
        return {
            field: value
            for field in self.__struct_fields__
            if field in fields and (value := getattr(self, field)) is not UNSET
        }


FIELDS = frozenset(PupilNames.__struct_fields__) | frozenset(PupilRecord.__struct_fields__)
"""Every field of a pupil."""


def checked_hand_back(fields: tuple[str, ...]) -> frozenset[str]:
    """The names of fields that are handed back, with those that say the same over time, or for today.

    Raises:
        InvalidInput: A pupil has no such field.
    """
    findings = [
        finding("hand_back", field, f"fields of a pupil: {', '.join(sorted(FIELDS))}")
        for field in fields
        if field not in FIELDS
    ]
    if findings:
        raise InvalidInput("These fields cannot be handed back", findings)
    both = {name for pair in TOLD_BY.items() if set(pair) & set(fields) for name in pair}
    return frozenset(fields) | both


MANDATORY = ("surname", "forename", "date_of_birth", "sex", "date_of_entry")


def _read_name(text: str) -> str:
    """A name in its usual spelling."""
    if find_addresses(text):
        raise ValueError(addresses.ACCEPTED)
    return read_text(text)


def _read_class_name(text: str) -> str:
    """The name of a class in its usual spelling; a class may be called after a street."""
    if holds_email(text):
        raise ValueError(fields.NO_EMAIL)
    return read_text(text)


MOST_OF_A_REASON = 200


def checked_reason(field: str, text: str | None) -> str | None:
    """A reason or another few words, as they are kept.

    Raises:
        InvalidInput: It is empty or too long, or holds damaged characters, or an email or postal address; the
            finding has the words of the address.
    """
    if text is None:
        return None
    found = f"{len(text)} characters"
    try:
        read = read_text(text)
        accepted = "" if 1 <= len(read) <= MOST_OF_A_REASON else f"1 to {MOST_OF_A_REASON} characters"
        if not accepted and (words := find_addresses(read)):
            found, accepted = ", ".join(words), addresses.ACCEPTED
    except ValueError as error:
        accepted = str(error)
    if accepted:
        raise InvalidInput("This cannot be kept as it is", [finding(field, found, accepted)])
    return read


_READERS: dict[str, Callable[[str], str]] = {
    "surname": _read_name,
    "forename": _read_name,
    "middle_names": _read_name,
    "preferred_surname": _read_name,
    "preferred_forename": _read_name,
    "former_surname": _read_name,
    "former_forename": _read_name,
    "previous_setting": _read_name,
    "class_name": _read_class_name,
    "upn": read_upn,
    "postcode": read_postcode,
    "sex": SEX.find,
    "nc_year": read_nc_year,
    "first_language": LANGUAGE.find,
    "ethnicity": ETHNICITY.find,
    "sen_provision": SEN_PROVISION.find,
    "upn_missing": UPN_UNKNOWN_REASON.find,
    "post_looked_after": POST_LOOKED_AFTER.find,
    "enrolment_status": ENROLMENT_STATUS.find,
}

_LONGEST = {
    "surname": 100,
    "forename": 100,
    "class_name": 60,
    "middle_names": 200,
    "preferred_surname": 100,
    "preferred_forename": 100,
    "former_surname": 100,
    "former_forename": 100,
    "previous_setting": 200,
}
"""The most characters of a text."""

MOST_PRESCHOOL_TERMS = 15
"""Terms before Reception: five years of them."""


Particulars = tuple[PupilNames, PupilRecord]


def checked(names: PupilNames, record: PupilRecord, before: Particulars | None = None) -> Particulars:
    """The particulars in their usual spelling.

    What was recorded before stays as it is, whatever is to be said of it: a code that a file brought and no
    list has must not keep anybody from changing something else.

    Args:
        names: Who the child is to be.
        record: Everything else.
        before: What is recorded now; none, for a new pupil.

    Raises:
        InvalidInput: With a finding for each field that is not as it must be.
    """
    findings: list[Finding] = []
    parts = (names, record)

    def read(part: Any, changed: frozenset[str]) -> dict[str, Any]:
        spelled: dict[str, Any] = {}
        for field, reader in _READERS.items():
            if field in changed and (text := getattr(part, field, None)) is not None:
                try:
                    spelled[field] = reader(text)
                except ValueError as error:
                    findings.append(Finding(field=field, found=text[:60], accepted=str(error)))
        return spelled

    changed = _changed(parts, before)
    spelled_names, spelled_record = read(names, changed), read(record, changed)
    findings += [
        Finding(field=field, found=f"{len(text)} characters", accepted=f"1 to {most} characters")
        for part in parts
        for field, most in _LONGEST.items()
        if field in changed
        and (text := getattr(part, field, None)) is not None
        and not 1 <= len(text.strip()) <= most
    ]
    findings += _date_findings(names.date_of_birth, record.date_of_entry, changed)
    if record.attendance and "attendance" in changed:
        findings += _attendance_findings(record.attendance)
    if names.upn and record.upn_missing and changed & {"upn", "upn_missing"}:
        findings.append(
            Finding(field="upn_missing", found=record.upn_missing[:60], accepted="nothing: there is a UPN")
        )
    terms = record.preschool_terms
    if "preschool_terms" in changed and terms is not None and not 0 <= terms <= MOST_PRESCHOOL_TERMS:
        accepted = f"a number of terms from 0 to {MOST_PRESCHOOL_TERMS}"
        findings.append(Finding(field="preschool_terms", found=str(terms)[:60], accepted=accepted))
    if "mistyped_upns" in changed:  # which may have had a wrong check letter
        spelled_names["mistyped_upns"] = tuple(map(spelled_upn, names.mistyped_upns))
    lists = lists_over_time.checked(names, record, findings, before)
    if "date_of_birth" not in (refused := {each.field for each in findings}):
        findings += (each for each in _birth_findings(parts, before) if each.field not in refused)
    if findings:
        raise InvalidInput("These particulars cannot be accepted", findings)
    return (
        msgspec.structs.replace(names, **spelled_names, **lists.names),
        msgspec.structs.replace(record, **spelled_record, **lists.record),
    )


def _changed(parts: Particulars, before: Particulars | None) -> frozenset[str]:
    """The fields that are not as they are recorded."""
    if before is None:
        return FIELDS
    return frozenset(
        field
        for part, then in zip(parts, before, strict=True)
        for field in part.__struct_fields__
        if getattr(part, field) != getattr(then, field)
    )


def _date_findings(born: date, entered: date, changed: frozenset[str]) -> list[Finding]:
    today = school_time.today()
    findings = []
    if "date_of_birth" in changed and not EARLIEST_DATE_OF_BIRTH <= born <= today:
        findings.append(
            Finding(
                field="date_of_birth",
                found=born.isoformat(),
                accepted=f"a day from {EARLIEST_DATE_OF_BIRTH.isoformat()} to today",
            )
        )
    if "date_of_entry" in changed and entered > today:
        accepted = "a day from the child's birth to today"
        findings.append(Finding(field="date_of_entry", found=entered.isoformat(), accepted=accepted))
    return findings


def _birth_findings(after: Particulars, before: Particulars | None) -> list[Finding]:
    """What lies before the birth: of what is said now, and of what was said, if the birth is corrected."""
    born = after[0].date_of_birth
    findings = findings_before(born, new_in(after, before))
    if before and not is_sealed(before[0]):
        findings += findings_of_a_later_birth(before[0].date_of_birth, born, dated_particulars(*before))
    return findings


MOST_SESSIONS = 1000
"""Sessions of an academic year; schools are open for about 380."""


def _attendance_findings(totals: AttendanceTotals) -> list[Finding]:
    if not 1990 <= totals.academic_year <= 2100:
        return [
            Finding(
                field="attendance",
                found=str(totals.academic_year)[:60],
                accepted="the year in which an academic year starts, from 1990 to 2100",
            )
        ]
    if (
        min(totals.possible, totals.authorised, totals.unauthorised) < 0
        or totals.authorised + totals.unauthorised > totals.possible
        or totals.possible > MOST_SESSIONS
    ):
        return [
            Finding(
                field="attendance",
                found=f"{totals.possible} possible, {totals.authorised} + {totals.unauthorised} missed"[:60],
                accepted=f"sessions from 0 to {MOST_SESSIONS}, and no more missed than were possible",
            )
        ]
    return []

"""A pupil's particulars as they are typed: `field=value`, or JSON in a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec
import typer

from domain.errors import Finding
from domain.files.fields import read_boolean
from domain.particulars import PupilParticulars
from scripts.cli.failures import Misused
from scripts.cli.options import read_day

_DATES = {"date_of_birth", "date_of_entry"}
_BOOLEANS = {"free_school_meals", "in_care", "gifted", "talented", "eal"}
_NUMBERS = {"preschool_terms"}
_LISTS = {"sen_needs", "hand_back", "mistyped_upns"}
_PERIODS = {
    "meals_periods": None,
    "premium_periods": "reason",
    "sen_periods": "provision",
    "care_periods": "kind",
}
"""Lists of periods, with the code that stands before each."""

BY_HAND = [
    field for field in PupilParticulars.__struct_fields__ if field not in {"attendance", "previous_schools"}
]


def read_particulars(given: list[str] | None, file: Path | None) -> dict[str, Any]:
    """The fields to set, as the API takes them; those of the command line stand over those of the file.

    Raises:
        Misused: There are none, or one is not as it must be.
    """
    fields = _in_file(file) if file else {}
    findings = []
    for text in given or []:
        name, equals, value = text.partition("=")
        name = name.strip().replace("-", "_")
        if not equals or name not in BY_HAND:
            accepted = f"FIELD=VALUE, with one of {', '.join(BY_HAND)}"
            findings.append(Finding(field=name[:60], found=text[:60], accepted=accepted))
            continue
        try:
            fields[name] = _read(name, value.strip())
        except ValueError as error:
            findings.append(Finding(field=name, found=value[:60], accepted=str(error)))
    if findings:
        raise Misused("Some fields cannot be read", findings)
    if not fields:
        raise Misused(f"Say what to set, as FIELD=VALUE: {', '.join(BY_HAND)}")
    return fields


def _read(name: str, value: str) -> object:
    if name in _LISTS:
        return [entry.strip() for entry in value.split(",") if entry.strip()]
    if name in _PERIODS:
        return [_period(entry.strip(), _PERIODS[name]) for entry in value.split(",") if entry.strip()]
    if not value:
        return None
    if name in _NUMBERS:
        if not value.isdecimal():
            raise ValueError("a whole number")
        return int(value)
    if name in _BOOLEANS:
        return read_boolean(value)
    if name in _DATES:
        try:
            return read_day(value)
        except typer.BadParameter:
            raise ValueError("a date such as 2019-09-07 or 07/09/2019") from None
    return value


def _period(text: str, code: str | None) -> dict[str, str]:
    """A period as it is typed: `2023-09-01..2024-07-31`, with a code before it: `K:2015-01-05..`."""
    example = f"{'CODE:' if code else ''}2023-09-01..2024-07-31, or with no day on a side that is open"
    stated, colon, days = text.rpartition(":")
    start, dots, end = (days if colon else text).partition("..")
    if not dots or (stated and code is None) or (not stated and code in {"reason", "provision"}):
        raise ValueError(f"periods between commas, such as {example}")
    try:
        period = {side: read_day(day) for side, day in (("start", start), ("end", end)) if day.strip()}
    except typer.BadParameter:
        raise ValueError(f"periods with days such as {example}") from None
    return period | ({code: stated.strip().upper()} if code and stated else {})


def _in_file(file: Path) -> dict[str, Any]:
    try:
        content = sys.stdin.buffer.read() if file == Path("-") else file.read_bytes()
        return msgspec.json.decode(content, type=dict[str, Any])
    except OSError as error:
        raise Misused(f"{file} cannot be read: {error.strerror}") from None
    except (msgspec.MsgspecError, UnicodeError):
        raise Misused(f'{file} is not a JSON object, such as {{"nc_year": "3"}}') from None

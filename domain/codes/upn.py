"""Unique Pupil Numbers, permanent and temporary.

A check letter, the three digits of the local authority, the four of the establishment, the two of the year,
and a serial: three digits, or two and a letter in a temporary number. Source: DfE, *Unique pupil numbers*;
the arithmetic of the check letter is python-stdnum's, the rules are ours. Its `validate` is not used: it
refuses every number whose local authority is not in a list of January 2011, and authorities are reorganised
every few years; no number is wrong because its authority is new or gone.
"""

from __future__ import annotations

import re
from enum import StrEnum

from stdnum.gb.upn import calc_check_digit

LETTERS = "ABCDEFGHJKLMNPQRTUVWXYZ"
"""The 23 letters that a UPN may hold: I, O and S look like digits."""

ACCEPTED = (
    "a UPN: a check letter and 12 digits, of which a temporary one has a letter last, as in B801200005001"
)

_FORM = re.compile(f"[{LETTERS}][0-9]{{11}}[0-9{LETTERS}]")


class UpnKind(StrEnum):
    """What a UPN is good for."""

    PERMANENT = "permanent"
    """The number that a child keeps through school."""

    TEMPORARY = "temporary"
    """One that a school gives until the permanent one is known, and then keeps as a former one."""


def check_letter(tail: str) -> str:
    """The letter that the other twelve characters of a UPN ask for.

    Args:
        tail: The UPN without its first character.
    """
    return str(calc_check_digit(tail))


def spelled_upn(text: str) -> str:
    """What may be a UPN, in capitals and without spaces."""
    return "".join(text.split()).upper()


def read_upn(text: str) -> str:
    """The UPN that the text holds, in capitals and without spaces.

    Raises:
        ValueError: It is not one; the message is what is accepted.
    """
    upn = spelled_upn(text)
    if not _FORM.fullmatch(upn):
        raise ValueError(ACCEPTED)
    if upn[0] != (letter := check_letter(upn[1:])):
        raise ValueError(f"a UPN with its right check letter, which for these digits is {letter}")
    return upn


def kind_of(upn: str) -> UpnKind:
    """Whether a UPN is permanent or temporary, which its last character tells.

    Args:
        upn: The UPN, in any letter case and spacing.

    Raises:
        ValueError: It is not a UPN; the message is what is accepted.
    """
    return UpnKind.PERMANENT if read_upn(upn)[-1].isdecimal() else UpnKind.TEMPORARY


def make_upn(la: int, establishment: int, year: int, serial: int) -> str:
    """A permanent UPN, for pupils who are made up.

    Args:
        la: The number of the local authority, 0 to 999.
        establishment: The number of the school within it, 0 to 9999.
        year: The calendar year of issue; its last two digits are kept.
        serial: The number within school and year, 0 to 999.

    Raises:
        ValueError: A part does not fit.
    """
    if not (0 <= la <= 999 and 0 <= establishment <= 9999 and 0 <= serial <= 999 and year >= 0):
        raise ValueError("an authority of 3 digits, an establishment of 4 and a serial of 3")
    tail = f"{la:03d}{establishment:04d}{year % 100:02d}{serial:03d}"
    return check_letter(tail) + tail

"""Searching the pupils of a school: who is meant by a few words."""

from __future__ import annotations

import re
import unicodedata

import msgspec

from domain.codes.nc_year import read_nc_year
from domain.errors import Finding, InvalidInput
from domain.pupil import PupilNames


class PupilSearch(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What is known of the pupils that are looked for; what is not given does not matter.

    Attributes:
        name: Words, each the start of a word of the forename or surname; capitals and accents do not count.
        class_name: The class, as the school calls it.
        nc_year: National Curriculum year.
        upn: The UPN, now or before.
        on_roll: Only those at the school now, or only those who have left; null for both.
    """

    name: str | None = None
    class_name: str | None = None
    nc_year: str | None = None
    upn: str | None = None
    on_roll: bool | None = True

    @property
    def says_who(self) -> bool:
        """Whether the answer would tell who somebody is, even with every name left out."""
        return self.name is not None or self.upn is not None

    def fits(self, names: PupilNames) -> bool:
        """Whether a pupil who is called so is meant."""
        if self.upn is not None and self.upn.strip().upper() not in (names.upn, *names.former_upns):
            return False
        if self.name is None:
            return True
        words = _words(f"{names.forename} {names.surname}")
        return all(any(word.startswith(start) for word in words) for start in _words(self.name))


def nc_year_asked(text: str | None) -> str | None:
    """The NC year that a reader asks for, in its usual spelling.

    Raises:
        InvalidInput: There is no such year.
    """
    if text is None:
        return None
    try:
        return read_nc_year(text)
    except ValueError as error:
        raise InvalidInput(
            "There is no such year", [Finding(field="nc_year", found=text[:60], accepted=str(error))]
        ) from None


def _words(text: str) -> list[str]:
    """The words of a name, for comparing: without capitals, accents and hyphens."""
    plain = "".join(
        letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter)
    )
    return re.split(r"[\s\-]+", plain.casefold().strip()) if plain.strip() else []

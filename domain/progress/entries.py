"""Results as progress sees them: a value on a scheme, with its points and what was expected then."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from uuid import UUID

import msgspec

from domain.academic_year import When, when
from domain.assessment import Result, meaning_of
from domain.schemes.scheme import SchemeVersion, Standing


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A result.

    Attributes:
        version: The version of the scheme that it stands on.
        subject: What was measured, by the scheme's code.
        at: The assessment point or year that it speaks of.
        value: The value, as the scheme writes it; as it was supplied, where the scheme does not know it.
        nc_year: The NC year that the child was in.
        points: What it counts on the scale of points; nothing for a value that counts none.
        standing: Against what was expected then.
        expected: The lowest and the highest points at which a child of that NC year was where it was expected
            to be.
        at_top: Nothing on the scale lies above it.
    """

    version: SchemeVersion
    subject: str
    at: When
    value: str
    nc_year: str | None
    points: int | None
    standing: Standing | None
    expected: tuple[int, int] | None
    at_top: bool

    @property
    def scheme(self) -> str:
        """The name of the scheme."""
        return self.version.scheme


Courses = Mapping[str, Mapping[When, Entry]]
"""A pupil's current results, by subject and time."""

Results = Mapping[UUID, Courses]
"""The results of some pupils on one scheme or two."""


def seen(result: Result, schemes: Mapping[str, str | None]) -> Entry | None:
    """A result as an entry of the scheme that it belongs to.

    Args:
        result: The result; it may have come in a file.
        schemes: The names of the schemes that are asked about, with the scale of points of each; none, where
            its values count no points.

    Returns:
        Nothing, if it belongs to none of these schemes.
    """
    meaning = meaning_of(result)
    if meaning is None or meaning.version.scheme not in schemes:
        return None
    version, scale = meaning.version, schemes[meaning.version.scheme]
    at = when(result.academic_year, result.term)
    points = None
    if meaning.value is not None and scale in version.scales:
        points = version.points(meaning.value, scale)
    return Entry(
        version=version,
        subject=meaning.code,
        at=at,
        value=result.value if meaning.value is None else meaning.value,
        nc_year=result.nc_year,
        points=points,
        standing=meaning.standing,
        expected=_expected(version, scale, result.nc_year, at),
        at_top=points is not None and points == _highest(version, scale),
    )


@lru_cache(maxsize=64)
def _highest(version: SchemeVersion, scale: str | None) -> int | None:
    return max((value.points[scale] for value in version.ladder if scale in value.points), default=None)


@lru_cache(maxsize=64)
def _are_ordinals(version: SchemeVersion, scale: str | None) -> bool:
    """Whether the points of a scale are the places on the ladder, on which expectations are told."""
    return all(value.points.get(scale or "") == value.ordinal for value in version.ladder)


def _expected(
    version: SchemeVersion, scale: str | None, nc_year: str | None, at: When
) -> tuple[int, int] | None:
    found = version.expected(nc_year, at) if _are_ordinals(version, scale) else None
    return (found.start, found.stop - 1) if found else None

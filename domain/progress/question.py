"""What is asked: from which point to which other, on which scheme and scale of points."""

from __future__ import annotations

from typing import Self

import msgspec

from domain.academic_year import HALF_TERMS, TERMS, AssessmentPoint, Term, When, WholeYear
from domain.errors import Finding, InvalidInput
from domain.schemes.catalogue import SCHEMES, STATEMENTS, scheme_named
from domain.schemes.scheme import Entered, Scheme, SchemeVersion

REFUSED = "Progress cannot be asked for like this"


def place_in_time(at: When) -> tuple[int, int]:
    """What puts points in their order: the academic year, and how many half-terms of it are over."""
    return at.academic_year, at.half_terms


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked.

    Attributes:
        start: The earlier point.
        end: The later one.
        scheme: The scheme of the results at the start.
        end_scheme: The scheme of the results at the end, nearly always the same.
        scale: The scale of points; none, where the schemes differ or their values count no points.
        subject: Only this subject.
    """

    start: When
    end: When
    scheme: str
    end_scheme: str
    scale: str | None
    subject: str | None = None

    @classmethod
    def ask(
        cls,
        start: When,
        end: When,
        scheme: str,
        *,
        end_scheme: str | None = None,
        scale: str | None = None,
        subject: str | None = None,
    ) -> Self:
        """A question that has an answer.

        Args:
            start: The earlier point, or year.
            end: The later one.
            scheme: The name of a scheme.
            end_scheme: The name of another one for the end.
            scale: The scale of points; the scheme's first, if none is named.
            subject: A code of what the schemes measure; all, if none is named.

        Raises:
            InvalidInput: There is no such scheme, scale or subject; its results are not of terms, or not of
                years; or the end does not come after the start.
        """
        first = version_at(scheme, start, "from")
        last = version_at(end_scheme or scheme, end, "to")
        if place_in_time(end) <= place_in_time(start):
            raise _refused("to_year", end.label, f"a point after {start.label}")
        same = first.scheme == last.scheme
        return cls(
            start=start,
            end=end,
            scheme=first.scheme,
            end_scheme=last.scheme,
            scale=_scale(first, scale) if same else None,
            subject=_subject((first, last), subject),
        )

    @classmethod
    def at(cls, at: When, scheme: str, *, scale: str | None = None, subject: str | None = None) -> Self:
        """The question how pupils stand at one point; the arguments and errors are those of :meth:`ask`."""
        version = version_at(scheme, at, "")
        return cls(
            start=at,
            end=at,
            scheme=version.scheme,
            end_scheme=version.scheme,
            scale=_scale(version, scale),
            subject=_subject((version,), subject),
        )

    @property
    def comparable(self) -> bool:
        """Whether both ends stand on one scheme with a scale of points: else nothing is said of gains."""
        return self.scheme == self.end_scheme and self.scale is not None

    @property
    def schemes(self) -> dict[str, str | None]:
        """The schemes that are asked about, with the scale of points of each."""
        if self.scheme == self.end_scheme:
            return {self.scheme: self.scale}
        return {
            name: next(iter(SCHEMES[name].newest.scales), None) for name in (self.scheme, self.end_scheme)
        }

    @property
    def points(self) -> list[When]:
        """Both ends and, where they are comparable, every point between, in order.

        Those between are terms where both ends are, half-terms where both ends are, and else both.
        """
        return points_between(self.start, self.end) if self.comparable else [self.start, self.end]

    def takes(self, scheme: str, at: When) -> bool:
        """Whether a result of this scheme at this point is asked about."""
        if self.scheme == self.end_scheme:
            return scheme == self.scheme
        return (scheme, at) in {(self.scheme, self.start), (self.end_scheme, self.end)}


def points_between(start: When, end: When) -> list[When]:
    """Both points and every one between, in order."""
    kinds = {_terms_of(start), _terms_of(end)}
    found: dict[When, None] = {start: None}
    for year in range(start.academic_year, end.academic_year + 1):
        of_year: list[When] = [AssessmentPoint(year, term) for terms in kinds for term in terms]
        if () in kinds:
            of_year.append(WholeYear(year))
        for at in sorted(of_year, key=lambda each: (each.half_terms, each.term or "")):
            if place_in_time(start) < place_in_time(at) < place_in_time(end):
                found[at] = None
    found[end] = None
    return list(found)


def _terms_of(at: When) -> tuple[Term, ...]:
    return () if at.term is None else TERMS if at.term in TERMS else HALF_TERMS


def version_at(scheme: str, at: When, end: str) -> SchemeVersion:
    """The version of a scheme on which results of a point stand.

    Args:
        scheme: The name of the scheme.
        at: The point or year.
        end: `from` or `to`, for the names of the fields in findings; empty, where one point is asked about.

    Raises:
        InvalidInput: There is none, or its results are not of terms, or not of years.
    """
    field = f"{end}_" if end else ""
    named = _named(scheme, "to_scheme" if end == "to" else "scheme")
    try:
        version = named.in_year(at.academic_year)
    except ValueError as error:
        name = f"{field}year" if end else "academic_year"
        raise _refused(name, str(at.academic_year), str(error)) from None
    if version.entered is Entered.POINT and at.term is None:
        raise _refused(f"{field}term", "none", f"a term: {version.scheme} is judged at assessment points")
    if version.entered is Entered.YEAR and at.term is not None:
        raise _refused(f"{field}term", at.term, f"no term: {version.scheme} is of the whole academic year")
    return version


def scale_of(scheme: str, scale: str | None) -> tuple[Scheme, str | None]:
    """A scheme, and its scale of points of this name, or its first.

    Raises:
        InvalidInput: There is no such scheme, or no such scale.
    """
    named = _named(scheme, "scheme")
    with_points = next((version for version in reversed(named.versions) if version.scales), named.newest)
    return named, _scale(with_points, scale)


def _named(scheme: str, field: str) -> Scheme:
    accepted = f"one of {', '.join(name for name in SCHEMES if name != STATEMENTS)}"
    try:
        named = scheme_named(scheme)
    except ValueError:
        raise _refused(field, scheme, accepted) from None
    if named.name == STATEMENTS:
        raise _refused(field, scheme, accepted)
    return named


def _scale(version: SchemeVersion, scale: str | None) -> str | None:
    if scale is None:
        return next(iter(version.scales), None)
    if scale not in version.scales:
        accepted = f"one of {', '.join(version.scales)}" if version.scales else "no scale of points"
        raise _refused("scale", scale, accepted)
    return scale


def _subject(versions: tuple[SchemeVersion, ...], subject: str | None) -> str | None:
    if subject is None:
        return None
    wanted = subject.strip().upper()
    codes = [code for version in versions for code in version.measures]
    if wanted not in codes:
        raise _refused("subject", subject, f"one of {', '.join(dict.fromkeys(codes))}")
    return wanted


def _refused(field: str, found: str, accepted: str) -> InvalidInput:
    return InvalidInput(REFUSED, [Finding(field=field, found=found[:60], accepted=accepted)])

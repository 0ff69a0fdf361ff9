"""What a scheme is: a scale with a name, in versions that hold for some academic years, described by data.

Every scale has a finite list of values, from the six steps of a band to the 41 marks of the phonics check. A
value that lies on the scheme's ladder has an *ordinal*; one that tells why there is no result, such as `A`
for absent, has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType

import msgspec

from domain.academic_year import AssessmentPoint, When, academic_year_label
from domain.codes.steps import Standing

__all__ = ["Entered", "Measure", "Scheme", "SchemeVersion", "Standing", "Value"]


class Entered(StrEnum):
    """What the results of a scheme are of."""

    POINT = "point"
    """An assessment point: a term or half-term."""

    YEAR = "year"
    """A whole academic year: a test that is taken once in it."""

    EITHER = "either"
    """The one or the other: a judgement that is final at the year's end, and made on the way there, too."""


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """What a scheme measures: a subject, a goal or a test.

    Attributes:
        code: What people enter it by, unique in the scheme's version: `REA`, `E01`, `MTC`.
        description: For people.
        subject: The subject code of a result.
        component: The component of a result, where the subject has several.
        stage: CTF `Stage` of a result.
        method: CTF `Method` of a result.
        in_gld: Whether a good level of development asks for it.
        ctf_subject: CTF `Subject`, where a Common Transfer File carries it.
        ctf_component: CTF `Component`.
    """

    code: str
    description: str
    subject: str
    component: str | None = None
    stage: str | None = None
    method: str | None = None
    in_gld: bool = False
    ctf_subject: str | None = None
    ctf_component: str | None = None


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """A value of a scale.

    Attributes:
        value: As results hold it.
        description: For people.
        ordinal: Its place on the ladder; none for what says why there is no result.
        standing: Against what is expected, where that is the same for every child and time.
        points: What it counts on each scale of points that the scheme names.
    """

    value: str
    description: str
    ordinal: int | None = None
    standing: Standing | None = None
    points: dict[str, int] = {}


class SchemeVersion:
    """A version of a scheme: its values, and what it measures, in the academic years in which it holds.

    Args:
        scheme: The name of the scheme: `ks2-tests`.
        name: The name of the version: `2016`.
        title: For people.
        entered: What its results are of.
        values: Its values, those of the ladder from the lowest.
        measures: What it measures.
        first_year: The year in which its first academic year starts; it always held, if none is given.
        last_year: The year in which its last one starts; it still holds, if none is given.
    """

    def __init__(
        self,
        scheme: str,
        name: str,
        title: str,
        entered: Entered,
        values: Iterable[Value],
        measures: Iterable[Measure],
        *,
        first_year: int | None = None,
        last_year: int | None = None,
    ) -> None:
        self.scheme = scheme
        self.name = name
        self.title = title
        self.entered = entered
        self.first_year = first_year
        self.last_year = last_year
        self.values: Mapping[str, Value] = MappingProxyType({value.value: value for value in values})
        self.measures: Mapping[str, Measure] = MappingProxyType({each.code: each for each in measures})
        self._as_typed = {value.casefold(): value for value in self.values}
        self._places = {
            (measure.stage, measure.subject, measure.component): measure for measure in self.measures.values()
        }

    @property
    def accepted(self) -> str:
        """What is accepted as a value, for people."""
        return f"one of {', '.join(self.values)}"

    @property
    def years(self) -> str:
        """The academic years in which it holds, for people."""
        first = None if self.first_year is None else academic_year_label(self.first_year)
        last = None if self.last_year is None else academic_year_label(self.last_year)
        if first and last:
            return f"{first} to {last}"
        return f"from {first} on" if first else f"up to {last}" if last else "any academic year"

    @property
    def ladder(self) -> list[Value]:
        """The values that have ordinals, from the lowest."""
        return sorted(
            (value for value in self.values.values() if value.ordinal is not None),
            key=lambda value: value.ordinal or 0,
        )

    @cached_property
    def scales(self) -> tuple[str, ...]:
        """The names of the scales of points that its values count on."""
        return tuple(dict.fromkeys(scale for value in self.values.values() for scale in value.points))

    def holds_in(self, academic_year: int) -> bool:
        """Whether results of an academic year stand on it."""
        return (self.first_year is None or academic_year >= self.first_year) and (
            self.last_year is None or academic_year <= self.last_year
        )

    def read(self, text: str) -> str:
        """The value that the text holds, whatever its spaces, letter case and leading zeros.

        Raises:
            ValueError: It holds none; the message is what is accepted.
        """
        if text in self.values:
            return text
        written = "".join(text.split())
        if written.isascii() and written.isdecimal():
            written = written.lstrip("0") or "0"
        value = self._as_typed.get(written.casefold()) or self._as_typed.get(
            "-".join(text.split()).casefold()
        )
        if value is None:
            raise ValueError(self.accepted)
        return value

    def is_off(self, text: str) -> bool:
        """Whether the text is a number that no result on this scale can be.

        Of codes nobody can say so: a list may have got another one since.
        """
        del text
        return False

    def measure(self, text: str) -> Measure:
        """What the scheme measures under this code, whatever its letter case.

        Raises:
            ValueError: Nothing; the message is what is accepted.
        """
        measure = self.measures.get(text.strip().upper())
        if measure is None:
            raise ValueError(f"one of {', '.join(self.measures)}")
        return measure

    def measure_of(self, stage: str | None, subject: str, component: str | None) -> Measure | None:
        """What a result with this stage, subject and component measures."""
        return self._places.get((stage, subject, component))

    def describe(self, value: str) -> str:
        """What a value stands for.

        Raises:
            ValueError: It is not one.
        """
        return self._value(value).description

    def ordinal(self, value: str) -> int | None:
        """The value's place on the ladder; nothing for one that is not on it.

        Raises:
            ValueError: It is not a value of the scheme.
        """
        return self._value(value).ordinal

    def points(self, value: str, scale: str) -> int | None:
        """What a value counts on a named scale of points; nothing, where it counts on none.

        Raises:
            ValueError: It is not a value of the scheme, or there is no such scale.
        """
        if scale not in self.scales:
            raise ValueError(f"one of {', '.join(self.scales)}" if self.scales else "a scheme with points")
        return self._value(value).points.get(scale)

    def standing(self, value: str, nc_year: str | None, at: When) -> Standing | None:
        """Where a value lies against what is expected of that NC year then.

        Args:
            value: A value of the scheme.
            nc_year: The NC year that the child was in, where it is known.
            at: The assessment point or the year.

        Returns:
            `None` where nothing is expected, or nothing is known.

        Raises:
            ValueError: It is not a value of the scheme.
        """
        del nc_year, at  # the same for all
        return self._value(value).standing

    def expected(self, nc_year: str | None, at: When) -> range | None:
        """The ordinals at which a child of an NC year is where it is expected to be then.

        Args:
            nc_year: The NC year that the child was in, where it is known.
            at: The assessment point or the year.

        Returns:
            `None` where nothing is expected, or what is has no place on the ladder.
        """
        del nc_year, at
        return None

    def expected_gain(self, earlier: AssessmentPoint, later: AssessmentPoint) -> int | None:
        """How many ordinals a child is expected to gain from the end of one point to that of another.

        Returns:
            `None`, where the scheme expects no such thing; negative, if `later` is the earlier one.
        """
        del earlier, later
        return None

    def _value(self, value: str) -> Value:
        found = self.values.get(value)
        if found is None:
            raise ValueError(self.accepted)
        return found


class Scheme:
    """A scheme in all its versions.

    Args:
        versions: They must not hold in the same years.
    """

    def __init__(self, versions: Iterable[SchemeVersion]) -> None:
        self.versions = tuple(versions)
        self.name = self.versions[0].scheme

    @property
    def newest(self) -> SchemeVersion:
        """The version that came last."""
        return self.versions[-1]

    @property
    def title(self) -> str:
        """For people."""
        return self.newest.title

    @property
    def years(self) -> str:
        """The academic years in which any version holds, for people."""
        return "; ".join(version.years for version in self.versions)

    def in_year(self, academic_year: int) -> SchemeVersion:
        """The version on which results of an academic year stand.

        Raises:
            ValueError: None does; the message is in which years one would.
        """
        for version in self.versions:
            if version.holds_in(academic_year):
                return version
        raise ValueError(f"an academic year in which {self.name} is used: {self.years}")

    def version(self, name: str) -> SchemeVersion:
        """The version of this name.

        Raises:
            ValueError: There is none; the message is what there is.
        """
        for version in self.versions:
            if version.name == name:
                return version
        raise ValueError(f"one of {', '.join(version.name for version in self.versions)}")

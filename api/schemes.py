"""Assessment schemes: which there are, in which versions, and what each of them takes."""

from __future__ import annotations

from typing import Annotated, Self

import msgspec

from api.callers import Caller, signed_in
from api.encoding import Answer, ReadQuery, query
from api.reading import see
from api.routing import Routes
from domain.access import Permission
from domain.errors import NotFound
from domain.schemes.catalogue import SCHEMES, scheme_named
from domain.schemes.scheme import Entered, Measure, Scheme, SchemeVersion, Value

routes = Routes("schemes")


class VersionBrief(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a scheme.

    Attributes:
        version: Its name.
        title: For people.
        first_year: The year in which the first academic year starts that it holds for; null: always.
        last_year: The year in which the last one starts; null: still.
        entered: Whether its results are of assessment points, of whole years, or of either.
    """

    version: str
    title: str
    first_year: int | None
    last_year: int | None
    entered: Entered


class SchemeBrief(msgspec.Struct, frozen=True, kw_only=True):
    """A scheme, with its versions."""

    scheme: str
    title: str
    versions: list[VersionBrief]


class MeasureBody(msgspec.Struct, frozen=True, kw_only=True):
    """What a scheme measures.

    Attributes:
        code: What a result is entered by, as its `subject`.
        description: For people.
        subject: The subject of the result.
        component: The component of the result.
        in_gld: Whether a good level of development asks for it.
    """

    code: str
    description: str
    subject: str
    component: str | None
    in_gld: bool

    @classmethod
    def of(cls, measure: Measure) -> Self:
        """A measure as it is shown."""
        return cls(**{field: getattr(measure, field) for field in cls.__struct_fields__})


class ValueBody(msgspec.Struct, frozen=True, kw_only=True):
    """A value of a scheme.

    Attributes:
        value: As results hold it.
        description: For people.
        ordinal: Its place on the ladder; null for what says why there is no result.
        points: What it counts on each scale of points.
    """

    value: str
    description: str
    ordinal: int | None
    points: dict[str, int]

    @classmethod
    def of(cls, value: Value) -> Self:
        """A value as it is shown."""
        return cls(**{field: getattr(value, field) for field in cls.__struct_fields__})


class VersionBody(VersionBrief, frozen=True, kw_only=True):
    """A version of a scheme, with all that it takes.

    Attributes:
        accepted: What is accepted as a value, for people.
        scales: The scales of points.
        measures: What it measures.
        values: Its values.
    """

    accepted: str
    scales: list[str]
    measures: list[MeasureBody]
    values: list[ValueBody]


class SchemeBody(msgspec.Struct, frozen=True, kw_only=True):
    """A scheme, with all that its versions take."""

    scheme: str
    title: str
    versions: list[VersionBody]


def _brief(version: SchemeVersion) -> VersionBrief:
    return VersionBrief(
        version=version.name,
        title=version.title,
        first_year=version.first_year,
        last_year=version.last_year,
        entered=version.entered,
    )


def _whole(version: SchemeVersion) -> VersionBody:
    return VersionBody(
        **msgspec.structs.asdict(_brief(version)),
        accepted=version.accepted,
        scales=list(version.scales),
        measures=[MeasureBody.of(measure) for measure in version.measures.values()],
        values=[ValueBody.of(value) for value in version.values.values()],
    )


@routes.get("/v1/schemes")
def list_schemes(
    caller: Annotated[Caller, signed_in(Permission.READ_SCHOOL)],
    asked: Annotated[ReadQuery, query(ReadQuery)],
) -> Answer[list[SchemeBrief]]:
    """List the assessment schemes."""
    see(caller, asked.min_position)
    return Answer(
        [
            SchemeBrief(
                scheme=scheme.name, title=scheme.title, versions=[_brief(each) for each in scheme.versions]
            )
            for scheme in SCHEMES.values()
        ]
    )


@routes.get("/v1/schemes/{scheme}")
def read_scheme(
    caller: Annotated[Caller, signed_in(Permission.READ_SCHOOL)],
    asked: Annotated[ReadQuery, query(ReadQuery)],
    scheme: str,
) -> Answer[SchemeBody]:
    """Read an assessment scheme: its values and what it measures, in every version."""
    see(caller, asked.min_position)
    found = _named(scheme)
    return Answer(
        SchemeBody(
            scheme=found.name, title=found.title, versions=[_whole(version) for version in found.versions]
        )
    )


def _named(scheme: str) -> Scheme:
    try:
        return scheme_named(scheme)
    except ValueError as error:
        raise NotFound(f"There is no scheme of that name, but {error}") from None

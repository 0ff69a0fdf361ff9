"""A school beside the benchmark: its own figures next to the released ones, as JSON, CSV or a page."""

from __future__ import annotations

from typing import Annotated

import msgspec
from starlette.requests import Request

from api import comparison_csv
from api.benchmarks import Characteristic, PointName
from api.callers import Caller, signed_in
from api.encoding import ReadQuery, query
from api.forms import MEDIA_TYPES, Form, form_of, headers_of, offered
from api.pages import comparison_page
from api.reading import reading
from api.routing import Routes
from api.showing import Shown, ShownAsText
from domain import school_time
from domain.academic_year import academic_year_label
from domain.access import Permission
from domain.errors import NotPermitted
from domain.schemes.catalogue import STEPS
from domain.usage import ReadKind
from projections.benchmarks.comparing import Comparison, benchmark, compare
from projections.benchmarks.own import own_counts
from projections.benchmarks.points import Point
from projections.benchmarks.reading import PROJECTIONS

routes = Routes("benchmarks")

BIRTH = "term_of_birth"

RESPONSES = offered(Form.CSV, Form.HTML) | {404: {"description": "Nothing was released of this"}}


class CompareQuery(ReadQuery, frozen=True, kw_only=True):
    """What is compared.

    Attributes:
        academic_year: As in `2025/26`, or the year in which it starts.
        assessment_point: The end of a term, or of its first half, or the whole year.
        scheme: The scheme of the results.
        subject: Only this subject, by the scheme's code.
        nc_year: Only pupils who were in this NC year then.
        characteristic: What pupils, or schools, are told apart by.
        release: This release, withdrawn or not; the newest that stands and tells the point, if none is given.
        format: The form; else the header `Accept` says it.
    """

    academic_year: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4}(/[0-9]{2})?\Z")]
    assessment_point: PointName
    scheme: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]{1,30}\Z")] = STEPS
    subject: Annotated[str, msgspec.Meta(pattern=r"^[A-Z0-9]{1,10}\Z")] | None = None
    nc_year: Annotated[str, msgspec.Meta(pattern=r"^[A-Z0-9]{1,2}\Z")] | None = None
    characteristic: Characteristic = "all"
    release: Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)] | None = None
    format: Form | None = None

    @property
    def point(self) -> Point:
        """The point.

        Raises:
            InvalidInput: There is none such, as where `2025/27` is no academic year.
        """
        year = self.academic_year
        label = academic_year_label(int(year)) if year.isdecimal() else year
        return Point.read(f"{label}:{self.assessment_point}")


@routes.get("/v1/benchmarks/compare", responses=RESPONSES)
def compare_with_benchmark(
    caller: Annotated[Caller, signed_in(Permission.READ_PUPILS)],
    asked: Annotated[CompareQuery, query(CompareQuery)],
    request: Request,
) -> Shown[Comparison] | ShownAsText:
    """Read the school's own figures of now beside the released ones of all schools, and of schools like it.

    A figure that is suppressed for everybody is suppressed here: of other schools there is nothing but what
    was released.
    """
    form = form_of(request, asked.format, Form.CSV, Form.HTML)
    if asked.characteristic == BIRTH and not caller.may(Permission.READ_NAMES):
        raise NotPermitted(
            "Your access level does not show terms of birth, which tell of birthdays",
            needed=Permission.READ_NAMES,
        )
    point, today = asked.point, school_time.today()
    with reading(caller, asked.min_position, *PROJECTIONS) as read:
        beside = benchmark(
            read.connection,
            point,
            asked.scheme,
            asked.characteristic,
            release=asked.release,
            subject=asked.subject,
            nc_year=asked.nc_year,
        )
    # In a transaction of its own, which sees one moment; its rows have come as far as those just seen.
    with caller.services.read.bound_to(caller.school_id) as connection:
        own = own_counts(
            connection,
            caller.school.keys.school,
            read.position,
            point,
            today,
            scheme=asked.scheme,
            subject=asked.subject,
            nc_year=asked.nc_year,
        )
    answer = compare(beside, own.counts, read.position, today)
    if form is Form.JSON:
        return Shown(caller, ReadKind.COMPARISON, own.pupils, answer, nameless=True)
    content: bytes | str
    if form is Form.HTML:
        content = comparison_page.whole_page(answer, caller.school.school().facts.name)
    else:
        content = comparison_csv.of_comparison(answer)
    return ShownAsText(
        caller,
        ReadKind.COMPARISON,
        own.pupils,
        content,
        MEDIA_TYPES[form],
        headers_of(form, "comparison.csv"),
        nameless=True,
    )

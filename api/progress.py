"""Progress: from any point to any other, transition matrices, on-track tables, and a pupil's track."""

from __future__ import annotations

from functools import partial
from typing import Annotated, NamedTuple
from uuid import UUID

from starlette.requests import Request

import projections.assessments
import projections.progress
import projections.pupils
import projections.targets
from api import progress_csv
from api.assessments import AcademicYear
from api.callers import Caller, signed_in
from api.encoding import ReadQuery, query
from api.forms import HEADERS, MEDIA_TYPES, Form, form_of, offered
from api.pages import progress_page, track_page
from api.progress_bodies import (
    AskedBody,
    Called,
    CourseBody,
    FiguresBody,
    MatricesAnswer,
    OnTrackAnswer,
    OnTrackBody,
    PointBody,
    ProgressAnswer,
    TrackAnswer,
    groups_of,
    on_track_groups,
    pupils_of,
    track_points,
    track_targets,
)
from api.reading import reading
from api.routing import Routes
from api.showing import Shown, ShownAsText
from domain import school_time
from domain.academic_year import Term, when
from domain.access import Permission
from domain.application.nc_years import years_of_records
from domain.application.searching import nc_year_asked
from domain.errors import Finding, InvalidInput, NotFound
from domain.progress.groups import Group
from domain.progress.matrix import By, matrices
from domain.progress.on_track import on_track
from domain.progress.question import Question, scale_of
from domain.progress.report import report
from domain.schemes.catalogue import STEPS
from domain.usage import ReadKind
from projections.progress import Cohort

routes = Routes("progress")


class PupilsAsked(ReadQuery, frozen=True, kw_only=True):
    """Whose results, and in what.

    Attributes:
        scheme: The scheme of the results.
        scale: The scale of points; the scheme's first, if none is named.
        subject: Only this subject, as the scheme codes it.
        class_id: Only the class that pupils are in now, or were in last.
        nc_year: Only pupils who were in this NC year at the later point.
    """

    scheme: str = STEPS
    scale: str | None = None
    subject: str | None = None
    class_id: UUID | None = None
    nc_year: str | None = None


class BetweenQuery(PupilsAsked, frozen=True, kw_only=True):
    """From where to where.

    Attributes:
        from_year: The year in which the academic year of the earlier point starts.
        from_term: Its term or half-term; none for results of a whole year.
        to_year: The year in which the academic year of the later point starts.
        to_term: Its term or half-term.
        to_scheme: The scheme of the results at the later point, if it is another one.
    """

    from_year: AcademicYear
    from_term: Term | None = None
    to_year: AcademicYear
    to_term: Term | None = None
    to_scheme: str | None = None

    @property
    def question(self) -> Question:
        """What is asked.

        Raises:
            InvalidInput: It has no answer.
        """
        return Question.ask(
            when(self.from_year, self.from_term),
            when(self.to_year, self.to_term),
            self.scheme,
            end_scheme=self.to_scheme,
            scale=self.scale,
            subject=self.subject,
        )


class ProgressQuery(BetweenQuery, frozen=True, kw_only=True):
    """Progress from where to where, by which group and in which form.

    Attributes:
        group: Only this group; all, if none is named. As CSV, its parts instead of pupils.
        format: The form; else the header `Accept` says it.
    """

    group: Group | None = None
    format: Form | None = None


class MatrixQuery(BetweenQuery, frozen=True, kw_only=True):
    """A transition matrix of what.

    Attributes:
        by: Whether its rows and columns are values or standings.
        format: The form; else the header `Accept` says it.
    """

    by: By = By.VALUE
    format: Form | None = None


class OnTrackQuery(PupilsAsked, frozen=True, kw_only=True):
    """The on-track table of when.

    Attributes:
        academic_year: The year in which the academic year starts.
        term: The term or half-term; none for results of a whole year.
        group: Only this group; all, if none is named.
        format: The form; else the header `Accept` says it.
    """

    academic_year: AcademicYear
    term: Term | None = None
    group: Group | None = None
    format: Form | None = None


class TrackQuery(ReadQuery, frozen=True, kw_only=True):
    """A pupil's track on which scheme, and in which form."""

    scheme: str = STEPS
    scale: str | None = None
    format: Form | None = None


class _Found(NamedTuple):
    """The pupils whom a question is about, the class and the NC year that were asked for, and a position."""

    cohort: Cohort
    class_name: str | None
    nc_year: str | None
    position: int


def _found(caller: Caller, asked: PupilsAsked, question: Question) -> _Found:
    """Reads what a question is about.

    Raises:
        InvalidInput: There is no such class or NC year.
    """
    nc_year = nc_year_asked(asked.nc_year)
    names = (projections.pupils.NAME, projections.assessments.NAME)
    with reading(caller, asked.min_position, *names) as read:
        cohort = projections.progress.cohort(
            read.connection,
            caller.school.keys,
            question,
            school_time.today(),
            class_id=asked.class_id,
            nc_year=nc_year,
            births=caller.may(Permission.READ_NAMES),
            years_of_records=partial(years_of_records, caller.school),
        )
        class_name = None
        if asked.class_id is not None:
            views = list(cohort.views.values()) or projections.pupils.find(
                read.connection, caller.school.keys, class_id=asked.class_id, on_roll=None, limit=1
            )
            if not views:
                raise InvalidInput(
                    "The query is not as it must be",
                    [
                        Finding(
                            field="class_id",
                            found=str(asked.class_id),
                            accepted="the id of a class of this school",
                        )
                    ],
                )
            class_name = views[0].record.class_name
        return _Found(cohort, class_name, nc_year, read.position)


def _school_name(caller: Caller) -> str:
    return caller.school.school().facts.name


@routes.get("/v1/progress", responses=offered(Form.CSV, Form.HTML))
def read_progress(
    caller: Annotated[Caller, signed_in(Permission.READ_PUPILS)],
    asked: Annotated[ProgressQuery, query(ProgressQuery)],
    request: Request,
) -> Shown[ProgressAnswer] | ShownAsText:
    """Read the progress of pupils from one point to another.

    Of a class, an NC year or the whole school: pupil by pupil, as a whole, in groups, and point by point.
    """
    form = form_of(request, asked.format, Form.CSV, Form.HTML)
    question = asked.question
    cohort, class_name, nc_year, position = _found(caller, asked, question)
    groups = tuple(Group) if asked.group is None else (asked.group,)
    made = report(question, cohort.members, cohort.results, groups)
    answer = ProgressAnswer(
        asked=AskedBody.of(question, class_name, nc_year),
        expected_gain=made.expected_gain,
        subjects=made.subjects,
        whole={subject: FiguresBody.of(figures) for subject, figures in made.whole.items()},
        groups=groups_of(made),
        course={subject: list(map(CourseBody.of, course)) for subject, course in made.course.items()},
        pupils=pupils_of(caller, cohort, made),
        position=position,
    )
    if form is Form.JSON:
        return Shown(caller, ReadKind.PROGRESS, cohort.views, answer)
    content: bytes | str
    if form is Form.HTML:
        by_standing = matrices(question, cohort.members, cohort.results, By.STANDING)
        content = progress_page.whole_page(answer, by_standing, _school_name(caller), school_time.today())
    elif asked.group is None:
        content = progress_csv.of_pupils(answer.pupils, question.start.label, question.end.label)
    else:
        content = progress_csv.of_groups(
            answer.whole, answer.groups, question.start.label, question.end.label, answer.expected_gain
        )
    return ShownAsText(caller, ReadKind.PROGRESS, cohort.views, content, MEDIA_TYPES[form], HEADERS[form])


@routes.get("/v1/progress/matrix", responses=offered(Form.CSV))
def read_matrix(
    caller: Annotated[Caller, signed_in(Permission.READ_PUPILS)],
    asked: Annotated[MatrixQuery, query(MatrixQuery)],
    request: Request,
) -> Shown[MatricesAnswer] | ShownAsText:
    """Read transition matrices: who went from which value, or standing, to which.

    The two ends may stand on different schemes, as teacher assessments of Year 2 and steps do.
    """
    form = form_of(request, asked.format, Form.CSV)
    question = asked.question
    cohort, class_name, nc_year, position = _found(caller, asked, question)
    answer = MatricesAnswer(
        asked=AskedBody.of(question, class_name, nc_year),
        by=asked.by,
        matrices=matrices(question, cohort.members, cohort.results, asked.by),
        position=position,
    )
    if form is Form.JSON:
        return Shown(caller, ReadKind.MATRIX, cohort.views, answer)
    content = progress_csv.of_matrices(answer.matrices, question.start.label, question.end.label)
    return ShownAsText(caller, ReadKind.MATRIX, cohort.views, content, MEDIA_TYPES[form], HEADERS[form])


@routes.get("/v1/progress/on-track", responses=offered(Form.CSV))
def read_on_track(
    caller: Annotated[Caller, signed_in(Permission.READ_PUPILS)],
    asked: Annotated[OnTrackQuery, query(OnTrackQuery)],
    request: Request,
) -> Shown[OnTrackAnswer] | ShownAsText:
    """Read the on-track table: how many are below, at and above what is expected at a point."""
    form = form_of(request, asked.format, Form.CSV)
    at = when(asked.academic_year, asked.term)
    question = Question.at(at, asked.scheme, scale=asked.scale, subject=asked.subject)
    cohort, class_name, nc_year, position = _found(caller, asked, question)
    groups = tuple(Group) if asked.group is None else (asked.group,)
    table = on_track(question, cohort.members, cohort.results, groups)
    answer = OnTrackAnswer(
        point=PointBody.of(at),
        scheme=question.scheme,
        class_name=class_name,
        nc_year=nc_year,
        subjects=table.subjects,
        whole={subject: OnTrackBody.of(found) for subject, found in table.whole.items()},
        groups=on_track_groups(table),
        position=position,
    )
    if form is Form.JSON:
        return Shown(caller, ReadKind.ON_TRACK, cohort.views, answer)
    content = progress_csv.of_on_track(answer.whole, answer.groups, at.label)
    return ShownAsText(caller, ReadKind.ON_TRACK, cohort.views, content, MEDIA_TYPES[form], HEADERS[form])


@routes.get("/v1/pupils/{pupil_id}/track", responses=offered(Form.HTML))
def read_track(
    caller: Annotated[Caller, signed_in(Permission.READ_PUPILS)],
    asked: Annotated[TrackQuery, query(TrackQuery)],
    pupil_id: UUID,
    request: Request,
) -> Shown[TrackAnswer] | ShownAsText:
    """Read a pupil's track: every result on a scheme over the years, beside what was expected."""
    form = form_of(request, asked.format, Form.HTML)
    scheme, scale = scale_of(asked.scheme, asked.scale)
    names = (projections.pupils.NAME, projections.assessments.NAME, projections.targets.NAME)
    with reading(caller, asked.min_position, *names) as read:
        view = projections.pupils.get(read.connection, caller.school.keys, pupil_id)
        if view is None:
            caller.school.pupil(pupil_id)  # which says so, if there was one who has been erased
            raise NotFound("This school has no pupil with that id")
        found = projections.progress.track_of(
            read.connection, caller.school.keys, pupil_id, scheme.name, scale
        )
        aims = projections.progress.targets_of(
            read.connection, caller.school.keys, pupil_id, scheme.name, scale
        )
    answer = TrackAnswer(
        pupil=Called.of(caller, view),
        scheme=scheme.name,
        scale=scale,
        subjects=track_points(found),
        targets=track_targets(aims),
        position=read.position,
    )
    if form is Form.JSON:
        return Shown(caller, ReadKind.TRACK, [pupil_id], answer)
    content = track_page.whole_page(answer, view.record.class_name, _school_name(caller), school_time.today())
    return ShownAsText(caller, ReadKind.TRACK, [pupil_id], content, MEDIA_TYPES[form], HEADERS[form])

"""Pupils: the roll, one child, and what may be changed of either."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec
from starlette.requests import Request

import domain.application.pupils as commands
import projections.assessments
import projections.pupils
from api.callers import Caller, signed_in
from api.conditions import ExpectedVersion, is_known, tag_of
from api.encoding import Answer, PageSize, ReadQuery, Sent, body, query
from api.moments import AsAtQuery, known_day, moment_of
from api.reading import reading, see
from api.routing import Routes
from api.showing import Shown, ShownBefore
from api.views import PupilAnswer, PupilBody, assessment_bodies, newest, pupil_body, view_of
from domain import school_time
from domain.access import Permission
from domain.application.histories import Moment, pupil_as_at
from domain.application.pupils import PupilResult
from domain.application.school_application import Outcome
from domain.application.searching import PupilSearch, nc_year_asked
from domain.errors import NotFound, NotPermitted
from domain.particulars import PupilParticulars
from domain.usage import ReadKind
from projections.pupils import ClassView, PupilView

routes = Routes("pupils")


class Which(StrEnum):
    """Those at the school now, those who have left, or both."""

    ON_ROLL = "true"
    LEFT = "false"
    ANY = "any"

    @property
    def on_roll(self) -> bool | None:
        """The same as a filter."""
        return None if self is Which.ANY else self is Which.ON_ROLL


class PupilQuery(AsAtQuery, frozen=True, kw_only=True):
    """How a pupil stood, and on which day.

    Attributes:
        on: The day for which age, terms, eligibility and provision are worked out; if it is not given, the
            day of `as_at`, or today.
    """

    on: date | None = None

    @property
    def day(self) -> date:
        """The day that is asked about.

        Raises:
            InvalidInput: Nothing is known of it.
        """
        today = school_time.today()
        return known_day("on", self.on) if self.on else min(self.as_at or today, today)


class PupilsQuery(PupilQuery, frozen=True, kw_only=True):
    """Which pupils.

    Attributes:
        nc_year: National Curriculum year.
        class_id: The class.
        on_roll: Those at the school, those who have left, or any.
        after: Those after this pupil: `next` of the page before.
        limit: The most to return.
    """

    nc_year: str | None = None
    class_id: UUID | None = None
    on_roll: Which = Which.ON_ROLL
    after: UUID | None = None
    limit: PageSize = 100


class PupilsPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of pupils.

    Attributes:
        pupils: In the order of their ids.
        next: Where the next page begins, if there is one.
        position: It shows everything up to this position of the school's stream; null as at a day.
    """

    pupils: list[PupilBody]
    next: UUID | None
    position: int | None


class FoundPupils(msgspec.Struct, frozen=True, kw_only=True):
    """The pupils that a search found."""

    pupils: list[PupilBody]
    position: int


class PupilChanged(msgspec.Struct, frozen=True, kw_only=True):
    """The pupil that a command was about, and its version after it."""

    pupil_id: UUID
    version: int
    position: int


class Leaving(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a child leaves."""

    left_on: date
    reason: Annotated[str, msgspec.Meta(max_length=200)] | None = None
    destination: Annotated[str, msgspec.Meta(max_length=200)] | None = None


class Returning(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a child comes back."""

    returned_on: date


def _changed(outcome: Outcome[PupilResult], status: int = 200) -> Answer[PupilChanged]:
    result = outcome.result
    return Answer(
        PupilChanged(pupil_id=result.pupil_id, version=result.version, position=outcome.position),
        status,
        position=outcome.position,
        repeated=outcome.repeated,
        etag=tag_of(result.version),
    )


@routes.get("/v1/classes")
def list_classes(
    caller: Annotated[Caller, signed_in(Permission.READ_PUPILS)],
    asked: Annotated[ReadQuery, query(ReadQuery)],
) -> Shown[list[ClassView]]:
    """List the classes that have pupils."""
    with reading(caller, asked.min_position, projections.pupils.NAME) as read:
        views = projections.pupils.classes(read.connection, caller.school.keys)
    return Shown(caller, ReadKind.CLASSES, (), views)


@routes.get("/v1/pupils")
def list_pupils(
    caller: Annotated[Caller, signed_in(Permission.READ_PUPILS)],
    asked: Annotated[PupilsQuery, query(PupilsQuery)],
) -> Shown[PupilsPage]:
    """List pupils, now or as at a day or position."""
    moment = moment_of(asked)
    if moment:
        see(caller, asked.min_position)
        views, position = _as_at(caller, asked, moment), moment.position
    else:
        with reading(caller, asked.min_position, projections.pupils.NAME) as read:
            position = read.position
            views = projections.pupils.find(
                read.connection,
                caller.school.keys,
                nc_year=nc_year_asked(asked.nc_year),
                class_id=asked.class_id,
                on_roll=asked.on_roll.on_roll,
                after=asked.after,
                limit=asked.limit + 1,
            )
    page = views[: asked.limit]
    return Shown(
        caller,
        ReadKind.PUPILS,
        (view.pupil_id for view in page),
        PupilsPage(
            pupils=[pupil_body(caller, view, asked.day) for view in page],
            next=page[-1].pupil_id if len(views) > len(page) else None,
            position=position,
        ),
    )


def _as_at(caller: Caller, asked: PupilsQuery, moment: Moment) -> list[PupilView]:
    """The same from the stream."""
    nc_year = nc_year_asked(asked.nc_year)
    views = [
        view_of(caller.school, pupil)
        for pupil in caller.school.roll(up_to=moment.position, at=moment.at).values()
        if asked.on_roll.on_roll in (None, pupil.on_roll) and nc_year in (None, pupil.record.nc_year)
    ]
    return sorted(
        (
            view
            for view in views
            if asked.class_id in (None, view.class_id)
            and (asked.after is None or view.pupil_id > asked.after)
        ),
        key=lambda view: view.pupil_id,
    )


@routes.post("/v1/pupils/search")
def search_pupils(
    caller: Annotated[Caller, signed_in(Permission.READ_PUPILS)],
    asked: Annotated[ReadQuery, query(ReadQuery)],
    sent: Annotated[Sent[PupilSearch], body(PupilSearch, is_command=False)],
) -> Shown[FoundPupils]:
    """Search pupils by what is known of them; what is personal stands in the body and in no address."""
    search = sent.value
    if search.says_who and not caller.may(Permission.READ_NAMES):
        raise NotPermitted(
            "Your access level does not show names, and so cannot search by them",
            needed=Permission.READ_NAMES,
        )
    class_id = caller.school.class_id_of(search.class_name) if search.class_name is not None else None
    with reading(caller, asked.min_position, projections.pupils.NAME) as read:
        views = projections.pupils.find(
            read.connection,
            caller.school.keys,
            nc_year=nc_year_asked(search.nc_year),
            class_id=class_id,
            on_roll=search.on_roll,
            limit=None,
        )
    found = [pupil_body(caller, view) for view in views if search.fits(view.names)]
    pupil_ids = (pupil.pupil_id for pupil in found)
    return Shown(caller, ReadKind.SEARCH, pupil_ids, FoundPupils(pupils=found, position=read.position))


@routes.post("/v1/pupils", status_code=201)
def admit_pupil(
    caller: Annotated[Caller, signed_in(Permission.CHANGE_PUPILS)],
    sent: Annotated[Sent[PupilParticulars], body(PupilParticulars)],
) -> Answer[PupilChanged]:
    """Begin a child's record."""
    names, record = sent.value.whole()
    return _changed(commands.admit(caller.school, names, record, caller.actor, sent.command), 201)


@routes.get("/v1/pupils/{pupil_id}", responses={304: {"description": "The reader has this version already"}})
def read_pupil(
    caller: Annotated[Caller, signed_in(Permission.READ_PUPILS)],
    asked: Annotated[PupilQuery, query(PupilQuery)],
    pupil_id: UUID,
    request: Request,
) -> Shown[PupilAnswer] | ShownBefore:
    """Read a pupil and the newest results, now or as at a day or position."""
    moment = moment_of(asked)
    if moment:
        see(caller, asked.min_position)
        then = pupil_as_at(caller.school, pupil_id, moment)
        shown = pupil_body(caller, view_of(caller.school, then.pupil), asked.day)
        answer = PupilAnswer(pupil=shown, assessments=newest(then.assessments), position=moment.position)
        return Shown(caller, ReadKind.PUPIL, [pupil_id], answer)
    names = (projections.pupils.NAME, projections.assessments.NAME)
    with reading(caller, asked.min_position, *names) as read:
        view = projections.pupils.get(read.connection, caller.school.keys, pupil_id)
        if view is None:
            caller.school.pupil(pupil_id)  # which says so, if there was one who has been erased
            raise NotFound("This school has no pupil with that id")
        latest = projections.assessments.latest(read.connection, caller.school.keys, pupil_id)
        newest_position = projections.assessments.newest_position(read.connection, caller.school_id, pupil_id)
    etag = tag_of(view.version, newest_position, asked.day)
    if is_known(request, etag):
        return ShownBefore(caller, ReadKind.PUPIL, [pupil_id], etag=etag)
    answer = PupilAnswer(
        pupil=pupil_body(caller, view, asked.day),
        assessments=assessment_bodies(latest),
        position=read.position,
    )
    return Shown(caller, ReadKind.PUPIL, [pupil_id], answer, etag=etag)


@routes.patch("/v1/pupils/{pupil_id}")
def change_pupil(
    caller: Annotated[Caller, signed_in(Permission.CHANGE_PUPILS)],
    pupil_id: UUID,
    expected: ExpectedVersion,
    sent: Annotated[Sent[PupilParticulars], body(PupilParticulars)],
) -> Answer[PupilChanged]:
    """Change some of a child's particulars."""
    return _changed(
        commands.change(caller.school, pupil_id, sent.value, expected, caller.actor, sent.command)
    )


@routes.post("/v1/pupils/{pupil_id}/leave")
def leave(
    caller: Annotated[Caller, signed_in(Permission.CHANGE_PUPILS)],
    pupil_id: UUID,
    expected: ExpectedVersion,
    sent: Annotated[Sent[Leaving], body(Leaving)],
) -> Answer[PupilChanged]:
    """Take a child off the roll."""
    outcome = commands.leave(
        caller.school,
        pupil_id,
        sent.value.left_on,
        expected,
        caller.actor,
        reason=sent.value.reason,
        destination=sent.value.destination,
        command=sent.command,
    )
    return _changed(outcome)


@routes.post("/v1/pupils/{pupil_id}/return")
def take_back(
    caller: Annotated[Caller, signed_in(Permission.CHANGE_PUPILS)],
    pupil_id: UUID,
    expected: ExpectedVersion,
    sent: Annotated[Sent[Returning], body(Returning)],
) -> Answer[PupilChanged]:
    """Put a child who had left on the roll again."""
    return _changed(
        commands.take_back(
            caller.school, pupil_id, sent.value.returned_on, expected, caller.actor, sent.command
        )
    )

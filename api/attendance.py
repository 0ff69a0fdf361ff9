"""Attendance: registers of a class and marks of one pupil, totals of periods, and what they come to."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Annotated
from uuid import UUID

import msgspec
from starlette.requests import Request

import projections.attendance
import projections.pupils
from api.assessments import AcademicYear
from api.callers import Caller, signed_in
from api.conditions import is_known
from api.encoding import Answer, ReadQuery, Sent, body, query
from api.reading import reading
from api.routing import Routes
from api.showing import Shown, ShownBefore
from api.views import alias_for, names_for
from domain.academic_year import academic_year_of
from domain.access import Permission
from domain.application.attending import DayEntry, mark, record_totals, void_totals
from domain.attendance import EARLIEST_DAY, Attendance, Session, Totals, year_bounds
from domain.attendance_summary import AttendanceSummary
from domain.codes.attendance import Half
from domain.errors import Finding, InvalidInput, NotFound
from domain.school_time import today
from domain.usage import ReadKind

routes = Routes("attendance")

MOST_ENTRIES = 5000

LATEST_DAY = date(2100, 12, 31)

Sessions = Annotated[int, msgspec.Meta(ge=0, le=10_000)]
"""A number of sessions."""

Mark = Annotated[str, msgspec.Meta(max_length=10)]
"""A code as a register holds it, such as `/` or `Y2`; `-` withdraws the one that is there."""

Reason = Annotated[str, msgspec.Meta(max_length=1000)]


class DayMarks(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The marks of a day; one that is left out stays as it is.

    Attributes:
        date: The day.
        am: The morning.
        pm: The afternoon.
    """

    date: date
    am: Mark | None = None
    pm: Mark | None = None


class NewMarks(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Marks of one pupil.

    Attributes:
        days: What is marked.
        reason: Why what stood there was wrong, if it was.
    """

    days: Annotated[list[DayMarks], msgspec.Meta(max_length=MOST_ENTRIES)]
    reason: Reason | None = None


class RegisterEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The marks of one pupil for a day."""

    pupil_id: UUID
    date: date
    am: Mark | None = None
    pm: Mark | None = None


class NewRegister(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Marks of pupils of one class: of one session, a day or a week."""

    entries: Annotated[list[RegisterEntry], msgspec.Meta(max_length=MOST_ENTRIES)]
    reason: Reason | None = None


class NewTotals(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Totals of a period: possible = attended + authorised + unauthorised."""

    first_day: date = msgspec.field(name="from")
    last_day: date = msgspec.field(name="to")
    possible: Sessions
    attended: Sessions
    authorised: Sessions
    unauthorised: Sessions
    reason: Reason | None = None


class VoidedTotals(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The period of totals that were wrong."""

    first_day: date = msgspec.field(name="from")
    last_day: date = msgspec.field(name="to")
    reason: Reason | None = None


class Marked(msgspec.Struct, frozen=True, kw_only=True):
    """How many pupils were marked, and how many sessions of theirs."""

    pupils: int
    sessions: int
    position: int


class TotalsKept(msgspec.Struct, frozen=True, kw_only=True):
    """Whose totals a command was about."""

    pupil_id: UUID
    position: int


class PeriodQuery(ReadQuery, frozen=True, kw_only=True):
    """Which period; the academic year that it is now, if none is given.

    Attributes:
        first_day: The first day.
        last_day: The last day.
        academic_year: A whole academic year instead, by the year in which it starts.
    """

    first_day: date | None = msgspec.field(name="from", default=None)
    last_day: date | None = msgspec.field(name="to", default=None)
    academic_year: AcademicYear | None = None


class RegisterQuery(ReadQuery, frozen=True, kw_only=True):
    """Which register.

    Attributes:
        date: The day; today, if none is given.
    """

    date: date | None = None


class PeriodTotals(msgspec.Struct, frozen=True, kw_only=True):
    """Totals that were entered and stand."""

    first_day: date = msgspec.field(name="from")
    last_day: date = msgspec.field(name="to")
    possible: int
    attended: int
    authorised: int
    unauthorised: int


class PupilAttendance(msgspec.Struct, frozen=True, kw_only=True):
    """A pupil's attendance in a period.

    Attributes:
        pupil_id: The pupil.
        summary: What it comes to.
        days: The days that have a mark, in their order.
        totals: The totals of periods that have a day in common with this one.
        position: It shows everything up to this position of the school's stream.
    """

    pupil_id: UUID
    summary: AttendanceSummary
    days: list[DayMarks]
    totals: list[PeriodTotals]
    position: int


class RegisterRow(msgspec.Struct, frozen=True, kw_only=True):
    """A pupil on a register, with an alias for those who may not see names; null where there is no mark."""

    pupil_id: UUID
    alias: str | None
    surname: str | None
    forename: str | None
    am: str | None
    pm: str | None


class Register(msgspec.Struct, frozen=True, kw_only=True):
    """The register of a class for a day.

    Attributes:
        class_name: The class.
        date: The day.
        pupils: Those who are in the class now, by name where the reader may see names.
        am: How many marks there are of each code in the morning.
        pm: The same of the afternoon.
        position: It shows everything up to this position of the school's stream.
    """

    class_name: str
    date: date
    pupils: list[RegisterRow]
    am: dict[str, int]
    pm: dict[str, int]
    position: int


@routes.get(
    "/v1/pupils/{pupil_id}/attendance", responses={304: {"description": "The reader has this already"}}
)
def read_attendance(
    caller: Annotated[Caller, signed_in(Permission.READ_PUPILS)],
    asked: Annotated[PeriodQuery, query(PeriodQuery)],
    pupil_id: UUID,
    request: Request,
) -> Shown[PupilAttendance] | ShownBefore:
    """Read a pupil's attendance in a period or an academic year: what it comes to, and the marks."""
    first_day, last_day = _period(asked)
    names = (projections.pupils.NAME, projections.attendance.NAME)
    with reading(caller, asked.min_position, *names) as read:
        if projections.pupils.get(read.connection, caller.school.keys, pupil_id) is None:
            caller.school.pupil(pupil_id)  # which says so, if there was one who has been erased
            raise NotFound("This school has no pupil with that id")
        view = projections.attendance.of_pupil(
            read.connection, caller.school.keys, pupil_id, first_day, last_day
        )
    etag = f'"{first_day:%Y%m%d}-{last_day:%Y%m%d}-{view.position}"'
    if is_known(request, etag):
        return ShownBefore(caller, ReadKind.ATTENDANCE, [pupil_id], etag=etag)
    answer = PupilAttendance(
        pupil_id=pupil_id,
        summary=view.summary(first_day, last_day),
        days=_days(view.attendance, first_day, last_day),
        totals=[
            PeriodTotals(**msgspec.structs.asdict(each))
            for _, each in sorted(view.attendance.totals.items())
            if each.first_day <= last_day and first_day <= each.last_day
        ],
        position=read.position,
    )
    return Shown(caller, ReadKind.ATTENDANCE, [pupil_id], answer, etag=etag)


def _period(asked: PeriodQuery) -> tuple[date, date]:
    """The first and the last day that a query asks about.

    Raises:
        InvalidInput: It asks for both or half a period, or for one that ends before it begins or that
            nothing is known of.
    """
    if asked.academic_year is not None and (asked.first_day or asked.last_day):
        finding = Finding(
            field="academic_year", found="both", accepted="an academic year, or from and to, not both"
        )
        raise InvalidInput("Two periods at once", [finding])
    if asked.first_day is None and asked.last_day is None:
        year = asked.academic_year
        return year_bounds(academic_year_of(today()) if year is None else year)
    if asked.first_day is None or asked.last_day is None:
        field = "from" if asked.first_day is None else "to"
        raise InvalidInput(
            "Half a period", [Finding(field=field, found="nothing", accepted="a day: from and to together")]
        )
    for field, day, first in (
        ("from", asked.first_day, EARLIEST_DAY),
        ("to", asked.last_day, asked.first_day),
    ):
        if not first <= day <= LATEST_DAY:
            accepted = f"a day from {first.isoformat()} to {LATEST_DAY.isoformat()}"
            finding = Finding(field=field, found=day.isoformat(), accepted=accepted)
            raise InvalidInput("This is no period that there can be attendance of", [finding])
    return asked.first_day, asked.last_day


def _days(attendance: Attendance, first_day: date, last_day: date) -> list[DayMarks]:
    days = sorted({session.day for session in attendance.marks if first_day <= session.day <= last_day})
    return [
        DayMarks(
            date=day,
            am=attendance.marks.get(Session(day, Half.AM)),
            pm=attendance.marks.get(Session(day, Half.PM)),
        )
        for day in days
    ]


@routes.post("/v1/pupils/{pupil_id}/attendance", status_code=201)
def mark_pupil(
    caller: Annotated[Caller, signed_in(Permission.RECORD_ATTENDANCE_OF_OWN_CLASSES)],
    pupil_id: UUID,
    sent: Annotated[Sent[NewMarks], body(NewMarks)],
) -> Answer[Marked]:
    """Mark sessions of a pupil: all that are sent, or none; what was marked first stays in the history."""
    caller.school.pupil(pupil_id)
    given = sent.value
    outcome = mark(
        caller.school,
        [DayEntry(pupil_id=pupil_id, day=each.date, am=each.am, pm=each.pm) for each in given.days],
        caller.actor,
        reason=given.reason,
        only_classes=caller.only_classes_for(Permission.RECORD_ATTENDANCE),
        command=sent.command,
    )
    done = Marked(pupils=outcome.result.pupils, sessions=outcome.result.sessions, position=outcome.position)
    return Answer(done, 201, position=outcome.position, repeated=outcome.repeated)


@routes.post("/v1/pupils/{pupil_id}/attendance/totals", status_code=201)
def record_pupil_totals(
    caller: Annotated[Caller, signed_in(Permission.RECORD_ATTENDANCE_OF_OWN_CLASSES)],
    pupil_id: UUID,
    sent: Annotated[Sent[NewTotals], body(NewTotals)],
) -> Answer[TotalsKept]:
    """Record totals of a period within an academic year; those of periods that lie in it are replaced."""
    given = msgspec.structs.asdict(sent.value)
    reason = given.pop("reason")
    outcome = record_totals(
        caller.school,
        pupil_id,
        Totals(**given),
        caller.actor,
        reason=reason,
        only_classes=caller.only_classes_for(Permission.RECORD_ATTENDANCE),
        command=sent.command,
    )
    kept = TotalsKept(pupil_id=outcome.result.pupil_id, position=outcome.position)
    return Answer(kept, 201, position=outcome.position, repeated=outcome.repeated)


@routes.post("/v1/pupils/{pupil_id}/attendance/totals/void")
def void_pupil_totals(
    caller: Annotated[Caller, signed_in(Permission.RECORD_ATTENDANCE_OF_OWN_CLASSES)],
    pupil_id: UUID,
    sent: Annotated[Sent[VoidedTotals], body(VoidedTotals)],
) -> Answer[TotalsKept]:
    """Void the totals of exactly this period; what was entered stays in the history."""
    given = sent.value
    outcome = void_totals(
        caller.school,
        pupil_id,
        given.first_day,
        given.last_day,
        caller.actor,
        reason=given.reason,
        only_classes=caller.only_classes_for(Permission.RECORD_ATTENDANCE),
        command=sent.command,
    )
    kept = TotalsKept(pupil_id=outcome.result.pupil_id, position=outcome.position)
    return Answer(kept, position=outcome.position, repeated=outcome.repeated)


@routes.get("/v1/classes/{class_id}/attendance")
def read_register(
    caller: Annotated[Caller, signed_in(Permission.READ_PUPILS)],
    asked: Annotated[RegisterQuery, query(RegisterQuery)],
    class_id: UUID,
) -> Shown[Register]:
    """Read the register of a class for a day."""
    day = asked.date or today()
    if not EARLIEST_DAY <= day <= LATEST_DAY:
        accepted = f"a day from {EARLIEST_DAY.isoformat()} to {LATEST_DAY.isoformat()}"
        finding = Finding(field="date", found=day.isoformat(), accepted=accepted)
        raise InvalidInput("This is no day that there can be a register of", [finding])
    names = (projections.pupils.NAME, projections.attendance.NAME)
    keys = caller.school.keys
    with reading(caller, asked.min_position, *names) as read:
        views = projections.pupils.find(read.connection, keys, class_id=class_id, limit=None)
        if not views:
            raise NotFound("This school has no class with that id")
        pupil_ids = [view.pupil_id for view in views]
        attended = projections.attendance.of_pupils(read.connection, keys, pupil_ids, day, day)
    rows = []
    for view in views:
        marks = attended[view.pupil_id].attendance.marks
        shown = names_for(caller, view.names)
        rows.append(
            RegisterRow(
                pupil_id=view.pupil_id,
                alias=alias_for(caller, view.pupil_id),
                surname=shown.surname if shown else None,
                forename=shown.forename if shown else None,
                am=marks.get(Session(day, Half.AM)),
                pm=marks.get(Session(day, Half.PM)),
            )
        )
    # The order must not tell what the names do not: those without stay in the order of their ids.
    rows.sort(key=lambda row: ((row.surname or "").casefold(), (row.forename or "").casefold()))
    return Shown(
        caller,
        ReadKind.REGISTER,
        pupil_ids,
        Register(
            class_name=views[0].record.class_name or "",
            date=day,
            pupils=rows,
            am=dict(sorted(Counter(row.am for row in rows if row.am).items())),
            pm=dict(sorted(Counter(row.pm for row in rows if row.pm).items())),
            position=read.position,
        ),
    )


@routes.post("/v1/classes/{class_id}/attendance", status_code=201)
def mark_register(
    caller: Annotated[Caller, signed_in(Permission.RECORD_ATTENDANCE_OF_OWN_CLASSES)],
    class_id: UUID,
    sent: Annotated[Sent[NewRegister], body(NewRegister)],
) -> Answer[Marked]:
    """Mark the register of a class, for one session or many: all that is sent, or none."""
    given = sent.value
    outcome = mark(
        caller.school,
        [DayEntry(pupil_id=each.pupil_id, day=each.date, am=each.am, pm=each.pm) for each in given.entries],
        caller.actor,
        reason=given.reason,
        class_id=class_id,
        only_classes=caller.only_classes_for(Permission.RECORD_ATTENDANCE),
        command=sent.command,
    )
    done = Marked(pupils=outcome.result.pupils, sessions=outcome.result.sessions, position=outcome.position)
    return Answer(done, 201, position=outcome.position, repeated=outcome.repeated)

"""Made-up histories of schools: every kind of event, in an order in which it may happen."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from random import Random
from uuid import UUID

import msgspec

import domain.pupil
from domain.academic_year import TERMS, AssessmentPoint, Term
from domain.application.school_application import assessments_of, attendance_of, logins_of, targets_of
from domain.assessment import (
    STATEMENTS,
    AssessmentCorrected,
    AssessmentRecorded,
    AssessmentVoided,
    Result,
    result_of,
    steps_result,
)
from domain.attendance import (
    AttendanceMarked,
    AttendanceTotalled,
    AttendanceTotalsVoided,
    Totals,
    year_bounds,
)
from domain.codes.steps import STEPS
from domain.codes.upn import make_upn
from domain.events import OPERATOR, Event
from domain.identifiers import log_id_of, new_id
from domain.ledger.database import Database
from domain.ledger.mapper import EventMapper
from domain.ledger.stream import Appended, Stream
from domain.login import LoginFailed, LoginFailure, SessionClosed, SessionEnd, SessionOpened
from domain.pupil import AttendanceTotals, ErasureReason, Pupil, PupilErased, PupilNames, PupilRecord
from domain.school import ImportCompleted
from domain.targets import Target, TargetRemoved, TargetSet, cell_of, target_of
from domain.vault import keystore
from domain.vault.keyring import Keyring
from tests.keys import add_school


class Happenings:
    """What may happen to one school next, chosen at random but always possible."""

    def __init__(self, school_id: UUID, random: Random) -> None:
        self.school_id = school_id
        self._random = random
        self._pupils: list[Pupil] = []
        self._admitted = 0
        self._recorded: list[tuple[UUID, UUID, Result]] = []
        self._statements = [new_id() for _ in range(3)]
        self._targets: list[tuple[UUID, UUID, Target]] = []
        self._totalled: list[tuple[UUID, Totals]] = []
        self._versions: dict[UUID, int] = {}
        self._staff = [new_id() for _ in range(3)]
        self._login_key = new_id()

    def events(self, count: int) -> list[Event]:
        """The next events."""
        kinds: list[tuple[Callable[[], Event], int]] = [
            (self._admit, 3),
            (self._change, 4),
            (self._leave_or_return, 2),
            (self._record, 8),
            (self._correct, 4),
            (self._void, 2),
            (self._set_target, 3),
            (self._remove_target, 1),
            (self._mark, 5),
            (self._total, 3),
            (self._void_totals, 1),
            (self._log_in_or_out, 3),
            (self._import, 1),
            (self._erase, 1),
        ]
        choices, weights = zip(*kinds, strict=True)
        return [self._random.choices(choices, weights)[0]() for _ in range(count)]

    def _next(self, originator_id: UUID) -> int:
        version = self._versions[originator_id] = self._versions.get(originator_id, 0) + 1
        return version

    def _admit(self) -> Event:
        number = self._admitted = self._admitted + 1
        names = PupilNames(
            surname=f"Surname{number}",
            forename=f"Forename{number}",
            date_of_birth=date(2017, 9, 1) + timedelta(days=number % 365),
            upn=make_upn(881, 2001, 2021, number % 1000),
        )
        record = PupilRecord(
            sex=self._random.choice("FM"),
            date_of_entry=date(2021, 9, 1),
            nc_year=self._random.choice([None, "R", "3", "4"]),
            class_name=self._random.choice([None, "Red", "Blue"]),
            attendance=self._so_far(),
        )
        event = domain.pupil.admit(new_id(), names, record, OPERATOR)
        self._pupils.append(self._after(None, event))
        self._next(event.originator_id)
        return event

    def _after(self, pupil: Pupil | None, event: Event) -> Pupil:
        after = domain.pupil.fold(pupil, [event])
        assert after
        return after

    def _some(self) -> int | None:
        return self._random.randrange(len(self._pupils)) if self._pupils else None

    def _change(self) -> Event:
        if (place := self._some()) is None:
            return self._admit()
        pupil = self._pupils[place]
        names, record = pupil.names, pupil.record
        if self._random.random() < 0.5:
            names = msgspec.structs.replace(names, surname=f"New{self._random.random()}")
        if names == pupil.names or self._random.random() < 0.5:
            record = msgspec.structs.replace(
                record,
                class_name=self._random.choice([None, "Red", "Blue", "red"]),
                nc_year=self._random.choice([None, "R", "3", "4", "5"]),
                gifted=self._random.choice([None, True, False]),
                attendance=self._random.choice([record.attendance, self._so_far()]),
            )
        event = domain.pupil.change(pupil, names, record, OPERATOR)
        if event is None:
            return self._log_in_or_out()
        self._next(pupil.id)
        self._pupils[place] = self._after(pupil, event)
        return event

    def _leave_or_return(self) -> Event:
        if (place := self._some()) is None:
            return self._admit()
        pupil = self._pupils[place]
        event: Event
        if pupil.left_on:
            event = domain.pupil.take_back(pupil, pupil.left_on, OPERATOR)
        else:
            event = domain.pupil.leave(pupil, date(2025, 7, 1), OPERATOR, "moved", "Elsewhere Primary")
        self._next(pupil.id)
        self._pupils[place] = self._after(pupil, event)
        return event

    def _erase(self) -> Event:
        if (place := self._some()) is None:
            return self._admit()
        pupil = self._pupils.pop(place)
        self._recorded = [entry for entry in self._recorded if entry[1] != pupil.id]
        self._targets = [entry for entry in self._targets if entry[1] != pupil.id]
        self._totalled = [entry for entry in self._totalled if entry[0] != pupil.id]
        return domain.pupil.erase(pupil, self._random.choice(list(ErasureReason)), OPERATOR)

    def _result(self, nc_year: str | None) -> Result:
        if self._random.random() < 0.2:
            return Result(
                scheme="statutory",
                subject="ENG",
                value=self._random.choice(["WTS", "EXS", "GDS"]),
                academic_year=2023,
                stage="KS1",
                component=self._random.choice(["REA", "WRI"]),
                method="TA",
            )
        point = AssessmentPoint(2024, self._random.choice([*TERMS, Term.SUMMER_2]))
        subject = self._random.choice(["REA", "MAT"])
        if self._random.random() < 0.2:
            value = self._random.choice(["not-yet", "achieved"])
            statement = self._random.choice(self._statements)
            return result_of(STATEMENTS, subject, value, point, nc_year, statement=statement)
        # One in three within the band of the year, so that some are where they are expected.
        band = nc_year if nc_year in {"3", "4", "5"} else "3"
        values = list(STEPS) if self._random.random() < 0.7 else [f"{band}{step}" for step in "bws"]
        return steps_result(subject, self._random.choice(values), point, nc_year)

    def _record(self) -> Event:
        if (place := self._some()) is None:
            return self._admit()
        # Few pupils are assessed often, so that later entries meet earlier ones.
        pupil = self._pupils[place % 4]
        log = assessments_of(pupil.id)
        event = AssessmentRecorded(
            originator_id=log,
            originator_version=self._next(log),
            actor=OPERATOR,
            assessment_id=new_id(),
            pupil_id=pupil.id,
            result=self._result(pupil.record.nc_year),
        )
        self._recorded.append((event.assessment_id, pupil.id, event.result))
        return event

    def _correct(self) -> Event:
        if not self._recorded:
            return self._record()
        assessment_id, pupil_id, result = self._random.choice(self._recorded[-8:])
        values = {"steps": list(STEPS), STATEMENTS: ["not-yet", "achieved"]}.get(
            result.scheme, ["WTS", "EXS", "GDS"]
        )
        log = assessments_of(pupil_id)
        return AssessmentCorrected(
            originator_id=log,
            originator_version=self._next(log),
            actor=OPERATOR,
            assessment_id=assessment_id,
            pupil_id=pupil_id,
            result=msgspec.structs.replace(result, value=self._random.choice(values)),
            reason="slip of the pen",
        )

    def _void(self) -> Event:
        if not self._recorded:
            return self._record()
        place = self._random.randrange(max(0, len(self._recorded) - 8), len(self._recorded))
        assessment_id, pupil_id, _ = self._recorded.pop(place)
        log = assessments_of(pupil_id)
        return AssessmentVoided(
            originator_id=log,
            originator_version=self._next(log),
            actor=OPERATOR,
            assessment_id=assessment_id,
            pupil_id=pupil_id,
            reason="of another child",
        )

    def _set_target(self) -> Event:
        if (place := self._some()) is None:
            return self._admit()
        pupil_id = self._pupils[place % 4].id
        value, subject = self._random.choice(list(STEPS)), self._random.choice(["REA", "MAT"])
        target = target_of("steps", subject, value, AssessmentPoint(2025, self._random.choice(TERMS)))
        known = [
            each for each, of, there in self._targets if (of, cell_of(there)) == (pupil_id, cell_of(target))
        ]
        target_id = known[0] if known else new_id()
        if not known:
            self._targets.append((target_id, pupil_id, target))
        log = targets_of(pupil_id)
        return TargetSet(
            originator_id=log,
            originator_version=self._next(log),
            actor=OPERATOR,
            target_id=target_id,
            pupil_id=pupil_id,
            target=target,
        )

    def _remove_target(self) -> Event:
        if not self._targets:
            return self._set_target()
        target_id, pupil_id, _ = self._targets.pop(self._random.randrange(len(self._targets)))
        log = targets_of(pupil_id)
        return TargetRemoved(
            originator_id=log,
            originator_version=self._next(log),
            actor=OPERATOR,
            target_id=target_id,
            pupil_id=pupil_id,
            reason=self._random.choice([None, "of another child"]),
        )

    def _so_far(self) -> AttendanceTotals | None:
        missed = self._random.randrange(9)
        year = self._random.choice([None, 2023, 2024, 2025])
        if year is None:
            return None
        return AttendanceTotals(academic_year=year, possible=90, authorised=missed, unauthorised=1)

    def _mark(self) -> Event:
        if (place := self._some()) is None:
            return self._admit()
        # The years before and after 2024/25 are reached, too.
        pupil_id, days = self._pupils[place % 4].id, self._random.randrange(400)
        log = attendance_of(pupil_id)
        marks = ["/", "\\", "I", "D", "-", "-", "A", "", ""]
        return AttendanceMarked(
            originator_id=log,
            originator_version=self._next(log),
            actor=OPERATOR,
            pupil_id=pupil_id,
            first_day=date(2024, 8, 10) + timedelta(days=days),
            marks=tuple(self._random.choices(marks, k=self._random.randint(1, 60))),
        )

    def _total(self) -> Event:
        if (place := self._some()) is None:
            return self._admit()
        pupil_id = self._pupils[place % 4].id
        start, end = year_bounds(self._random.choice([2023, 2024]))
        first_day = start + timedelta(days=self._random.randrange(360))
        attended = self._random.randrange(99)
        totals = Totals(
            first_day=first_day,
            last_day=min(end, first_day + timedelta(days=self._random.randrange(90))),
            possible=attended + 1,
            attended=attended,
            authorised=1,
            unauthorised=0,
        )
        self._totalled.append((pupil_id, totals))
        log = attendance_of(pupil_id)
        return AttendanceTotalled(
            originator_id=log,
            originator_version=self._next(log),
            actor=OPERATOR,
            pupil_id=pupil_id,
            totals=totals,
            reason="counted anew",
        )

    def _void_totals(self) -> Event:
        if not self._totalled:
            return self._total()
        pupil_id, totals = self._random.choice(self._totalled[-4:])
        log = attendance_of(pupil_id)
        return AttendanceTotalsVoided(
            originator_id=log,
            originator_version=self._next(log),
            actor=OPERATOR,
            pupil_id=pupil_id,
            first_day=totals.first_day,
            last_day=totals.last_day,
        )

    def _log_in_or_out(self) -> Event:
        staff_id = self._random.choice(self._staff)
        log = logins_of(staff_id)
        version = self._next(log)
        kind = self._random.randrange(3)
        if kind == 0:
            return SessionOpened(
                originator_id=log,
                originator_version=version,
                actor=OPERATOR,
                session_id=new_id(),
                staff_id=staff_id,
                key_id=self._login_key,
            )
        if kind == 1:
            return SessionClosed(
                originator_id=log,
                originator_version=version,
                actor=OPERATOR,
                session_id=new_id(),
                staff_id=staff_id,
                reason=self._random.choice(list(SessionEnd)),
            )
        return LoginFailed(
            originator_id=log,
            originator_version=version,
            actor=OPERATOR,
            staff_id=self._random.choice([None, staff_id]),
            reason=self._random.choice(list(LoginFailure)),
        )

    def _import(self) -> Event:
        log = log_id_of(self.school_id, "imports")
        return ImportCompleted(
            originator_id=log,
            originator_version=self._next(log),
            actor=OPERATOR,
            import_id=new_id(),
            format="ctf",
            created=0,
            changed=1,
            unchanged=0,
            results=0,
        )


class LivelySchool:
    """A school with keys of its own, in whose stream things happen."""

    def __init__(self, database: Database, urn: str, seed: int = 0) -> None:
        school_id = new_id()
        self.keys = add_school(database, school_id, urn)
        self.stream = Stream(database, school_id)
        self.keyring = Keyring(self.keys)
        self._happenings = Happenings(school_id, Random(seed))
        self._sizes = Random(seed)

    @property
    def school_id(self) -> UUID:
        return self.keys.school_id

    def make_keys(self, *subjects: UUID) -> None:
        """Makes keys for people of whom nothing is known yet."""
        made = [self.keyring.make(subject) for subject in subjects]
        with self.stream.database.bound_to(self.school_id) as connection:
            keystore.add_subjects(connection, self.school_id, made)

    def happen(self, count: int, most_at_once: int = 20) -> Appended:
        """Appends the next events, in batches of various sizes."""
        events = self._happenings.events(count)
        while True:
            size = self._sizes.randint(1, most_at_once)
            appended = self.append(events[:size])
            events = events[size:]
            if not events:
                return appended

    def append(self, events: Iterable[Event]) -> Appended:
        """Appends events and, in the same transaction, makes and destroys the keys of whom they are about."""
        events = list(events)
        made = [self.keyring.make(event.subject) for event in events if event.founds]
        mapper = EventMapper(self.keyring)
        stored = [mapper.to_stored_event(event) for event in events]
        with self.stream.database.bound_to(self.school_id) as connection:
            appended = self.stream.append(stored, connection=connection)
            keystore.add_subjects(connection, self.school_id, made)
            for event in events:
                if isinstance(event, PupilErased):
                    keystore.destroy_subject(connection, self.school_id, event.subject)
            return appended

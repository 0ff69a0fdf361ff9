"""One made-up example of every event class, with every field set.

A new event class needs an example here, and then ``python -m tests.ledger.golden`` to record what is stored
of it. When an event class gets a new version, `FORMER` says what the bytes of the one before are read as from
then on.
"""

from __future__ import annotations

import importlib
import pkgutil
from datetime import UTC, date, datetime

import domain
from domain.access import AccessLevel, Permission
from domain.assessment import AssessmentCorrected, AssessmentRecorded
from domain.events import OPERATOR, REGISTRY, SYSTEM, Event
from domain.keys import KeyIssued, KeyOrigin, KeyRevoked, KeyUsed
from domain.login import LoginFailed, LoginFailure, SessionClosed, SessionEnd, SessionOpened
from domain.notes import NoteChanged, NoteRemoved, NoteWritten
from domain.pupil import (
    ConcernClosed,
    ConcernOpened,
    ErasureReason,
    PupilAdmitted,
    PupilChanged,
    PupilErased,
    PupilLeft,
    PupilReturned,
    PupilSnapshot,
)
from domain.pupil_record import (
    AttendanceTotals,
    PupilNames,
    PupilRecord,
    RecordChange,
)
from domain.resets import PasswordResetRequested, PasswordResetUsed
from domain.school import ImportCompleted, SchoolFacts, SchoolRegistered
from domain.staff import (
    Access,
    StaffAccessChanged,
    StaffAdded,
    StaffAdviserProlonged,
    StaffDisabled,
    StaffEnabled,
    StaffHeadteacherAppointed,
    StaffHeadteacherEnded,
    StaffNames,
    StaffPasswordSet,
)
from domain.usage import AccessRefused, Read, ReadKind, RecordsRead
from tests.ledger.benchmark_examples import BENCHMARK_EXAMPLES
from tests.ledger.example_ids import (
    ASSESSMENT,
    CONCERN,
    IMPORT,
    KEYS_LOG,
    LOGIN_KEY,
    NOTE,
    PUPIL,
    RESULT,
    SCHOOL,
    SESSION,
    STAFF,
    TEACHER,
    USAGE_LOG,
)
from tests.ledger.record_examples import RECORD_EXAMPLES

# Every module of the domain, so that no event class is left out for not having been imported.
for _module in pkgutil.iter_modules(domain.__path__):
    importlib.import_module(f"domain.{_module.name}")

EVENT_CLASSES = sorted(REGISTRY.classes.values(), key=lambda cls: cls.name)
"""The registered event classes."""

EXAMPLES: tuple[Event, ...] = (
    SchoolRegistered(
        originator_id=SCHOOL,
        originator_version=1,
        actor=OPERATOR,
        facts=SchoolFacts(
            name="Elm Lane Primary School",
            urn="100001",
            local_authority="881",
            establishment="2001",
            region="East of England",
        ),
        agreement_from=date(2024, 9, 1),
        official_email="office@elmlane.example",
    ),
    ImportCompleted(
        originator_id=SCHOOL,
        originator_version=2,
        actor=TEACHER,
        import_id=IMPORT,
        format="ctf",
        created=30,
        changed=2,
        unchanged=1,
        results=120,
    ),
    StaffAdded(
        originator_id=STAFF,
        originator_version=1,
        actor=OPERATOR,
        names=StaffNames(username="j.okafor", display_name="Jo Okafor"),
        access=Access(AccessLevel.LIMITED_READ_WRITE, ("4 Oak", "4 Ash")),
        password_verifier="made-up-verifier",
        for_administrators=True,
        adviser_reason="Moderates writing",
        adviser_until=date(2027, 7, 31),
    ),
    StaffAccessChanged(
        originator_id=STAFF, originator_version=2, actor=TEACHER, access=Access(AccessLevel.ADMIN, ("4 Oak",))
    ),
    StaffPasswordSet(
        originator_id=STAFF,
        originator_version=3,
        actor=TEACHER,
        password_verifier="another-verifier",
        for_administrators=True,
    ),
    StaffDisabled(originator_id=STAFF, originator_version=4, actor=TEACHER),
    StaffEnabled(originator_id=STAFF, originator_version=5, actor=TEACHER),
    StaffAdviserProlonged(originator_id=STAFF, originator_version=6, actor=TEACHER, until=date(2027, 9, 30)),
    StaffHeadteacherAppointed(originator_id=STAFF, originator_version=7, actor=OPERATOR),
    StaffHeadteacherEnded(originator_id=STAFF, originator_version=8, actor=TEACHER),
    PasswordResetRequested(
        originator_id=SESSION,
        originator_version=4,
        actor=SYSTEM,
        staff_id=STAFF,
        key_id=LOGIN_KEY,
        sent=True,
    ),
    PasswordResetUsed(
        originator_id=SESSION, originator_version=5, actor=SYSTEM, staff_id=STAFF, key_id=LOGIN_KEY
    ),
    RecordsRead(
        originator_id=USAGE_LOG,
        originator_version=1,
        actor=TEACHER,
        session_id=SESSION,
        staff_id=STAFF,
        reads=(
            Read(datetime(2026, 9, 7, 8, 15, tzinfo=UTC), ReadKind.SHEET, named=True, pupils=PUPIL.bytes),
            Read(datetime(2026, 9, 7, 8, 16, tzinfo=UTC), ReadKind.CLASSES, named=False),
        ),
        lost=2,
    ),
    AccessRefused(
        originator_id=USAGE_LOG,
        originator_version=2,
        actor=TEACHER,
        session_id=SESSION,
        staff_id=STAFF,
        at=datetime(2026, 9, 7, 8, 17, tzinfo=UTC),
        route="GET /v1/logins",
        permission=Permission.READ_AUDIT,
        times=3,
    ),
    KeyIssued(
        originator_id=KEYS_LOG,
        originator_version=1,
        actor=TEACHER,
        school_id=SCHOOL,
        key_id=LOGIN_KEY,
        origin=KeyOrigin.ADMINISTRATOR,
        label="the office at the lower site",
    ),
    KeyRevoked(originator_id=KEYS_LOG, originator_version=2, actor=TEACHER, key_id=LOGIN_KEY, leaked=True),
    KeyUsed(originator_id=KEYS_LOG, originator_version=3, actor=OPERATOR, key_id=LOGIN_KEY),
    SessionOpened(
        originator_id=SESSION,
        originator_version=1,
        actor=TEACHER,
        session_id=SESSION,
        staff_id=STAFF,
        key_id=LOGIN_KEY,
    ),
    SessionClosed(
        originator_id=SESSION,
        originator_version=2,
        actor=TEACHER,
        session_id=SESSION,
        staff_id=STAFF,
        reason=SessionEnd.REVOKED,
    ),
    LoginFailed(
        originator_id=SESSION,
        originator_version=3,
        actor=TEACHER,
        staff_id=STAFF,
        key_id=LOGIN_KEY,
        reason=LoginFailure.WRONG_PASSWORD,
    ),
    PupilAdmitted(
        originator_id=PUPIL,
        originator_version=1,
        actor=TEACHER,
        names=PupilNames(
            surname="Exempel",
            forename="Zoë",
            date_of_birth=date(2016, 2, 29),
            upn="A100001225001",
            former_upns=("X100001225002",),
            postcode="CM1 1QH",
        ),
        record=PupilRecord(
            sex="F",
            date_of_entry=date(2020, 9, 3),
            nc_year="4",
            class_name="4 Oak",
            free_school_meals=True,
            first_language="ENG",
            ethnicity="WBRI",
            sen_provision="K",
            in_care=False,
            gifted=True,
            attendance=AttendanceTotals(academic_year=2024, possible=190, authorised=4, unauthorised=1),
        ),
    ),
    PupilChanged(
        originator_id=PUPIL,
        originator_version=2,
        actor=TEACHER,
        names=PupilNames(surname="Exempel-Lund", forename="Zoë", date_of_birth=date(2016, 2, 29)),
        record=RecordChange(nc_year="5", class_name=None, free_school_meals=False),
    ),
    PupilLeft(
        originator_id=PUPIL,
        originator_version=3,
        actor=TEACHER,
        left_on=date(2025, 4, 4),
        reason="moved away",
        destination="Ash Grove Primary School",
    ),
    PupilReturned(originator_id=PUPIL, originator_version=4, actor=TEACHER, returned_on=date(2025, 9, 2)),
    PupilErased(originator_id=PUPIL, originator_version=5, actor=TEACHER, reason=ErasureReason.RETENTION),
    PupilSnapshot(
        originator_id=PUPIL,
        originator_version=4,
        actor=OPERATOR,
        names=PupilNames(surname="Exempel", forename="Zoë", date_of_birth=date(2016, 2, 29)),
        record=PupilRecord(sex="F", date_of_entry=date(2020, 9, 3)),
        left_on=date(2025, 4, 4),
    ),
    ConcernOpened(
        originator_id=PUPIL,
        originator_version=6,
        actor=TEACHER,
        concern_id=CONCERN,
        opened_on=date(2025, 1, 13),
        text="Very quiet since the holidays",
    ),
    ConcernClosed(
        originator_id=PUPIL,
        originator_version=7,
        actor=TEACHER,
        concern_id=CONCERN,
        closed_on=date(2025, 3, 3),
        outcome="Chatty again",
    ),
    NoteWritten(
        originator_id=PUPIL,
        originator_version=1,
        actor=TEACHER,
        note_id=NOTE,
        pupil_id=PUPIL,
        written_on=date(2025, 5, 6),
        text="Read aloud in assembly",
    ),
    NoteChanged(
        originator_id=PUPIL,
        originator_version=2,
        actor=TEACHER,
        note_id=NOTE,
        pupil_id=PUPIL,
        text="Read a poem in assembly",
    ),
    NoteRemoved(originator_id=PUPIL, originator_version=3, actor=TEACHER, note_id=NOTE, pupil_id=PUPIL),
    AssessmentRecorded(
        originator_id=PUPIL,
        originator_version=1,
        actor=TEACHER,
        assessment_id=ASSESSMENT,
        pupil_id=PUPIL,
        result=RESULT,
    ),
    AssessmentCorrected(
        originator_id=PUPIL,
        originator_version=2,
        actor=TEACHER,
        assessment_id=ASSESSMENT,
        pupil_id=PUPIL,
        result=RESULT,
        reason="entered for the wrong child",
    ),
    *RECORD_EXAMPLES,
    *BENCHMARK_EXAMPLES,
)
"""The newest version of every event class."""

FORMER: dict[str, Event] = {}
"""What recorded examples of older versions are to be read as now: ``pupil.left.1``, ``pupil.left.1 bare``."""

"""A school with a headteacher, permissions that they give, and releases under them."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import msgspec

from domain import school_time
from domain.access import AccessLevel
from domain.application import (
    accounts,
    assessing,
    permissions,
    pupils,
)
from domain.application.assessing import Entry
from domain.application.registration import register
from domain.application.releasing import Asked, Release, release
from domain.application.school_application import SchoolApplication, Schools
from domain.bundles.archive import problems_of
from domain.events import OPERATOR
from domain.permissions import (
    PermissionUsed,
    ReleasePermission,
    Scope,
    Terms,
    permissions_of,
)
from domain.staff import Access, StaffNames
from tests.application.conftest import PASSWORD, RegisteredSchool, registration, staff
from tests.application.examples import NOW
from tests.keys import opened

_urns = count(800001)

AT = datetime.now(UTC)
TODAY = school_time.today()


def headed(schools: Schools) -> RegisteredSchool:
    """A school whose administrator is its headteacher."""
    urn = str(next(_urns))
    made = register(schools, msgspec.structs.replace(registration(urn), headteacher=True))
    assert made.login_key
    school = opened(schools, made.login_key)
    names = StaffNames(username="Teacher", display_name="A Teacher")
    teacher = accounts.add_staff(school, names, Access(AccessLevel.READ_WRITE), PASSWORD, OPERATOR)
    head = staff(made.outcome.result.administrator_id)
    return RegisteredSchool(urn, made.login_key, school, head, staff(teacher.result.staff_id))


def terms(**changes: Any) -> Terms:
    said: dict[str, Any] = {
        "recipient": "Countyshire Council",
        "purpose": "Moderation of writing",
        "scope": Scope.NAMED_PUPILS,
        "until": TODAY + timedelta(days=30),
    }
    return Terms(**(said | changes))


def given(registered: RegisteredSchool, **changes: Any) -> UUID:
    outcome = permissions.give(registered.application, terms(**changes), registered.administrator)
    return outcome.result.permission_id


def asked(permission_id: UUID, **changes: Any) -> Asked:
    said: dict[str, Any] = {
        "permission_id": permission_id,
        "recipient": "Countyshire Council",
        "purpose": "Moderation of writing",
        "scope": Scope.NAMED_PUPILS,
    }
    return Asked(**(said | changes))


def released(registered: RegisteredSchool, permission_id: UUID, **changes: Any) -> Release:
    return release(registered.application, asked(permission_id, **changes), registered.teacher, AT)


def permission(school: SchoolApplication, permission_id: UUID) -> ReleasePermission:
    return permissions.permissions_and_version(school)[0][permission_id]


def uses(school: SchoolApplication) -> list[PermissionUsed]:
    events = school.read(school.stream.events_of(permissions_of(school.school_id)))
    return [event for event in events if isinstance(event, PermissionUsed)]


def parts(content: bytes) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """The cover sheet, and the rows of the file that it speaks of."""
    assert problems_of(io.BytesIO(content)) == []
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        cover = json.loads(archive.read("cover-sheet.json"))
        data = archive.read(cover["file"])
        assert set(archive.namelist()) == {"cover-sheet.json", cover["file"], "manifest.json"}
    assert hashlib.sha256(data).hexdigest() == cover["sha256"]
    return cover, list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))


def judged(registered: RegisteredSchool, pupil_ids: list[UUID], value: str = "4w") -> None:
    entries = [Entry(pupil_id=pupil_id, subject="WRI", value=value) for pupil_id in pupil_ids]
    assessing.record(registered.application, NOW, entries, registered.teacher)


def leave(registered: RegisteredSchool, pupil_id: UUID) -> None:
    pupils.leave(registered.application, pupil_id, TODAY, 1, registered.teacher)

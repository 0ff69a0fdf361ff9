"""Access levels, and what each of them may do."""

from __future__ import annotations

from enum import StrEnum


class AccessLevel(StrEnum):
    """The five access levels that a school gives its users."""

    READ_ONLY_NO_NAMES = "read-only-nonames"
    READ_ONLY = "read-only"
    LIMITED_READ_WRITE = "limited-read-write"
    READ_WRITE = "read-write"
    ADMIN = "admin"


class Permission(StrEnum):
    """What a route or a command asks for."""

    READ_SCHOOL = "read the school"
    READ_PUPILS = "read pupils"
    READ_NAMES = "read who pupils are"
    READ_BENCHMARKS = "read benchmarks"
    RECORD_ASSESSMENTS_OF_OWN_CLASSES = "record assessments of the classes given"
    RECORD_ASSESSMENTS = "record assessments"
    RECORD_ATTENDANCE_OF_OWN_CLASSES = "record attendance of the classes given"
    RECORD_ATTENDANCE = "record attendance"
    CHANGE_PUPILS = "change pupils"
    IMPORT_PUPILS = "import pupils"
    EXPORT_PUPILS = "export pupils"
    MANAGE_ASSESSMENT_POINTS = "manage assessment points"
    MANAGE_STAFF = "manage staff"
    MANAGE_LOGIN_KEYS = "manage login keys"
    EXPORT_RECORDS = "export whole records"
    ERASE_PUPILS = "erase pupils"
    READ_AUDIT = "read the staff's usage"
    APPOINT_HEADTEACHER = "appoint the headteacher"
    LIST_RELEASES = "list permissions to release named data"
    GIVE_RELEASES = "give permission to release named data"


_READING_WITHOUT_NAMES = {Permission.READ_SCHOOL, Permission.READ_PUPILS, Permission.READ_BENCHMARKS}
_READING = _READING_WITHOUT_NAMES | {Permission.READ_NAMES}
_LIMITED = _READING | {
    Permission.RECORD_ASSESSMENTS_OF_OWN_CLASSES,
    Permission.RECORD_ATTENDANCE_OF_OWN_CLASSES,
}
_WRITING = _LIMITED | {
    Permission.RECORD_ASSESSMENTS,
    Permission.RECORD_ATTENDANCE,
    Permission.CHANGE_PUPILS,
    Permission.IMPORT_PUPILS,
    Permission.EXPORT_PUPILS,
}

PERMISSIONS: dict[AccessLevel, frozenset[Permission]] = {
    AccessLevel.READ_ONLY_NO_NAMES: frozenset(_READING_WITHOUT_NAMES),
    AccessLevel.READ_ONLY: frozenset(_READING),
    AccessLevel.LIMITED_READ_WRITE: frozenset(_LIMITED),
    AccessLevel.READ_WRITE: frozenset(_WRITING),
    AccessLevel.ADMIN: frozenset(Permission),
}
"""The one table of who may do what."""

HEADTEACHERS_ALONE = frozenset({Permission.GIVE_RELEASES})
"""What an access level is not enough for: the account must hold the role of headteacher, too."""

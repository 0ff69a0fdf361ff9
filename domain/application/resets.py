"""New passwords for those who have lost theirs: a code by mail, to the school's official address alone.

Whoever asks shows the school's login key, which is what makes its official address readable, and names an
account; there is no place for an address. Nobody is told whether there is such an account.
"""

from __future__ import annotations

from uuid import UUID

import domain.staff
from domain import school_time
from domain.access import AccessLevel
from domain.application.accounts import StaffResult
from domain.application.logins import opened_with_key
from domain.application.school_application import Decision, SchoolApplication, Schools
from domain.application.staff_sessions import end_sessions
from domain.events import SYSTEM
from domain.identifiers import log_id_of, new_id
from domain.ledger.database import Connection
from domain.letters import new_password_letter
from domain.mail import Mailer
from domain.resets import PasswordResetRequested, PasswordResetUsed, ResetRefused
from domain.staff import StaffMember
from domain.vault import login_key, resets
from domain.vault.passwords import long_enough_for, verifier_of
from domain.vault.sessions import Sessions

REFUSED = "The code is not right, or is too old, or was used: ask for another one"


def resets_of(owner_id: UUID) -> UUID:
    """The originator id of an account's log of codes, or of the school's for users that nobody knows."""
    return log_id_of(owner_id, "password-resets")


def ask(schools: Schools, mailer: Mailer, key: str, username: str) -> None:
    """Has a code for a new password mailed to the school's official address, if there is such an account.

    It does the same, and so takes as long, where no code goes out: for a username that nobody has, an account
    that cannot be used, and one that was given :data:`~domain.vault.resets.MOST` codes within the hour.

    Args:
        schools: The schools.
        mailer: What takes mail on its way, in the background.
        key: The school's login key, as it was pasted.
        username: The username.

    Raises:
        LoginKeyRefused: The login key is damaged, not one of this service's, or has been revoked.
    """
    shown = login_key.read(key, schools.service_keys)
    school = opened_with_key(schools, shown)
    member = school.member_with_username(username)
    usable = member is not None and member.may_log_in(school_time.today())
    address = school.school().official_email
    code = resets.new_code()
    with school.database.bound_to(school.school_id) as connection:
        school.stream.lock(connection)
        sent = resets.keep(
            connection,
            school.school_id,
            member.id if member else new_id(),
            code,
            most=resets.MOST if usable else 0,
        )
        requested = PasswordResetRequested(
            originator_id=resets_of(member.id if member else school.school_id),
            originator_version=0,
            actor=SYSTEM,
            staff_id=member.id if member else None,
            key_id=shown.key_id,
            sent=sent,
        )
        school.add_to_logs([requested], connection)
    letter = new_password_letter(code)
    if sent:
        mailer.send(address, letter.subject, letter.text)


def redeem(schools: Schools, sessions: Sessions, key: str, username: str, code: str, password: str) -> None:
    """Sets a new password with the code that came by mail, once, and ends every session of the account.

    A password that cannot be used leaves the code as it is.

    Args:
        schools: The schools.
        sessions: The sessions.
        key: The school's login key, as it was pasted.
        username: The username that the code was asked for with.
        code: The code.
        password: The new password.

    Raises:
        LoginKeyRefused: The login key is damaged, not one of this service's, or has been revoked.
        ResetRefused: The code is not right, was used or replaced, or is too old; or the account cannot be
            used. It never says which.
        InvalidInput: The password cannot be used by somebody of that access level.
    """
    shown = login_key.read(key, schools.service_keys)
    school = opened_with_key(schools, shown)
    member = school.member_with_username(username)
    if not _is_good(school, member, code) or member is None:
        raise ResetRefused(REFUSED)
    staff_id = member.id
    context = [member.names.username, school.school().facts.name]
    verifier = verifier_of(password, member.access.level, context=context)
    suits = long_enough_for(AccessLevel.ADMIN, password)

    def decide() -> Decision[StaffResult]:
        now = school.staff_member(staff_id)
        if not now.may_log_in(school_time.today()):
            raise ResetRefused(REFUSED)
        changed = domain.staff.set_password(now, verifier, SYSTEM, for_administrators=suits)
        log = resets_of(staff_id)
        used = PasswordResetUsed(
            originator_id=log,
            originator_version=school.stream.last_versions([log]).get(log, 0) + 1,
            actor=SYSTEM,
            staff_id=staff_id,
            key_id=shown.key_id,
        )
        return Decision([changed, used], StaffResult(staff_id, changed.originator_version), beside=spend)

    def spend(connection: Connection) -> None:
        if not resets.spend(connection, school.school_id, staff_id, code):
            raise ResetRefused(REFUSED)
        end_sessions(school, sessions, connection, staff_id, SYSTEM)

    school.carry_out(decide, StaffResult)


def _is_good(school: SchoolApplication, member: StaffMember | None, code: str) -> bool:
    with school.database.bound_to(school.school_id) as connection:
        return resets.is_good(connection, school.school_id, member.id if member else new_id(), code)

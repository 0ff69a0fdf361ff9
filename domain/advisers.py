"""Advisers: people from outside, whom an administrator lets in for a reason and until a day."""

from __future__ import annotations

from datetime import date, timedelta

from domain.access import AccessLevel
from domain.errors import Conflict, Finding, InvalidInput
from domain.events import Actor
from domain.particulars import checked_reason
from domain.staff import Adviser, StaffAdviserProlonged, StaffMember

LONGEST = timedelta(days=366)
"""How far ahead the last day may be: a year, in a leap year, too. Then somebody has to want it again."""


def checked(adviser: Adviser, level: AccessLevel, today: date) -> Adviser:
    """An adviser as they are kept.

    Args:
        adviser: The reason and the last day.
        level: What they may do.
        today: The day that it is at the school.

    Raises:
        InvalidInput: They would be an administrator, the last day is too early or too late, or the reason is
            empty, too long, or holds an email address.
    """
    findings = _until_findings(adviser.until, today)
    if level is AccessLevel.ADMIN:
        findings.append(Finding(field="access", found=level, accepted="any level but this, for an adviser"))
    if findings:
        raise InvalidInput("The adviser cannot be invited like this", findings)
    reason = checked_reason("reason", adviser.reason) or ""
    return Adviser(reason=reason, until=adviser.until)


def prolong(member: StaffMember, until: date, today: date, actor: Actor) -> StaffAdviserProlonged | None:
    """Gives an adviser another last day; `None` when it is that already.

    Args:
        member: The adviser.
        until: The last day.
        today: The day that it is at the school.
        actor: Who changes it.

    Raises:
        Conflict: It is not an adviser's account.
        InvalidInput: The day has passed, or is more than a year ahead.
    """
    if member.adviser is None:
        raise Conflict("This is not an adviser's account: it has no end")
    if findings := _until_findings(until, today):
        raise InvalidInput("The adviser's time cannot end then", findings)
    if until == member.adviser.until:
        return None
    return StaffAdviserProlonged(
        originator_id=member.id, originator_version=member.version + 1, actor=actor, until=until
    )


def _until_findings(until: date, today: date) -> list[Finding]:
    if today <= until <= today + LONGEST:
        return []
    accepted = f"a day from {today.isoformat()} to {(today + LONGEST).isoformat()}"
    return [Finding(field="until", found=until.isoformat(), accepted=accepted)]

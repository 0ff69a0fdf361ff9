"""The UPNs of a child over time: which one becomes a former one, and which was never the child's.

A UPN changes when a temporary one gives way to a permanent one, or a child turns out to have two: the one
before is kept, since other systems and older files still know the child by it. One that was mistyped is
another thing: it may be another child's, and nobody may be found by it.
"""

from __future__ import annotations

import msgspec

from domain.errors import Finding, InvalidInput
from domain.pupil_record import PupilNames


def replaced(before: PupilNames, after: PupilNames) -> PupilNames:
    """The names after a change, with former and mistyped UPNs as they must be.

    A UPN that is replaced becomes a former one, unless it is among the mistyped. One that turns out to be
    right after all is mistyped no longer.

    Args:
        before: As they were.
        after: As they are to be; `mistyped_upns` is the whole list.

    Raises:
        InvalidInput: A UPN is said to be mistyped that the child was never recorded with, or is recorded with
            after the change.
    """
    check_mistyped(before, after)
    former = after.former_upns
    if before.upn and after.upn != before.upn and before.upn not in former:
        former = (*former, before.upn)
    mistyped = tuple(dict.fromkeys(upn for upn in after.mistyped_upns if upn != after.upn))
    former = tuple(upn for upn in former if upn not in mistyped)
    if (former, mistyped) == (after.former_upns, after.mistyped_upns):
        return after
    return msgspec.structs.replace(after, former_upns=former, mistyped_upns=mistyped)


def check_mistyped(before: PupilNames | None, after: PupilNames) -> None:
    """Makes sure that only UPNs are called mistyped that the child was recorded with, and has no more.

    Args:
        before: As the names were; none, for a new pupil, whose UPN is simply typed rightly.
        after: As they are to be.

    Raises:
        InvalidInput: With a finding for each that is not so.
    """
    known = set(before.mistyped_upns) if before else set()
    had = {before.upn, *before.former_upns} if before else set()
    findings = []
    for upn in after.mistyped_upns:
        if upn in known:
            continue
        accepted = ""
        if upn == after.upn:
            accepted = "a UPN that the pupil has no more: set the right one, or null, in upn with it"
        elif upn not in had:
            accepted = "a UPN that this pupil was recorded with"
        if accepted:
            findings.append(Finding(field="mistyped_upns", found=upn[:60], accepted=accepted))
    if findings:
        raise InvalidInput("These particulars cannot be accepted", findings)

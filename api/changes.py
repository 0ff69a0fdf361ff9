"""The list of pupils as a feed of changes, for systems that follow a school."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.callers import Caller
from api.views import pupil_body, view_of
from domain.access import Permission
from domain.application.changes import ChangesPage, changes_of
from domain.errors import Finding, InvalidInput

if TYPE_CHECKING:
    from api.pupils import PupilsQuery
    from api.views import PupilBody

_NO_FILTERS = ("nc_year", "class_id", "on_roll", "as_at", "as_at_position")


def read_changes(caller: Caller, asked: PupilsQuery, after: int) -> tuple[ChangesPage, list[PupilBody]]:
    """A page of the feed, and its pupils as the caller may see them.

    Args:
        caller: Who asks.
        asked: What is asked for.
        after: The position up to which everything is known to the caller.

    Raises:
        InvalidInput: It asks for some pupils only, or as at another moment: somebody who left such a list
            would be missed.
        NotYetVisible: The stream has not come as far as a position of the query.
    """
    findings = [
        Finding(field=field, found="a filter", accepted="nothing beside updated_after_position")
        for field in _NO_FILTERS
        if getattr(asked, field) is not None
    ]
    if findings:
        raise InvalidInput("The query is not as it must be", findings)
    page = changes_of(caller.school, after, asked.up_to_position, beyond=asked.after, limit=asked.limit)
    shown = [pupil_body(caller, view_of(caller.school, pupil), asked.day) for pupil in page.pupils]
    return page, shown


def may_see_keys(caller: Caller) -> bool:
    """Whether the caller may be told of UPNs."""
    return caller.may(Permission.READ_NAMES)

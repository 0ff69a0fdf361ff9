"""A school's own figures of a point, as its data are now, counted by the very code that counts for a release.

They are the school's own: nothing of them is rounded or suppressed, and nobody else is shown them.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from functools import partial
from uuid import UUID

import msgspec

from domain.ledger.database import Connection
from domain.vault import keystore
from domain.vault.keyring import Keyring, SchoolKeys
from projections.benchmarks.counting import SchoolCounts, count, nc_year_at
from projections.benchmarks.points import Point
from projections.benchmarks.reading import SchoolThen, school_at

_Asked = tuple[str, str | None, str | None]
"""A scheme, and the only subject and NC year."""


class Own(msgspec.Struct, frozen=True, kw_only=True):
    """What a school contributes to a point.

    Attributes:
        counts: Its counts.
        pupils: The pupils whose results are in what was asked for, by id.
    """

    counts: SchoolCounts
    pupils: Collection[UUID]


def own_counts(
    connection: Connection,
    keys: SchoolKeys,
    position: int,
    point: Point,
    today: date,
    *,
    scheme: str,
    subject: str | None = None,
    nc_year: str | None = None,
) -> Own:
    """Counts a school as it would be counted for a release now.

    Args:
        connection: Bound to the school, in a transaction that has read nothing yet.
        keys: The school's keys; that of names is not used.
        position: Up to which its rows have come.
        point: The point.
        today: The day from which NC years are reckoned back.
        scheme: The scheme of the results.
        subject: Only this subject.
        nc_year: Only this NC year.

    Raises:
        NotYetVisible: The rows have not come so far, or there are none yet.
    """
    nameless = keys.without_names()
    keyring = Keyring(nameless, partial(keystore.record_keys_of_subjects, connection, nameless.school_id))
    points = [point] if point.before is None else [point, point.before]
    then = school_at(connection, keyring, position, points, {})
    counts = count(then, [point], today)
    asked = (scheme, subject, nc_year)
    wanted = {
        measured: groups
        for measured, groups in counts.tables.items()
        if _fits(measured.scheme, measured.subject, measured.nc_year, asked)
    }
    return Own(
        counts=msgspec.structs.replace(counts, tables=wanted),
        pupils=_counted(then, point, today, asked),
    )


def _fits(scheme: str, subject: str, nc_year: str, asked: _Asked) -> bool:
    wanted_scheme, wanted_subject, wanted_year = asked
    return scheme == wanted_scheme and wanted_subject in (None, subject) and wanted_year in (None, nc_year)


def _counted(then: SchoolThen, point: Point, today: date, asked: _Asked) -> list[UUID]:
    """Those whose results are in the tables that were asked for; asked after the school was counted."""
    return [
        pupil_id
        for pupil_id, pupil in then.pupils.items()
        for reckoned in [nc_year_at(pupil, point, today)]
        if any(
            (year := entry.nc_year or reckoned) is not None
            and (entry.standing is not None or entry.points is not None)
            and _fits(scheme, subject, year, asked)
            for (scheme, subject), entry in then.results.get(pupil_id, {}).get(point, {}).items()
        )
    ]

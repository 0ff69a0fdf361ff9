"""What progress is worked out from: pupils as they were then, and their results at some points.

Thousands of results are read at once. So each child's come in one row, and what is in two of them alike (the
same value in the same subject at the same time) is read once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.academic_year import When, academic_year_of
from domain.application.school_application import assessments_of
from domain.assessment import STATUTORY, Result
from domain.events import Compartment, is_sealed
from domain.ledger.database import Connection
from domain.ledger.mapper import EventMapper
from domain.ledger.sealing import generation_of, place_in_log, places_of_log, unseal
from domain.ledger.sql import load
from domain.progress.entries import Entry, seen
from domain.progress.groups import Member, nc_year_at, says_nc_year, values_of
from domain.progress.question import Question
from domain.progress.track import Track, track
from domain.vault import keystore
from domain.vault.keyring import Keyring
from projections import pupils, targets
from projections.pupils import PupilView

SQL = load("projections", "progress.sql")

# Looking up a member of an enumeration costs as much as reading a date, and would be done for every row.
_RECORD = Compartment.RECORD

Courses = dict[str, dict[When, Entry]]
"""A pupil's results by subject and time."""

_Seen = dict[tuple[str, bytes], Entry | None]
"""What has been read already, by the type of its event and its content."""


class Cohort(msgspec.Struct, frozen=True, kw_only=True):
    """The pupils whom a question is about, and what answers it.

    Attributes:
        views: The pupils by id; their names are sealed, for those who hold no key to them.
        members: The same, as figures of groups ask, in the order of their ids.
        results: Their results at the points of the question.
    """

    views: dict[UUID, PupilView]
    members: list[Member]
    results: dict[UUID, Courses]


def cohort(
    connection: Connection,
    keys: Keyring,
    question: Question,
    today: date,
    *,
    class_id: UUID | None = None,
    nc_year: str | None = None,
    births: bool = True,
    years_of_records: Callable[[Collection[UUID]], Mapping[UUID, int]] | None = None,
) -> Cohort:
    """Whom a question is about: who was on the roll between its points, or has a result at one of them.

    Groups are those at the last day of the later point, but for the class, which is the one that a child is
    in now, or was in last.

    Args:
        connection: Bound to the school.
        keys: What the reader holds of the school's keys.
        question: What is asked.
        today: The day on which it is asked.
        class_id: Only this class.
        nc_year: Only pupils who were in this NC year at the later point.
        births: Whether the reader may know dates of birth; none are known to those without names' keys.
        years_of_records: Says of pupils of which academic year the NC years of their records are; all of the
            one that it is today, if nothing says it. It is asked about those of whom no result says it.
    """
    views = pupils.find(connection, keys, class_id=class_id, on_roll=None, limit=None)
    only = None if class_id is None else [view.pupil_id for view in views]
    results = entries(connection, keys, question, only)
    points = question.points
    views = [view for view in views if results.get(view.pupil_id) or _was_there(view, question)]
    years: Mapping[UUID, int] = {}
    if years_of_records and question.end.academic_year < academic_year_of(today):
        told = [view.pupil_id for view in views if not says_nc_year(points, results.get(view.pupil_id, {}))]
        years = years_of_records(told) if told else {}
    found: dict[UUID, PupilView] = {}
    members = []
    for view in views:
        courses = results.get(view.pupil_id, {})
        year = nc_year_at(points, courses, view.record, view.left_on, today, years.get(view.pupil_id))
        if nc_year not in (None, year):
            continue
        born = None if not births or is_sealed(view.names) else view.names.date_of_birth
        values = values_of(view.record, born, year, question.end.ends_on)
        found[view.pupil_id] = view
        members.append(Member(pupil_id=view.pupil_id, values=values))
    return Cohort(views=found, members=members, results=results)


def _was_there(view: PupilView, question: Question) -> bool:
    """Whether a pupil was on the roll between the two points."""
    left = view.left_on or date.max
    return view.record.date_of_entry <= question.end.ends_on and left >= question.start.ends_on


def entries(
    connection: Connection, keys: Keyring, question: Question, pupil_ids: Iterable[UUID] | None = None
) -> dict[UUID, Courses]:
    """The current results at the points of a question.

    Args:
        connection: Bound to the school.
        keys: What the reader holds of the school's keys.
        question: What is asked.
        pupil_ids: Only these pupils; all, if none are given.
    """
    points = question.points
    rows = connection.execute(
        SQL["at_points"],
        {
            "school": keys.school_id,
            "years": sorted({at.academic_year for at in points}),
            "terms": sorted({at.term.value if at.term else "" for at in points}),
            "schemes": [*question.schemes, STATUTORY],
            "pupils": None if pupil_ids is None else list(pupil_ids),
        },
        binary=True,
    ).fetchall()
    # The statement knows years and terms, but not which of them belong together.
    wanted = set(points)

    def takes(entry: Entry) -> bool:
        return (
            entry.at in wanted
            and question.subject in (None, entry.subject)
            and question.takes(entry.scheme, entry.at)
        )

    return _opened(connection, keys, rows, question.schemes, takes)


def track_of(connection: Connection, keys: Keyring, pupil_id: UUID, scheme: str, scale: str | None) -> Track:
    """A pupil's track on a scheme.

    Args:
        connection: Bound to the school.
        keys: What the reader holds of the school's keys.
        pupil_id: The pupil.
        scheme: The name of the scheme.
        scale: The scale of its points.
    """
    rows = connection.execute(SQL["track"], [keys.school_id, pupil_id, [scheme, STATUTORY]], binary=True)
    found = _opened(connection, keys, rows.fetchall(), {scheme: scale}, lambda _: True)
    return track(found.get(pupil_id, {}))


def targets_of(
    connection: Connection, keys: Keyring, pupil_id: UUID, scheme: str, scale: str | None
) -> Track:
    """A pupil's targets on a scheme, as if they were reached: by subject, in the order of time.

    Args:
        connection: Bound to the school.
        keys: What the reader holds of the school's keys.
        pupil_id: The pupil.
        scheme: The name of the scheme.
        scale: The scale of its points.
    """
    aims: dict[str, dict[When, Entry]] = {}
    for view in targets.of_pupils(connection, keys, [pupil_id]):
        aim = view.target
        reached = Result(
            scheme=aim.scheme,
            subject=aim.subject,
            value=aim.value,
            academic_year=aim.academic_year,
            term=aim.term,
            component=aim.component,
            scheme_version=aim.scheme_version,
        )
        entry = seen(reached, {scheme: scale})
        if entry is not None:
            aims.setdefault(entry.subject, {})[entry.at] = entry
    return track(aims)


def _opened(
    connection: Connection,
    keys: Keyring,
    rows: Sequence[tuple[Any, ...]],
    schemes: Mapping[str, str | None],
    takes: Callable[[Entry], bool],
) -> dict[UUID, Courses]:
    """The results of each pupil that are asked about; of who was erased, none."""
    pupil_ids = [row[0] for row in rows]
    keys.give(pupil_ids, keystore.of_subjects(connection, keys.school_id, pupil_ids))
    mapper = EventMapper(keys)
    known: _Seen = {}

    def read(said: tuple[str, bytes]) -> Entry | None:
        topic, content = said
        entry = seen(mapper.read_part(topic, _RECORD, content)["result"], schemes)
        return entry if entry is not None and takes(entry) else None

    return {row[0]: _of_pupil(keys, row, known, read) for row in rows}


def _of_pupil(
    keys: Keyring, row: tuple[Any, ...], known: _Seen, read: Callable[[tuple[str, bytes]], Entry | None]
) -> Courses:
    pupil_id, topics, versions, records, all_entered = row
    places = places_of_log(keys.school_id, assessments_of(pupil_id), _RECORD)
    ciphers: dict[int, AESGCM | None] = {}
    courses: Courses = {}
    newest: dict[tuple[str, When], int] = {}
    for topic, version, record, entered in zip(topics, versions, records, all_entered, strict=True):
        generation = generation_of(record)
        if generation not in ciphers:
            ciphers[generation] = keys.to_open(pupil_id, _RECORD, generation)
        cipher = ciphers[generation]
        if cipher is None:  # destroyed since the row was written
            continue
        said = (topic, unseal(cipher, record, place_in_log(places, version, topic)))
        if said not in known:
            known[said] = read(said)
        entry = known[said]
        # Of two of the same thing the one that was entered later counts.
        if entry is not None and entered > newest.get(what := (entry.subject, entry.at), 0):
            newest[what] = entered
            courses.setdefault(entry.subject, {})[entry.at] = entry
    return courses

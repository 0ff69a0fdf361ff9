"""The school's full bundle: everything that it holds, for another system to read.

It is as at one position of the stream, and made while it is sent: some pupils at a time, and one photograph
at a time, whatever there is in all. `domain/bundles/describing.py` says what stands in which file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import msgspec

import domain.assessment_points
import domain.permissions
import domain.statements
from domain.application import held
from domain.application.held import Placed, Who, events_about
from domain.application.held_photographs import file_of, opened
from domain.application.histories import entry_of
from domain.application.people import people_of, staff_at
from domain.application.school_application import SchoolApplication
from domain.assessment_points import AssessmentPoints
from domain.bundles.archive import Entry, zipped
from domain.bundles.describing import FORMAT, VERSION, readme
from domain.events import REGISTRY, Actor
from domain.identifiers import log_id_of
from domain.ledger.photographs import Role
from domain.ledger.stream import RecordedEvent
from domain.permissions import permissions_of
from domain.pupil import Pupil, PupilAdmitted
from domain.staff import StaffMember
from domain.statements import Statement

PUPILS_AT_ONCE = 20
"""Pupils whose events are in memory at the same time."""

EVENTS_AT_ONCE = 500
"""Events of the history that are."""

Lines = Iterator[dict[str, Any]]


class SchoolBundle:
    """What a school holds at a position, to be read once, from the beginning to the end.

    Attributes:
        position: The position of the stream.
        pupil_ids: Everybody whom it shows, those who left too, in the order in which they were admitted.
    """

    def __init__(self, school: SchoolApplication, actor: Actor, made_at: datetime) -> None:
        """Looks up whom the bundle is about, and nothing else yet.

        Args:
            school: The school, opened with names.
            actor: Who asks for it.
            made_at: When, with its time zone.
        """
        self._school = school
        self._actor = actor
        self._made_at = made_at
        self.position = school.stream.head().position
        admitted = _pages(school, self.position, _types(PupilAdmitted.name))
        ids = [cast("UUID", each.originator_id) for each in admitted]
        school.keys.need(ids)
        self.pupil_ids = [each for each in ids if not school.keys.is_erased(each)]

    def content(self) -> Iterator[bytes]:
        """The ZIP file, in pieces.

        Raises:
            KeyNotHeld: A photograph cannot be opened: its child was erased meanwhile.
            DoesNotOpen: A photograph is not what was stored.
            MapperDeserialisationError: An event cannot be read; nothing is left out quietly.
        """
        who = people_of(self._school, self.position)
        facts = self._school.school()
        about = {
            "format": FORMAT,
            "version": VERSION,
            "made_at": self._made_at.isoformat(),
            "made_by": who(self._actor),
            "position": self.position,
            "school": facts.facts,
        }
        return zipped(self._entries(who), about)

    def _entries(self, who: Who) -> Iterator[Entry]:
        statements = self._statements()
        lines: list[tuple[str, Callable[[], Lines]]] = [
            ("school", self._facts),
            ("staff", self._staff),
            ("assessment-points", self._points),
            ("statement-set", lambda: iter(statements.values())),
            ("pupils", lambda: self._of_pupils(held.PARTICULARS, _pupil)),
            ("leaving", lambda: self._steps(held.LEAVING, who)),
            ("notes", lambda: self._things(held.NOTES, who)),
            ("concerns", lambda: self._things(held.CONCERNS, who)),
            (
                "assessments",
                lambda: self._of_pupils(
                    held.ASSESSMENTS, lambda _, placed: held.assessments(placed, who, statements)
                ),
            ),
            ("targets", lambda: self._things(held.TARGETS, who)),
            ("attendance", lambda: self._of_pupils(held.ATTENDANCE, _marks)),
            ("attendance-totals", lambda: self._of_pupils(held.ATTENDANCE, _totals)),
            ("observations", lambda: self._things(held.OBSERVATIONS, who)),
            ("photographs", lambda: self._of_pupils(held.OBSERVATIONS, _photographs)),
            ("release-permissions", lambda: self._permissions(who)),
            ("history", lambda: self._history(who)),
        ]
        yield Entry("README.txt", [readme().encode()])
        for name, made in lines:
            yield Entry(f"{name}.ndjson", map(_line, made()))
        for placed in self._placed(held.OBSERVATIONS):
            for picture in held.photographs(placed):
                content = (opened(self._school, each, Role.PHOTOGRAPH) for each in [picture])
                yield Entry(
                    file_of(str(picture.photograph.id), picture.photograph), content, compressed=False
                )

    def _placed(self, kind: str) -> Iterator[list[Placed]]:
        """The events of a kind, and those of the record, of each pupil, one after the other."""
        for start in range(0, len(self.pupil_ids), PUPILS_AT_ONCE):
            some = self.pupil_ids[start : start + PUPILS_AT_ONCE]
            yield from events_about(self._school, some, self.position, kind).values()

    def _of_pupils(
        self, kind: str, made: Callable[[Pupil, Sequence[Placed]], Iterable[dict[str, Any]]]
    ) -> Lines:
        for placed in self._placed(kind):
            pupil = held.pupil_of(placed)
            if pupil is not None:
                for each in made(pupil, placed):
                    yield {"pupil_id": pupil.id, **each}

    def _things(self, kind: str, who: Who) -> Lines:
        return self._of_pupils(kind, lambda _, placed: held.things(kind, placed, who))

    def _steps(self, kind: str, who: Who) -> Lines:
        return self._of_pupils(kind, lambda _, placed: held.steps(kind, placed, who))

    def _facts(self) -> Lines:
        school = self._school.school()
        yield {
            **msgspec.structs.asdict(school.facts),
            "school_id": school.id,
            "agreement_from": school.agreement_from,
            "official_email": school.official_email,
        }

    def _staff(self) -> Lines:
        return map(_account, staff_at(self._school, self.position).values())

    def _points(self) -> Lines:
        log = log_id_of(self._school.school_id, "assessment-points")
        stored = self._school.stream.events_of_many([log], up_to=self.position)
        empty = AssessmentPoints(school_id=self._school.school_id, log=log)
        points = domain.assessment_points.fold(empty, self._school.read(stored))
        for year, division in sorted(points.choices.items()):
            yield {"what": "division", "from_year": year, "division": division}
        for point in sorted(points.closed, key=lambda each: (each.ends_on, each.term or "")):
            yield {"what": "closed", "academic_year": point.academic_year, "term": point.term}

    def _statements(self) -> dict[UUID, dict[str, Any]]:
        log = log_id_of(self._school.school_id, "statements")
        stored = self._school.stream.events_of_many([log], up_to=self.position)
        return {
            each.id: _statement(each) for each in domain.statements.fold(self._school.read(stored)).values()
        }

    def _permissions(self, who: Who) -> Lines:
        log = permissions_of(self._school.school_id)
        stored = self._school.stream.events_of_many([log], up_to=self.position)
        for each in domain.permissions.fold(self._school.read(stored)).values():
            yield {
                "permission_id": each.id,
                **msgspec.structs.asdict(each.terms),
                "given_by": who(each.given_by),
                "revoked_by": who(each.revoked_by) if each.revoked_by else None,
                "releases": [
                    {
                        "release_id": use.release_id,
                        "by": who(use.by),
                        "pupils": use.pupils,
                        "sha256": use.sha256.hex(),
                    }
                    for use in each.uses
                ],
            }

    def _history(self, who: Who) -> Lines:
        mapper = self._school.event_mapper
        for page in _in_pages(self._school, self.position):
            self._school.keys.need({mapper.subject_of(event) for event in page})
            for stored in page:
                entry = entry_of(mapper, stored)
                yield {
                    "position": entry.position,
                    "at": entry.recorded_at,
                    "by": who(entry.actor),
                    "actor": entry.actor,
                    "event": entry.event,
                    "originator_id": entry.originator_id,
                    "originator_version": entry.originator_version,
                    "details": entry.details,
                }


def _line(value: dict[str, Any]) -> bytes:
    return msgspec.json.encode(value) + b"\n"


def _types(name: str) -> list[str]:
    """The types under which events of a name are stored: one for each version."""
    return [f"{name}.{version}" for version in range(1, REGISTRY.classes[name].version + 1)]


def _in_pages(
    school: SchoolApplication, position: int, types: Sequence[str] | None = None
) -> Iterator[list[RecordedEvent]]:
    after = 0
    while after < position:
        page = school.stream.events_between(after + 1, position, limit=EVENTS_AT_ONCE, types=types)
        if not page:
            return
        yield page
        after = page[-1].id


def _pages(school: SchoolApplication, position: int, types: Sequence[str]) -> Iterator[RecordedEvent]:
    for page in _in_pages(school, position, types):
        yield from page


def _account(member: StaffMember) -> dict[str, Any]:
    """An account, without what is kept of its password."""
    return {
        "staff_id": member.id,
        **msgspec.structs.asdict(member.names),
        "level": member.access.level,
        "classes": member.access.classes,
        "adviser": member.adviser,
        "disabled": member.disabled,
        "headteacher": member.headteacher,
    }


def _statement(statement: Statement) -> dict[str, Any]:
    return {
        "statement_id": statement.id,
        "subject": statement.key.subject,
        "code": statement.key.code,
        "band": statement.key.band,
        "text": statement.text,
        "withdrawn": statement.withdrawn,
    }


def _pupil(pupil: Pupil, _: Sequence[Placed]) -> Iterable[dict[str, Any]]:
    rest = set(pupil.__struct_fields__) - {"id", "names", "record", "concerns", "erased", "entered"}
    yield {
        **{field: getattr(pupil, field) for field in pupil.__struct_fields__ if field in rest},
        "on_roll": pupil.on_roll,
        "entered": sorted(pupil.entered),
        "names": held.every_field(pupil.names),
        "record": held.every_field(pupil.record),
    }


def _marks(pupil: Pupil, placed: Sequence[Placed]) -> Iterable[dict[str, Any]]:
    return cast("list[dict[str, Any]]", held.attendance(placed, pupil)["marks"])


def _totals(pupil: Pupil, placed: Sequence[Placed]) -> Iterable[dict[str, Any]]:
    return cast("list[dict[str, Any]]", held.attendance(placed, pupil)["totals"])


def _photographs(_: Pupil, placed: Sequence[Placed]) -> Iterable[dict[str, Any]]:
    for picture in held.photographs(placed):
        yield {
            "observation_id": picture.observation_id,
            "photograph_id": picture.photograph.id,
            "file": file_of(str(picture.photograph.id), picture.photograph),
            "media_type": picture.photograph.media_type,
            "width": picture.photograph.width,
            "height": picture.photograph.height,
            "withdrawn": picture.withdrawn,
        }

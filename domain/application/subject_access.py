"""The subject access bundle: everything that is held of one child, for a parent to read.

Articles 13 to 15 of the UK GDPR say what a person may know: what is held, what for it is used, and who was
shown it. A school looks through it before it hands it over: notes may speak of other people, too.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from domain.academic_year import academic_year_of
from domain.application import held
from domain.application.held import HeldPhotograph, Placed, Who, events_about
from domain.application.held_photographs import file_of, opened
from domain.application.histories import entry_of
from domain.application.people import people_of
from domain.application.school_application import SchoolApplication
from domain.application.seen_by import who_saw
from domain.application.statements import statements_of
from domain.bundles.archive import Entry, zipped
from domain.bundles.page import page_of
from domain.events import Actor
from domain.ledger.photographs import Role
from domain.pupil import Pupil
from domain.pupil_day import on_day
from domain.school_time import SCHOOL_TIME

FORMAT = "target-tracker subject access bundle"
VERSION = 1


def everything_about(
    school: SchoolApplication, pupil_id: UUID, actor: Actor, made_at: datetime
) -> Iterator[bytes]:
    """Everything held of a child as a ZIP file, in pieces.

    What is asked for is looked up at once; photographs when it is their turn.

    Args:
        school: The school, opened with names.
        pupil_id: The child.
        actor: Who asks for it.
        made_at: When, with its time zone.

    Raises:
        NotFound: There is no such pupil.
        Erased: The child has been erased.
        KeyNotHeld: A photograph cannot be opened: the child was erased meanwhile.
        DoesNotOpen: A photograph is not what was stored.
    """
    school.pupil(pupil_id)
    position = school.stream.head().position
    placed = events_about(school, [pupil_id], position)[pupil_id]
    record = record_of(school, pupil_id, placed, position, actor, made_at)
    pictures = held.photographs(placed)
    about = {name: record[name] for name in ("format", "version", "made_at", "position")}
    return zipped(_entries(school, record, pictures), about)


def _entries(
    school: SchoolApplication, record: dict[str, Any], pictures: Sequence[HeldPhotograph]
) -> Iterator[Entry]:
    def thumbnail(number: int) -> str:
        content = opened(school, pictures[number], Role.THUMBNAIL)
        media_type = pictures[number].photograph.media_type
        return f"data:{media_type};base64,{base64.b64encode(content).decode()}"

    yield Entry("index.html", (piece.encode() for piece in page_of(record, thumbnail)))
    yield Entry("record.json", [msgspec.json.format(msgspec.json.encode(record), indent=1)])
    for number, picture in enumerate(pictures):
        content = (opened(school, each, Role.PHOTOGRAPH) for each in [picture])
        yield Entry(_file(number, picture), content, compressed=False)


def _file(number: int, picture: HeldPhotograph) -> str:
    return file_of(f"{number + 1:04d}", picture.photograph)


def record_of(
    school: SchoolApplication,
    pupil_id: UUID,
    placed: Sequence[Placed],
    position: int,
    actor: Actor,
    made_at: datetime,
) -> dict[str, Any]:
    """Everything held of a child as plain data, but for the photographs themselves.

    Args:
        school: The school, opened with names.
        pupil_id: The child.
        placed: All that happened to the child up to the position.
        position: Up to where the stream was read.
        actor: Who asks for it.
        made_at: When.
    """
    pupil = held.pupil_of(placed)
    assert pupil is not None, "whoever was found is there"
    who = people_of(school, position)
    facts = school.school().facts
    statements = {
        each.id: {**msgspec.to_builtins(each.key), "text": each.text}
        for each in statements_of(school).values()
    }
    entries = held.assessments(placed, who, statements)
    day = made_at.astimezone(SCHOOL_TIME).date()
    record = {
        "format": FORMAT,
        "version": VERSION,
        "made_at": made_at.isoformat(),
        "made_by": who(actor),
        "position": position,
        "school": facts,
        "pupil": _particulars(pupil, placed, who),
        "today": {"academic_year": academic_year_of(day)}
        | msgspec.structs.asdict(on_day(pupil.names, pupil.record, pupil.left_on, day, pupil.away)),
        "leaving": held.steps(held.LEAVING, placed, who),
        "notes": held.things(held.NOTES, placed, who),
        "concerns": held.things(held.CONCERNS, placed, who),
        "assessments": [each for each in entries if not held.is_judgement(each)],
        "statements": [each for each in entries if held.is_judgement(each)],
        "targets": held.things(held.TARGETS, placed, who),
        "attendance": held.attendance(placed, pupil) | {"steps": held.steps(held.ATTENDANCE, placed, who)},
        "observations": _observations(placed, who),
        "history": _history(school, placed, who),
        "seen": who_saw(school, pupil_id, position, who),
    }
    plain: dict[str, Any] = msgspec.to_builtins(record, str_keys=True)
    return plain


def _particulars(pupil: Pupil, placed: Sequence[Placed], who: Who) -> dict[str, Any]:
    """Every field, whether it holds anything or not, and each change of any."""
    rest = {
        field: getattr(pupil, field)
        for field in pupil.__struct_fields__
        if field not in {"names", "record", "concerns", "entered", "erased"}
    }
    return {
        **rest,
        "on_roll": pupil.on_roll,
        "entered": sorted(pupil.entered),
        "names": held.every_field(pupil.names),
        "record": held.every_field(pupil.record),
        "steps": held.steps(held.PARTICULARS, placed, who),
    }


def _observations(placed: Sequence[Placed], who: Who) -> list[dict[str, Any]]:
    pictures: dict[str, list[Mapping[str, Any]]] = {}
    for number, picture in enumerate(held.photographs(placed)):
        pictures.setdefault(str(picture.observation_id), []).append(
            {
                "photograph_id": picture.photograph.id,
                "number": number,
                "file": _file(number, picture),
                "media_type": picture.photograph.media_type,
                "width": picture.photograph.width,
                "height": picture.photograph.height,
                "withdrawn": picture.withdrawn,
            }
        )
    return [
        {**each, "photographs": pictures.get(each["observation_id"], [])}
        for each in held.things(held.OBSERVATIONS, placed, who)
    ]


def _history(school: SchoolApplication, placed: Sequence[Placed], who: Who) -> list[dict[str, Any]]:
    entries = (entry_of(school.event_mapper, each.stored) for each in placed)
    return [
        {
            "position": entry.position,
            "at": entry.recorded_at,
            "by": who(entry.actor),
            "event": entry.event,
            "details": entry.details,
        }
        for entry in entries
    ]

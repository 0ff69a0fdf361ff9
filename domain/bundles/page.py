"""The page of a subject access bundle: everything that is held of a child, for a parent to read and print."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from domain.bundles.html import (
    END,
    NOTHING,
    beginning,
    day_in_words,
    escaped,
    fields,
    heading,
    in_words,
    moment_in_words,
    paragraph,
    table,
)
from domain.bundles.spelling import label, meaning_of_mark

Record = Mapping[str, Any]

_OF_A_STEP = {"position", "at", "by", "event"}

EVENTS = {
    "pupil.admitted": "the record began",
    "pupil.changed": "particulars changed",
    "pupil.left": "left the school",
    "pupil.returned": "came back",
    "pupil.concern-opened": "concern opened",
    "pupil.concern-closed": "concern closed",
    "note.written": "note written",
    "note.changed": "note changed",
    "note.removed": "note removed",
    "assessment.recorded": "recorded",
    "assessment.corrected": "corrected",
    "assessment.voided": "voided",
    "attendance.marked": "register marked",
    "attendance.totalled": "totals entered",
    "attendance.totals-voided": "totals voided",
    "target.set": "target set",
    "target.removed": "target removed",
    "observation.made": "observation made",
    "observation.changed": "observation changed",
    "observation.withdrawn": "observation withdrawn",
    "observation.photograph-added": "photograph attached",
    "observation.photograph-withdrawn": "photograph withdrawn",
}
"""What happened, in words; where there are none, the name of the event says it."""


def in_short(event: str) -> str:
    """What happened, in a few words."""
    return EVENTS.get(event, event)


def page_of(record: Record, thumbnail: Callable[[int], str]) -> Iterator[str]:
    """The page in pieces.

    Args:
        record: What `record.json` holds.
        thumbnail: The address of a photograph's thumbnail, which holds the picture itself, by its number.
    """
    names = record["pupil"]["names"]
    called = f"{names['forename']} {names['surname']}"
    yield beginning(f"Everything held of {called}")
    yield heading(1, f"Everything held of {called}")
    yield paragraph(
        f"{record['school']['name']} (URN {record['school']['urn']}) holds this about {called}. "
        f"It was put together on {moment_in_words(record['made_at'])} by {record['made_by']}, and shows "
        f"everything that was recorded until then (position {record['position']} of the school's stream). "
        "Codes are followed by what they stand for. The file record.json holds the same for computers, and "
        "the folder photographs the photographs themselves."
    )
    yield from _particulars(record)
    for name, title in (
        ("leaving", "Leaving and returning"),
        ("notes", "Notes"),
        ("concerns", "Concerns"),
    ):
        yield heading(2, title)
        yield from (_steps if name == "leaving" else _things)(record[name])
    yield from _assessments("Assessments", record["assessments"])
    yield from _assessments("Statements of Assessing Pupil Progress", record["statements"])
    yield heading(2, "Targets")
    yield from _things(record["targets"])
    yield from _attendance(record["attendance"])
    yield from _observations(record["observations"], thumbnail)
    yield from _history(record["history"])
    yield from _seen(record)
    yield END


def _particulars(record: Record) -> Iterator[str]:
    pupil = record["pupil"]
    entered = set(pupil["entered"])
    for part, title in (("names", "Who the child is"), ("record", "Particulars")):
        yield heading(2, title)
        rows = (
            (label(name), in_words(name, value), "the school itself" if name in entered else NOTHING)
            for name, value in pupil[part].items()
        )
        yield from table(("What", "Value", "Entered by"), rows)
    yield heading(3, "At the school")
    rest = {name: pupil[name] for name in pupil if name not in {"names", "record", "entered", "steps"}}
    yield from fields(rest)
    yield heading(3, "As it is on the day of this bundle")
    yield from fields(record["today"])
    yield heading(3, "How the particulars came about")
    yield from _steps(pupil["steps"])


def _steps(steps: Sequence[Record]) -> Iterator[str]:
    rows = (
        (
            moment_in_words(each["at"]),
            each["by"],
            in_short(each["event"]),
            _details(each, _OF_A_STEP),
        )
        for each in steps
    )
    yield from table(("When", "By whom", "What", "Details"), rows)


def _details(values: Record, without: set[str]) -> str:
    return "\n".join(
        f"{label(name)}: {in_words(name, value)}"
        for name, value in values.items()
        if name not in without and value not in (None, [], (), {})
    )


def _things(things: Sequence[Record]) -> Iterator[str]:
    if not things:
        yield from table((), ())
    for each in things:
        yield "<article>\n"
        yield from fields({name: each[name] for name in each if name not in {"steps", "photographs"}})
        yield from _steps(each["steps"])
        yield "</article>\n"


def _assessments(title: str, entries: Sequence[Record]) -> Iterator[str]:
    yield heading(2, title)
    rows = (
        (
            each["meaning"]["period"],
            each["meaning"]["scheme"],
            _measure(each),
            _worth(each["result"]["value"], each["meaning"]["value"]),
            each["state"] + (", corrected" if each["corrected"] else ""),
            _details(each["result"], {"value", "scheme", "academic_year", "term"}),
            "\n\n".join(_came_about(one) for one in each["steps"]),
        )
        for each in entries
    )
    columns = ("Period", "Scheme", "Of what", "Result", "State", "Details", "How it came about")
    yield from table(columns, rows)


def _measure(assessment: Record) -> str:
    statement = assessment.get("statement")
    if statement:
        return f"{statement['code']}: {statement['text']}"
    return str(assessment["meaning"]["measure"])


def _worth(value: str, meaning: str | None) -> str:
    return f"{value} ({meaning})" if meaning and meaning != value else value


def _came_about(step: Record) -> str:
    said = f"{in_short(step['event'])} on {moment_in_words(step['at'])} by {step['by']}"
    if "result" in step:
        said += f": {step['result']['value']}"
    return f"{said}. Reason: {step['reason']}" if step.get("reason") else said


def _attendance(attendance: Record) -> Iterator[str]:
    yield heading(2, "Attendance")
    for each in attendance["summaries"]:
        yield heading(3, f"Academic year {each['academic_year']}")
        yield from fields({name: value for name, value in each.items() if name != "academic_year"})
    yield heading(3, "Totals of periods")
    yield from table(
        ("First day", "Last day", "Possible", "Attended", "Authorised absence", "Unauthorised absence"),
        (
            (
                day_in_words(each["first_day"]),
                day_in_words(each["last_day"]),
                *(str(each[name]) for name in ("possible", "attended", "authorised", "unauthorised")),
            )
            for each in attendance["totals"]
        ),
    )
    yield heading(3, "The register")
    rows = (
        (day_in_words(each["date"]), _mark(each, "am"), _mark(each, "pm")) for each in attendance["marks"]
    )
    yield from table(("Day", "Morning", "Afternoon"), rows)
    yield heading(3, "How it was entered")
    yield from _steps(attendance["steps"])


def _mark(day: Record, half: str) -> str:
    mark = day.get(half)
    if mark is None:
        return NOTHING
    return f"{mark} ({meaning_of_mark(mark, date.fromisoformat(day['date']))})"


def _observations(observations: Sequence[Record], thumbnail: Callable[[int], str]) -> Iterator[str]:
    yield heading(2, "Observations")
    if not observations:
        yield from table((), ())
    for each in observations:
        yield from _things([each])
        for picture in each["photographs"]:
            text = f"Photograph {picture['number'] + 1}, {picture['width']} × {picture['height']} pixels"
            text += ", withdrawn: it is held, and not shown" if picture["withdrawn"] else ""
            image = f'<img src="{escaped(thumbnail(picture["number"]))}" alt="{escaped(text)}">'
            caption = f"<figcaption>{escaped(text)}</figcaption>"
            yield f'<figure><a href="{escaped(picture["file"])}">{image}</a>{caption}</figure>\n'


def _history(history: Sequence[Record]) -> Iterator[str]:
    yield heading(2, "The history of the record")
    yield paragraph("Everything that ever happened to it, in order.")
    rows = (
        (
            str(each["position"]),
            moment_in_words(each["at"]),
            each["by"],
            in_short(each["event"]),
            _details(each["details"], {"pupil_id"}),
        )
        for each in history
    )
    yield from table(("Position", "When", "By whom", "What", "Details"), rows)


def _seen(record: Record) -> Iterator[str]:
    yield heading(2, "Who saw it")
    yield paragraph(
        "Every answer of the system in which this child was shown to somebody, with whoever else was in it. "
        f"This bundle itself was shown to {record['made_by']} on {moment_in_words(record['made_at'])}."
    )
    rows = (
        (
            moment_in_words(each["at"]),
            each["by"],
            each["what"],
            "with the name" if each["named"] else "without the name",
            str(each["pupils"]),
        )
        for each in record["seen"]["reads"]
    )
    yield from table(("When", "By whom", "What", "How", "Pupils shown"), rows, "Nobody before.")
    yield paragraph("To whom outside the school the child was named, with the headteacher's permission:")
    released = (
        (moment_in_words(each["at"]), each["by"], each["recipient"], each["purpose"], str(each["pupils"]))
        for each in record["seen"]["releases"]
    )
    yield from table(("When", "By whom", "To whom", "What for", "Pupils named"), released, "To nobody.")
    for each in record["seen"]["lost"]:
        yield paragraph(
            f"{each['times']} further reads by {each['by']} could not be recorded while the database was "
            "away: whether they showed this child is not known."
        )

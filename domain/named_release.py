"""The files of a release of named data: pupils with their results, or the figures of a school; and the cover.

They hold what the purpose of a release asks for and no more: who a child is, its class and NC year, and its
current results. Nothing of meals, needs, care, ethnicity, notes or photographs is in them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import msgspec

from domain.academic_year import academic_year_label
from domain.assessment import STATEMENTS, Result, meaning_of
from domain.files.spreadsheets import csv_of
from domain.pupil import Pupil

LEAST_PUPILS = 10
"""The figures of a school name no child: of fewer pupils than this there are none, as in benchmarks."""

SUPPRESSED = "c"
"""What stands in place of a figure about fewer: the symbol of DfE's Explore Education Statistics."""

FORMAT = "target-tracker named release"
VERSION = 1

PUPILS_FILE, FIGURES_FILE, COVER = "pupils.csv", "school-figures.csv", "cover-sheet.json"

PUPIL_COLUMNS = (
    "UPN", "Surname", "Forename", "Date of birth", "NC year", "Class",
    "Academic year", "Point", "Scheme", "Subject", "Component", "Value", "Standing",
)  # fmt: skip

FIGURE_COLUMNS = (
    "Academic year", "Point", "Scheme", "Subject", "Component", "NC year",
    "Pupils", "Below", "At", "Above",
)  # fmt: skip


class CoverSheet(msgspec.Struct, frozen=True, kw_only=True):
    """What goes with a release, wherever it goes: under which permission it was made, for whom, until when.

    Attributes:
        format: What this is.
        version: The version of its form.
        release_id: The release.
        permission_id: The headteacher's permission.
        school: The school's name.
        urn: Its Unique Reference Number.
        recipient: Who may have it.
        purpose: What for, and for nothing else.
        scope: `school_figures` or `named_pupils`.
        until: The last day of the permission.
        released_at: When it was made.
        released_by: Who made it.
        permitted_by: The headteacher who gave the permission.
        pupils: How many pupils it names.
        file: The name of the file of the data.
        sha256: The digest of that file.
    """

    format: str = FORMAT
    version: int = VERSION
    release_id: UUID
    permission_id: UUID
    school: str
    urn: str
    recipient: str
    purpose: str
    scope: str
    until: str
    released_at: str
    released_by: str
    permitted_by: str
    pupils: int
    file: str
    sha256: str


def of_pupils(pupils: Iterable[tuple[Pupil, Sequence[Result]]]) -> bytes:
    """Pupils by name: a row for each current result, and one for a child without any.

    Args:
        pupils: Each with the current results.
    """
    return csv_of(PUPIL_COLUMNS, (row for pupil, results in pupils for row in _rows(pupil, results)))


def _rows(pupil: Pupil, results: Sequence[Result]) -> Iterable[list[str | None]]:
    names, record = pupil.names, pupil.record
    who = [names.upn, names.surname, names.forename, names.date_of_birth.isoformat()]
    who += [record.nc_year, record.class_name]
    shown = [result for result in results if result.scheme != STATEMENTS]
    if not shown:
        yield [*who, *[None] * (len(PUPIL_COLUMNS) - len(who))]
    for result in shown:
        meaning = meaning_of(result)
        yield [
            *who,
            academic_year_label(result.academic_year),
            result.term,
            result.scheme,
            result.subject,
            result.component,
            result.value,
            meaning.standing if meaning else None,
        ]


def of_school(pupils: Iterable[Sequence[Result]]) -> bytes:
    """A school's figures: how many pupils of an NC year stood below, at and above what was expected then.

    Only results of which that is known count. Figures about fewer than :data:`LEAST_PUPILS` are suppressed.
    No row is the sum of others, so that none can be worked out from the rest.

    Args:
        pupils: The current results of each pupil.
    """
    counts: dict[tuple[str, ...], Counter[str]] = {}
    for results in pupils:
        for result in results:
            meaning = meaning_of(result) if result.scheme != STATEMENTS else None
            if meaning is None or meaning.standing is None:
                continue
            group = (
                academic_year_label(result.academic_year),
                result.term or "",
                result.scheme,
                result.subject,
                result.component or "",
                result.nc_year or "",
            )
            counts.setdefault(group, Counter())[meaning.standing] += 1
    return csv_of(FIGURE_COLUMNS, ([*group, *_figures(counts[group])] for group in sorted(counts)))


def _figures(counted: Counter[str]) -> list[Any]:
    figures = [counted.total(), *(counted[standing] for standing in ("below", "at", "above"))]
    return figures if figures[0] >= LEAST_PUPILS else [SUPPRESSED] * len(figures)

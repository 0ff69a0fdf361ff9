"""Importing a file of pupils: first what would happen, row by row; then all of it at once, or nothing."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

import msgspec

import domain.pupil
from domain import school_time
from domain.academic_year import academic_year_of
from domain.application.births_of_files import Births
from domain.application.marks_of_files import MARKS, Registers
from domain.application.matching import Match, Roll, merged, missing_of_a_new_pupil, with_date_of_entry
from domain.application.results_of_files import RESULTS, ResultLogs
from domain.application.school_application import (
    PUPILS,
    CommandKey,
    Decision,
    SchoolApplication,
)
from domain.errors import Finding, InvalidInput
from domain.events import Actor, Event
from domain.files.mapping import Mapping
from domain.files.reader import read_pupil_file
from domain.files.rows import PupilFile, PupilRow
from domain.identifiers import log_id_of, new_id
from domain.ledger.stream import Unless
from domain.lists_over_time import EARLIEST
from domain.periods import reconciled
from domain.pupil import Pupil, Source
from domain.school import ImportCompleted


class RowOutcome(StrEnum):
    """What becomes of a row."""

    CREATED = "created"
    CHANGED = "changed"
    LEFT = "left"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


class RowReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What becomes of one row, and why.

    Attributes:
        row: The row of the file, or the number of the pupil in a CTF.
        outcome: Created, changed, unchanged or refused.
        pupil_id: The pupil, where there was one before or one has been created.
        fields: The fields that change.
        kept: Fields of which the file says something else, and which stay as the school entered them itself;
            `results`, where it does of results that the school entered, corrected or voided here, and `marks`
            of its register.
        results: The number of assessments added or corrected.
        marks: The number of sessions marked.
        findings: Why the row is refused.
        flags: What is kept as it came, and is to be looked at.
    """

    row: int
    outcome: RowOutcome
    pupil_id: UUID | None = None
    fields: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    results: int = 0
    marks: int = 0
    findings: tuple[Finding, ...] = ()
    flags: tuple[Finding, ...] = ()


class ImportResult(msgspec.Struct, frozen=True, kw_only=True):
    """What an import did, in numbers; what a repeat of it is answered with.

    `left` counts pupils whom a file of the whole roll does not have, and who were taken off it.
    """

    format: str
    created: int
    changed: int
    unchanged: int
    refused: int
    results: int
    left: int = 0


class ImportReport(msgspec.Struct, frozen=True, kw_only=True):
    """What an import did, or would do.

    Attributes:
        dry_run: Nothing was written.
        counts: In numbers.
        rows: Row by row; none for a command that had been carried out before.
        dropped: What the file holds and is not taken, counted by kind.
        position: What to wait for to see it; none for a dry run.
        repeated: The command had been carried out before.
    """

    dry_run: bool
    counts: ImportResult
    rows: list[RowReport]
    dropped: dict[str, int]
    position: int | None = None
    repeated: bool = False


LARGEST_SHRINK = 10
"""A file takes no more than this part of the roll off it (1/10), unless somebody says how many may go."""


class Leavers(msgspec.Struct, frozen=True):
    """A file is the whole roll: who is not in it has left.

    Attributes:
        allowed: So many may leave, where they are more than a tenth of the roll.
    """

    allowed: int = 0


@dataclass
class _Plan:
    """The events that a file causes, and the report on its rows."""

    events: list[Event]
    rows: list[RowReport]
    counts: ImportResult
    position: int


class _Logs(NamedTuple):
    """What the pupils of a file have in logs beside their records, and when they were born."""

    results: ResultLogs
    registers: Registers
    births: Births


def import_file(
    school: SchoolApplication,
    content: bytes,
    actor: Actor,
    *,
    dry_run: bool,
    command_key: str | None = None,
    leavers: Leavers | None = None,
    mapping: Mapping | None = None,
    joined_on: date | None = None,
    any_destination: bool = False,
) -> ImportReport:
    """Imports a Target Tracker import file or a Common Transfer File; with a mapping, any CSV file.

    Args:
        school: The school.
        content: The file as it came.
        actor: Who imports it: the school's staff, or the operator on its behalf.
        dry_run: Only report what would happen.
        command_key: The caller's id for the command, if it gave one.
        leavers: The file is the whole roll, and who is not in it has left; otherwise they stay.
        mapping: Which column of the file fills which field.
        joined_on: The date of entry of new pupils to whom the file gives none: joiners, whose Common Transfer
            File comes from the school before.
        any_destination: A Common Transfer File may be meant for another school.

    Raises:
        UnreadableFile: It is not such a file, is damaged, or is meant for another school.
        InvalidInput: The mapping is not as it must be, or the day of joining lies ahead; or a row was
            refused, and so nothing was written: then `details["report"]` is the report.
    """
    today = school_time.today()
    _check_joined_on(joined_on, today)
    facts = school.school().facts
    file = read_pupil_file(
        content,
        academic_year=academic_year_of(today),
        today=today,
        school=(facts.local_authority, facts.establishment),
        mapping=mapping,
        any_destination=any_destination,
    )
    if joined_on:
        file.rows = [with_date_of_entry(row, joined_on) for row in file.rows]
    if dry_run:
        plan = _plan(school, file, actor, today, leavers)
        rows = _without_new_ids(plan.rows)
        return ImportReport(dry_run=True, counts=plan.counts, rows=rows, dropped=file.dropped)

    plans: list[_Plan] = []

    def decide() -> Decision[ImportResult]:
        plan = _plan(school, file, actor, today, leavers)
        plans.append(plan)
        if plan.counts.refused:
            rows = _without_new_ids(plan.rows)
            report = ImportReport(dry_run=False, counts=plan.counts, rows=rows, dropped=file.dropped)
            raise InvalidInput(
                f"{plan.counts.refused} of {len(plan.rows)} rows are refused, so nothing was written",
                [finding for row in plan.rows for finding in row.findings],
                report=report,
            )
        happened = _given_up(plan.events) if plan.events else ()
        return Decision(happened, plan.counts, Unless(PUPILS, plan.position))

    said = b"import" + hashlib.sha256(content).digest()
    said += b"".join(msgspec.json.encode(each) for each in (leavers, mapping) if each)
    said += joined_on.isoformat().encode() if joined_on else b""
    key = CommandKey(command_key, said) if command_key else None
    outcome = school.carry_out(decide, ImportResult, key)
    return ImportReport(
        dry_run=False,
        counts=outcome.result,
        rows=[] if outcome.repeated else plans[-1].rows,
        dropped=file.dropped,
        position=outcome.position,
        repeated=outcome.repeated,
    )


def _check_joined_on(joined_on: date | None, today: date) -> None:
    if joined_on and not EARLIEST <= joined_on <= today:
        raise InvalidInput(
            "Nobody can have joined on that day",
            [
                Finding(
                    field="joined_on",
                    found=joined_on.isoformat(),
                    accepted=f"a day from {EARLIEST.isoformat()} to today",
                )
            ],
        )


def _without_new_ids(rows: list[RowReport]) -> list[RowReport]:
    """The report where nothing was written: the ids of pupils who would have been created are nobody's."""
    return [
        msgspec.structs.replace(row, pupil_id=None) if row.outcome is RowOutcome.CREATED else row
        for row in rows
    ]


def _given_up(events: list[Event]) -> Iterator[Event]:
    """Events that are let go of one by one: the list is empty at the end, and no two forms of all are held.

    Returns:
        An iterator, which is true: where there are no events, a decision needs an empty list.
    """
    events.reverse()
    while events:
        yield events.pop()


def _plan(
    school: SchoolApplication, file: PupilFile, actor: Actor, today: date, leavers: Leavers | None
) -> _Plan:
    position = school.stream.head().position
    pupils = school.roll(up_to=position)
    roll = Roll(pupils.values())
    matches = [(row, roll.match(row)) for row in file.rows]
    logs = _Logs(
        ResultLogs(school, [match.pupil for row, match in matches if match.pupil and row.results]),
        Registers(school, [match.pupil for row, match in matches if match.pupil and row.marks]),
        Births(school, file.called),
    )
    events: list[Event] = []
    reports = []
    for row, match in matches:
        report, happened = _row(row, match, logs, actor, today)
        reports.append(report)
        events += happened
    if leavers:
        there = {match.pupil.id for _, match in matches if match.pupil}
        gone = [pupil for pupil in pupils.values() if pupil.on_roll and pupil.id not in there]
        reports += _leaving(gone, sum(pupil.on_roll for pupil in pupils.values()), leavers)
        events += [domain.pupil.leave(pupil, today, actor) for pupil in gone]
    outcomes = Counter(report.outcome for report in reports)
    counts = ImportResult(
        format=file.format,
        created=outcomes[RowOutcome.CREATED],
        changed=outcomes[RowOutcome.CHANGED],
        unchanged=outcomes[RowOutcome.UNCHANGED],
        refused=outcomes[RowOutcome.REFUSED],
        results=sum(report.results for report in reports),
        left=outcomes[RowOutcome.LEFT],
    )
    if events:
        imports = log_id_of(school.school_id, "imports")
        events.append(
            ImportCompleted(
                originator_id=imports,
                originator_version=school.stream.last_versions([imports]).get(imports, 0) + 1,
                actor=actor,
                import_id=new_id(),
                format=file.format,
                created=counts.created,
                changed=counts.changed,
                unchanged=counts.unchanged,
                results=counts.results,
                left=counts.left,
            )
        )
    return _Plan(events, reports, counts, position)


def _leaving(gone: list[Pupil], on_roll: int, leavers: Leavers) -> list[RowReport]:
    """What becomes of those whom a file of the whole roll does not have.

    They are refused where they are so many that somebody has probably sent the wrong file.
    """
    if not gone:
        return []
    reports = [RowReport(row=0, outcome=RowOutcome.LEFT, pupil_id=pupil.id) for pupil in gone]
    if len(gone) * LARGEST_SHRINK <= on_roll or len(gone) <= leavers.allowed:
        return reports
    refusal = Finding(
        field="leavers",
        found=f"{len(gone)} of {on_roll} pupils on the roll are not in the file",
        accepted=f"a tenth of the roll, or as many as are allowed (allow_leavers={len(gone)})",
    )
    return [RowReport(row=0, outcome=RowOutcome.REFUSED, findings=(refusal,)), *reports]


def _row(
    row: PupilRow, match: Match, logs: _Logs, actor: Actor, today: date
) -> tuple[RowReport, list[Event]]:
    findings = (*row.findings, *match.findings)
    if not findings and match.pupil is None:
        findings = missing_of_a_new_pupil(row)
    if findings:
        return _refused(row, match.pupil, findings), []
    if match.pupil is None:
        assert row.names
        assert row.record
        pupil_id = new_id()
        results = logs.results.add(pupil_id, row.results, actor).events
        marks = logs.registers.add(pupil_id, row.marks, actor)
        record = reconciled(None, row.record, today)
        logged = [*results, *marks.events]
        if findings := logs.births.findings(row.row, None, (row.names, record), logged):
            return _refused(row, None, findings), []
        admitted = domain.pupil.admit(pupil_id, row.names, record, actor, Source.FILE)
        report = RowReport(
            row=row.row,
            outcome=RowOutcome.CREATED,
            pupil_id=pupil_id,
            results=len(results),
            marks=marks.sessions,
            flags=row.flags,
        )
        return report, [admitted, *logged]
    return _known(row, match.pupil, logs, actor, today)


def _refused(row: PupilRow, pupil: Pupil | None, findings: tuple[Finding, ...]) -> RowReport:
    return RowReport(
        row=row.row,
        outcome=RowOutcome.REFUSED,
        pupil_id=pupil.id if pupil else None,
        findings=findings,
        flags=row.flags,
    )


def _known(
    row: PupilRow, pupil: Pupil, logs: _Logs, actor: Actor, today: date
) -> tuple[RowReport, list[Event]]:
    after = merged(row, pupil, today)
    changed = domain.pupil.change(pupil, after.names, after.record, actor, Source.FILE)
    results, keeps_results = logs.results.add(pupil.id, row.results, actor)
    marked, sessions, keeps_marks = logs.registers.add(pupil.id, row.marks, actor)
    if findings := logs.births.findings(row.row, pupil, (after.names, after.record), [*results, *marked]):
        return _refused(row, pupil, findings), []
    kept = [name for name, keeps in ((RESULTS, keeps_results), (MARKS, keeps_marks)) if keeps]
    fields = tuple(
        field
        for before, then in ((pupil.names, after.names), (pupil.record, after.record))
        for field in type(before).__struct_fields__
        if getattr(before, field) != getattr(then, field)
    )
    report = RowReport(
        row=row.row,
        outcome=RowOutcome.CHANGED if changed or results or marked else RowOutcome.UNCHANGED,
        pupil_id=pupil.id,
        fields=fields,
        kept=(*after.kept, *kept),
        results=len(results),
        marks=sessions,
        flags=row.flags,
    )
    return report, [*([changed] if changed else []), *results, *marked]

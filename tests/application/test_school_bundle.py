"""The school's full bundle: everything, at one position, described, and made without holding it in memory."""

from __future__ import annotations

import json
import os
import tracemalloc
from collections.abc import Iterator
from datetime import date
from typing import Any
from uuid import UUID

from domain.academic_year import HALF_TERMS, AssessmentPoint, Term
from domain.application import (
    accounts,
    assessing,
    assessment_points,
    attending,
    noting,
    observing,
    permissions,
    pupils,
    statements,
)
from domain.application.assessing import Entry as Assessed
from domain.application.erasing import ask, erase
from domain.application.histories import of_school
from domain.application.pupils import PupilResult
from domain.application.school_application import Decision, SchoolApplication
from domain.application.school_bundle import SchoolBundle
from domain.application.statements import NewStatement
from domain.assessment import STATEMENTS
from domain.assessment_points import Division
from domain.attendance import Totals
from domain.bundles import archive
from domain.bundles.describing import FILES, readme
from domain.events import OPERATOR, Actor
from domain.identifiers import new_id
from domain.ledger import photographs
from domain.ledger.database import Connection
from domain.ledger.photographs import Role
from domain.observation import Observed, Photograph, PhotographAdded, observations_of
from domain.permissions import Scope, Terms
from domain.pupil import ErasureReason, PupilNames, PupilRecord
from domain.school_time import today
from domain.vault.erasures import FileRegister
from tests.application.conftest import RegisteredSchool
from tests.application.examples import TODAY, YEAR, admitted, child, events, point_before
from tests.application.test_subject_access import MADE_AT, lived, parts
from tests.photographs import jpeg

Line = dict[str, Any]


def bundle(school: SchoolApplication, actor: Actor) -> bytes:
    return b"".join(SchoolBundle(school, actor, MADE_AT).content())


def lines_of(files: dict[str, bytes], name: str) -> list[Line]:
    return [json.loads(line) for line in files[f"{name}.ndjson"].splitlines()]


def filled(registered: RegisteredSchool) -> list[UUID]:
    """A school of which every file of the bundle has something to tell; its pupils."""
    school, actor, head = registered.application, registered.teacher, registered.administrator
    gone, other = admitted(school, actor, child(1), child(2))
    pupils.leave(school, gone, TODAY, 1, actor, reason="moved", destination="Elsewhere Primary")
    new = [NewStatement(subject="MAT", code="3N-04", text="Counts the conkers")]
    statement_id = statements.register(school, new, actor).result.statement_ids[0]
    assessment_points.choose(school, YEAR - 1, Division.HALF_TERMS, head)
    seen = Observed(observed_on=today(), text="Shared the conkers.")
    observation_id = observing.make(school, other, seen, actor).result.observation_id
    observing.attach(school, other, observation_id, jpeg(), actor)
    judged = Assessed(other, "MAT", "achieved", statement=statement_id)
    assessing.record(school, AssessmentPoint.of(TODAY, HALF_TERMS), [judged], actor, scheme=STATEMENTS)
    assessment_points.close(school, point_before(1, Term.AUTUMN_1), head)
    totals = Totals(first_day=date(TODAY.year - 1, 11, 2), last_day=date(TODAY.year - 1, 11, 6),
                    possible=10, attended=9, authorised=1, unauthorised=0)  # fmt: skip
    attending.record_totals(school, other, totals, actor)
    assert head.staff_id
    accounts.appoint_headteacher(school, head.staff_id, OPERATOR)
    terms = Terms(recipient="A council", purpose="A study", scope=Scope.NAMED_PUPILS, until=today())
    permissions.give(school, terms, head)
    full, _ = lived(registered)
    return [gone, other, full]


def undescribed(files: dict[str, bytes], described: Any = FILES) -> set[str]:
    """The files and fields of a bundle that nobody describes."""
    found = set()
    for name in files:
        stem = name.removesuffix(archive.LINES)
        if stem == name:
            continue
        if stem not in described:
            found.add(stem)
            continue
        found |= {f"{stem}.{field}" for line in lines_of(files, stem)
                  for field in line.keys() - described[stem][1].keys()}  # fmt: skip
    return found


def test_every_file_and_field_is_described(registered: RegisteredSchool) -> None:
    filled(registered)
    files = parts(bundle(registered.application, registered.teacher))
    assert undescribed(files) == set()
    assert all(lines_of(files, name) for name in FILES), "a file with nothing in it shows nothing"
    assert files["README.txt"].decode() == readme()
    for name, (_, fields) in FILES.items():
        told = {field for line in lines_of(files, name) for field in line}
        assert told == fields.keys(), name
        assert f"\n{name}.ndjson\n" in readme()
    words = readme()
    for field in (*PupilNames.__struct_fields__, *PupilRecord.__struct_fields__):
        assert field in words


def test_a_field_that_nobody_describes_would_be_noticed(registered: RegisteredSchool) -> None:
    filled(registered)
    files = parts(bundle(registered.application, registered.teacher))
    about, fields = FILES["notes"]
    less = {**FILES, "notes": (about, {name: fields[name] for name in fields if name != "text"})}
    del less["staff"]
    assert undescribed(files, less) == {"notes.text", "staff"}


def test_it_holds_all_of_it(registered: RegisteredSchool) -> None:
    school, actor = registered.application, registered.teacher
    ids = filled(registered)
    before = events(school)
    files = parts(bundle(school, actor))
    assert events(school) == before
    manifest = json.loads(files["manifest.json"])
    assert manifest["position"] == len(before)
    assert manifest["made_by"] == "A Teacher"
    counts = {each["name"]: each["lines"] for each in manifest["files"] if "lines" in each}
    assert counts["pupils.ndjson"] == 3
    assert counts["history.ndjson"] == len(before)
    assert [line["pupil_id"] for line in lines_of(files, "pupils")] == [str(each) for each in ids]
    assert [line["on_roll"] for line in lines_of(files, "pupils")] == [False, True, True]
    told = [entry.event for entry in of_school(school, limit=10_000)]
    assert [line["event"] for line in lines_of(files, "history")] == told
    assert [line["position"] for line in lines_of(files, "history")] == list(range(1, len(before) + 1))
    assert {line["username"] for line in lines_of(files, "staff")} == {"Head", "Teacher"}
    assert b"verifier" not in b"".join(files.values())
    assert b"$argon2" not in b"".join(files.values())
    division, closed = lines_of(files, "assessment-points")
    assert (closed["academic_year"], closed["term"]) == (YEAR - 1, "autumn-1")
    assert (division["from_year"], division["division"]) == (YEAR - 1, "half-terms")
    [kept, whole] = lines_of(files, "photographs")
    picture = observing.picture(
        school, ids[1], UUID(kept["observation_id"]), UUID(kept["photograph_id"]), Role.PHOTOGRAPH
    )
    assert files[kept["file"]] == picture.content
    assert files[whole["file"]] == jpeg()
    assert [kept["withdrawn"], whole["withdrawn"]] == [False, True]


def test_how_entries_stand(registered: RegisteredSchool) -> None:
    school, actor = registered.application, registered.teacher
    [pupil_id] = admitted(school, actor, child(1))
    then = point_before(1)
    first, second, third = (
        assessing.record(school, then, [Assessed(pupil_id, subject, "3w")], actor).result.assessment_ids[0]
        for subject in ("REA", "REA", "MAT")
    )
    assessing.correct(school, pupil_id, second, "3w+", actor, reason="slip of the pen")
    assessing.void(school, pupil_id, third, "wrong child", actor)
    found = {line["assessment_id"]: line for line in lines_of(parts(bundle(school, actor)), "assessments")}
    assert [found[str(each)]["state"] for each in (first, second, third)] == [
        "superseded",
        "current",
        "voided",
    ]
    assert [found[str(each)]["corrected"] for each in (first, second, third)] == [False, True, False]
    assert found[str(second)]["result"]["value"] == "3w+"
    assert [step["result"]["value"] for step in found[str(second)]["steps"]] == ["3w", "3w+"]
    assert found[str(third)]["steps"][-1]["reason"] == "wrong child"


def test_all_of_it_is_as_at_one_position(registered: RegisteredSchool) -> None:
    school, actor = registered.application, registered.teacher
    [pupil_id] = admitted(school, actor, child(1))
    begun = SchoolBundle(school, actor, MADE_AT)
    content = begun.content()
    first = next(content)
    noting.write_note(school, pupil_id, "Written meanwhile", today(), actor)
    admitted(school, actor, child(2, surname="Later"))
    files = parts(b"".join([first, *content]))
    assert json.loads(files["manifest.json"])["position"] == begun.position
    assert not [name for name, held_ in files.items() if b"meanwhile" in held_ or b"Later" in held_]
    assert b"Written meanwhile" in parts(bundle(school, actor))["notes.ndjson"]


def test_of_an_erased_child_there_is_nothing(registered: RegisteredSchool, tmp_path: Any) -> None:
    school, actor = registered.application, registered.administrator
    one, other = admitted(school, actor, child(1, surname="Zanzibarcanary"), child(2))
    noting.write_note(school, one, "Lynxcanary", today(), actor)
    confirmation = ask(school, one, ErasureReason.REQUEST, actor).confirmation
    register = FileRegister(tmp_path / "erasures")
    erase(school, register, one, ErasureReason.REQUEST, confirmation, actor)
    again = school.opened_with(school.keys.school)
    found = SchoolBundle(again, actor, MADE_AT)
    assert found.pupil_ids == [other]
    files = parts(b"".join(found.content()))
    assert b"canary" not in b"".join(files.values())
    assert [line["pupil_id"] for line in lines_of(files, "pupils")] == [str(other)]
    of_one = [line for line in lines_of(files, "history") if line["originator_id"] == str(one)]
    assert [line["event"] for line in of_one] == ["pupil.admitted", "pupil.erased"]
    assert of_one[0]["details"] == {"source": "entered", "erased": True}


LARGE = 300_000
"""Bytes of a large photograph."""


def with_photographs(registered: RegisteredSchool, count: int) -> int:
    """Attaches large photographs to a child; how many bytes they have together."""
    school, actor = registered.application, registered.teacher
    [pupil_id] = admitted(school, actor, child(1))
    observation_ids = [
        observing.make(
            school, pupil_id, Observed(observed_on=date(2026, 1, 5), text=f"Number {number}"), actor
        ).result.observation_id
        for number in range(count // 20)
    ]
    version = len(observation_ids)
    for number in range(count):
        photograph_id = new_id()
        content = os.urandom(LARGE)
        sealed = {
            role: photographs.sealed_for(school.keys, pupil_id, photograph_id, role, content[:end])
            for role, end in ((Role.PHOTOGRAPH, LARGE), (Role.THUMBNAIL, 10_000))
        }
        version += 1
        added = PhotographAdded(
            originator_id=observations_of(pupil_id),
            originator_version=version,
            actor=actor,
            observation_id=observation_ids[number // 20],
            pupil_id=pupil_id,
            photograph=Photograph(
                id=photograph_id,
                media_type="image/jpeg",
                width=96,
                height=64,
                sha256=photographs.digest_of(sealed[Role.PHOTOGRAPH]),
                thumbnail_sha256=photographs.digest_of(sealed[Role.THUMBNAIL]),
            ),
        )

        def keep(connection: Connection, id_: UUID = photograph_id, both: Any = sealed) -> None:
            for role, picture in both.items():
                photographs.add(connection, school.school_id, pupil_id, id_, role, picture)

        school.carry_out(
            lambda event=added, keep=keep: Decision([event], PupilResult(pupil_id, 1), beside=keep),  # type: ignore[misc]
            PupilResult,
        )
    return count * LARGE


def highest(pieces: Iterator[bytes]) -> tuple[int, int]:
    """The bytes that something came to, and the most that were held while it was made."""
    tracemalloc.start()
    try:
        size = sum(map(len, pieces))
        return size, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_hundreds_of_photographs_are_never_in_memory_together(registered: RegisteredSchool) -> None:
    school, actor = registered.application, registered.teacher
    held_ = with_photographs(registered, 100)
    size, peak = highest(SchoolBundle(school, actor, MADE_AT).content())
    assert size > held_ == 30_000_000
    assert peak < 6_000_000
    # The sabotaged twin: one that puts the whole together first.
    _, careless = highest(bundle(school, actor) for _ in range(1))
    assert careless > held_

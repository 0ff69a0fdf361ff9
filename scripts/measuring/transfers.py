"""`transfer`: Common Transfer Files in and out, beside an XML parser and writer alone, and what they hold."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from functools import partial
from statistics import median
from xml.etree.ElementTree import fromstring, tostring

import msgspec

from domain.application.exporting import Selection, export_ctf
from domain.application.importing import import_file
from domain.application.logins import opened_with_key
from domain.application.school_application import Schools
from domain.assessment import STATUTORY, Result
from domain.codes.upn import make_upn
from domain.events import OPERATOR
from domain.files.ctf_writer import CtfPupil, CtfSchool, write_ctf
from domain.pupil_record import OtherElement, Period, SchoolAttended, SenPeriod, YearAttended
from domain.vault import login_key
from domain.vault.key_ring import KeyRing
from scripts.measuring.ground import Ground, made_up_child, new_school, registered_key
from scripts.measuring.measure import Figure, figure, peak, timed

PUPILS = 420
RESULTS_EACH = 36
"""Early learning goals, phonics, teacher assessments and tests of both key stages, the tables check."""

MANY_PUPILS = 5_000
FEWER_RESULTS_EACH = 9
LARGE = 20_000_000
"""Bytes of the large file."""

ROUNDS = 3


def measure(ground: Ground) -> Iterator[Figure]:
    """Measures the figures: times are medians of some rounds, each into a school of its own."""
    schools = ground.schools()
    content = made_up_transfer(PUPILS, RESULTS_EACH)
    read, written = [], []
    for _ in range(ROUNDS):
        school = new_school(schools)
        read.append(timed(partial(import_file, school, content, OPERATOR, dry_run=False)))
        written.append(timed(partial(export_ctf, school, Selection())))
    bare = median(timed(partial(fromstring, content)) for _ in range(ROUNDS))
    yield figure(
        "transfer, in: 420 pupils, 15,120 results", median(read), "s", bare,
        "the XML parser alone, making elements of the same bytes", most_value=2,
    )  # fmt: skip
    tree = fromstring(content)  # noqa: S314 - our own file
    bare = median(timed(partial(tostring, tree, encoding="utf-8")) for _ in range(ROUNDS))
    yield figure(
        "transfer, out: the same", median(written), "s", bare,
        "the XML writer alone, from elements that are there", most_value=1,
    )  # fmt: skip
    large = made_up_transfer(MANY_PUPILS, FEWER_RESULTS_EACH)
    assert len(large) >= LARGE, len(large)
    name = f"transfer, memory at its peak: {len(large) / 1e6:.0f} MB, 5,000 pupils"
    bare, bare_is = _peak("parse", ground, large), "a process that makes elements of all of it, and no more"
    yield figure(name, _peak("import", ground, large), "MiB", bare, bare_is, most_value=300)
    # What a process keeps of the first one is not asked to be nothing: it is only shown.
    again = f"{name}, the second in one process"
    yield figure(again, _peak("import twice", ground, large), "MiB", bare, bare_is)


def made_up_transfer(pupils: int, results_each: int) -> bytes:
    """The file of a school whose pupils have something in every field that it has a place for."""
    school = CtfSchool(la="881", establishment="2001", urn="123456", name="Made-up School")
    written = [_pupil(number, results_each) for number in range(pupils)]
    return write_ctf(school, 2025, written, datetime(2026, 3, 2, 9, tzinfo=UTC))


def _pupil(number: int, results_each: int) -> CtfPupil:
    names, record = made_up_child(number)
    before = {"name": "Elm Bank Infant School", "local_authority": "881", "establishment": "2999"}
    return CtfPupil(
        names=msgspec.structs.replace(
            names,
            upn=make_upn(881, 2001 + number // 1000, 2022, number % 1000),
            middle_names="Ida",
            previous_schools=(
                SchoolAttended(
                    **before, entered_on=date(2020, 9, 3), left_on=date(2022, 7, 22), leaving_reason="IJ"
                ),
            ),
            attendance_before=(
                YearAttended(academic_year=2021, possible=376, authorised=8, unauthorised=2, **before),
                YearAttended(academic_year=2023, possible=380, authorised=4, unauthorised=1),
            ),
            other_elements=(
                OtherElement(xml="<UniqueLearnerNumber>1234567890</UniqueLearnerNumber>", after="UPN"),
                OtherElement(xml="<CareAuthority>881</CareAuthority>", path="LookedAfter", after="InCare"),
                OtherElement(
                    xml=f"<AttendSessions><AttendanceStartDate>2023-09-04</AttendanceStartDate>"
                    f"<AttendanceMarks>{'/' * 380}</AttendanceMarks></AttendSessions>",
                    path="Attendance/YearData",
                    of="2023",
                    after="SessionsUnauthorised",
                ),
            ),
        ),
        record=msgspec.structs.replace(
            record,
            class_name=None,
            in_care=False,
            free_school_meals=False,
            meals_periods=(Period(start=date(2021, 9, 1), end=date(2022, 7, 22)),),
            sen_periods=(SenPeriod(start=date(2022, 1, 10), provision="K"),),
            sen_provision="K",
            sen_needs=("SLCN", "MLD"),
        ),
        results=tuple(_result(place) for place in range(results_each)),
    )  # fmt: skip


_MEASURES = (
    ("KS1", "ENG", "REA", "TA", "EXS"),
    ("KS1", "ENG", "WRI", "TA", "WTS"),
    ("KS1", "MAT", None, "TA", "GDS"),
    ("KS2", "ENG", "REA", "TT", "104"),
    ("KS2", "MAT", None, "TT", "99"),
    ("KS2", "MAT", "MTC", "TT", "25"),
)


def _result(place: int) -> Result:
    stage, subject, component, method, value = _MEASURES[place % len(_MEASURES)]
    return Result(
        scheme=STATUTORY,
        subject=subject,
        component=component,
        stage=stage,
        method=method,
        status="R",
        qualifier="NM",
        value=value,
        academic_year=2019 + place // len(_MEASURES),
    )


def _peak(part: str, ground: Ground, content: bytes) -> float:
    """The most that a process of its own held in memory, in MiB."""
    keys = ground.service_keys.document()
    schools = ground.schools()
    logins = "".join(f"{registered_key(schools)}\n" for _ in range(2))
    result = subprocess.run(
        [sys.executable, "-m", "scripts.measuring.transfers", part, ground.api, str(len(keys))],
        input=keys + logins.encode() + content,
        check=True,
        capture_output=True,
    )
    return float(result.stdout)


def _in_this_process(part: str, conninfo: str, length: int) -> float:
    sent = sys.stdin.buffer
    ring = KeyRing.read(sent.read(length))
    logins = [sent.readline().decode().rstrip("\n") for _ in range(2)]
    content = sent.read()
    if part == "parse":
        fromstring(content)  # noqa: S314 - our own file
        return peak()
    schools = Schools(conninfo, ring)
    for key in logins if part == "import twice" else logins[:1]:
        school = opened_with_key(schools, login_key.read(key, ring))
        report = import_file(school, content, OPERATOR, dry_run=False)
        assert report.counts.created == MANY_PUPILS
        del school, report  # as a request does, whose end is the end of what it held
    return peak()


if __name__ == "__main__":
    print(_in_this_process(sys.argv[1], sys.argv[2], int(sys.argv[3])))

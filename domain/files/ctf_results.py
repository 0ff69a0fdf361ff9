"""The assessments of a CTF pupil. A class of results is thousands of elements, so this is written tightly."""

from __future__ import annotations

from datetime import date
from xml.etree.ElementTree import Element

from domain.assessment import STATUTORY, Result
from domain.files import fields
from domain.files.ctf_history import Context, text_of
from domain.files.rows import RowReader, holds_email

PATH = "StageAssessments/KeyStage/StageAssessment"

_TAKEN = {
    "Locale",
    "Year",
    "Subject",
    "Method",
    "Component",
    "ResultStatus",
    "ResultQualifier",
    "Result",
    "ResultDate",
}


LONGEST_CODE = 40
"""No code or result of any CTF comes near this; what is longer is not one."""

EARLIEST_YEAR = 1990
"""No pupil of today was assessed in an earlier year."""


def read_results(pupil: Element, reader: RowReader, context: Context) -> tuple[Result, ...]:
    """Every result with its codes as they came.

    A CTF's `Year` is the one in which the academic year ends; ours is the one in which it starts. An
    assessment without a result is counted as dropped.
    """
    results = []
    for key_stage in pupil.iterfind("StageAssessments/KeyStage"):
        stage = text_of(key_stage, "Stage") or None
        for assessment in key_stage:
            if assessment.tag != "StageAssessment":
                if assessment.tag != "Stage":
                    context.dropped[f"StageAssessments/KeyStage/{assessment.tag}"] += 1
                continue
            stated = {
                part.tag: text for part in assessment if part.text is not None and (text := part.text.strip())
            }
            if not stated.keys() <= _TAKEN:
                for tag in stated.keys() - _TAKEN:
                    context.dropped[f"{PATH}/{tag}"] += 1
            if "Result" not in stated:
                context.dropped["assessments without a result"] += 1
            elif result := _result(stated, stage, reader, context):
                results.append(result)
    return tuple(results)


def _result(stated: dict[str, str], stage: str | None, reader: RowReader, context: Context) -> Result | None:
    year = stated.get("Year", "")
    subject = stated.get("Subject")
    last = context.academic_year + 1
    if not (year.isascii() and year.isdecimal() and len(year) == 4 and EARLIEST_YEAR <= int(year) <= last):
        reader.wrong(f"{PATH}/Year", year, f"the year in which it ends, from {EARLIEST_YEAR} to {last}")
        return None
    if subject is None:
        reader.wrong(f"{PATH}/Subject", "", "a subject code, such as ENG")
        return None
    if too_long := next((tag for tag, text in stated.items() if len(text) > LONGEST_CODE), None):
        reader.wrong(f"{PATH}/{too_long}", stated[too_long], f"a code of at most {LONGEST_CODE} characters")
        return None
    if stage and len(stage) > LONGEST_CODE:
        reader.wrong("StageAssessments/KeyStage/Stage", stage, f"a code of at most {LONGEST_CODE} characters")
        return None
    if "@" in "".join(stated.values()) and any(map(holds_email, stated.values())):
        reader.wrong(PATH, "an email address", fields.NO_EMAIL)
        return None
    return Result(
        scheme=STATUTORY,
        subject=subject,
        value=stated["Result"],
        academic_year=int(year) - 1,
        stage=stage,
        component=stated.get("Component"),
        method=stated.get("Method"),
        qualifier=stated.get("ResultQualifier"),
        status=stated.get("ResultStatus"),
        assessed_on=_assessed_on(stated["ResultDate"], reader) if "ResultDate" in stated else None,
    )


def _assessed_on(text: str, reader: RowReader) -> date | None:
    return reader.read(f"{PATH}/ResultDate", text, fields.read_year_first)

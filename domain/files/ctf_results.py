"""The assessments of a CTF pupil. A class of results is thousands of elements, so this is written tightly."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from xml.etree.ElementTree import Element

from domain.academic_year import FIRST_MONTH
from domain.assessment import STATUTORY, Result, meaning_of
from domain.codes import result_sets
from domain.files import fields
from domain.files.ctf_history import Context, Pupil, text_of
from domain.files.ctf_places import ORDER, result_key
from domain.files.rows import holds_email

STAGE_PATH = "StageAssessments/KeyStage"
PATH = "StageAssessments/KeyStage/StageAssessment"

_TAKEN = frozenset(ORDER[PATH])

LONGEST_CODE = 40
"""No code or result of any CTF comes near this; what is longer is not one."""

EARLIEST_YEAR = 1990
"""No pupil of today was assessed in an earlier year."""

ENGLAND = "ENG"
"""The `Locale` of results that are England's."""


def read_results(pupil: Pupil, context: Context) -> tuple[Result, ...]:
    """Every result with its codes as they came.

    A CTF's `Year` is the one in which the academic year ends; ours is the one in which it starts. An
    assessment without a result is kept among the elements that no field holds.
    """
    results = []
    for stages in pupil.element.iterfind("StageAssessments"):
        before = ""
        for key_stage in stages:
            if key_stage.tag == "KeyStage":
                results += _of_stage(pupil, key_stage, context)
                before = "KeyStage"
            else:
                pupil.keeper.keep(key_stage, "StageAssessments", "", before)
    return tuple(results)


def _of_stage(pupil: Pupil, key_stage: Element, context: Context) -> list[Result]:
    stage = text_of(key_stage, "Stage") or None
    results = []
    before = ""
    for assessment in key_stage:
        if assessment.tag == "StageAssessment":
            stated = {
                part.tag: text for part in assessment if part.text is not None and (text := part.text.strip())
            }
            if "Result" not in stated:
                pupil.keeper.keep(assessment, STAGE_PATH, stage or "", before)
            elif result := _result(stated, stage, pupil, context):
                results.append(result)
                if not stated.keys() <= _TAKEN or stated.get("Locale", ENGLAND) != ENGLAND:
                    _keep_rest(pupil, assessment, result_key(result))
        elif assessment.tag != "Stage":
            pupil.keeper.keep(assessment, STAGE_PATH, stage or "", before)
        if assessment.tag in {"Stage", "StageAssessment"}:
            before = assessment.tag
    return results


def _keep_rest(pupil: Pupil, assessment: Element, key: str) -> None:
    before = ""
    for part in assessment:
        is_abroad = part.tag == "Locale" and (part.text or "").strip() != ENGLAND
        if part.tag not in _TAKEN or is_abroad:
            pupil.keeper.keep(part, PATH, key, before)
        if part.tag in _TAKEN:
            before = part.tag


def _result(stated: dict[str, str], stage: str | None, pupil: Pupil, context: Context) -> Result | None:
    reader = pupil.reader
    year = stated.get("Year", "")
    subject = stated.get("Subject")
    last = context.academic_year + 1
    if not (year.isascii() and year.isdecimal() and len(year) == 4 and EARLIEST_YEAR <= int(year) <= last):
        reader.wrong(f"{PATH}/Year", year, f"the year in which it ends, from {EARLIEST_YEAR} to {last}")
        return None
    if subject is None:
        reader.wrong(f"{PATH}/Subject", "", "a subject code, such as ENG")
        return None
    if too_long := next(
        (tag for tag, text in stated.items() if len(text) > LONGEST_CODE and tag in _TAKEN), None
    ):
        reader.wrong(f"{PATH}/{too_long}", stated[too_long], f"a code of at most {LONGEST_CODE} characters")
        return None
    if stage and len(stage) > LONGEST_CODE:
        reader.wrong("StageAssessments/KeyStage/Stage", stage, f"a code of at most {LONGEST_CODE} characters")
        return None
    if "@" in "".join(stated.values()) and any(
        holds_email(text) for tag, text in stated.items() if tag in _TAKEN
    ):
        reader.wrong(PATH, "an email address", fields.NO_EMAIL)
        return None
    result = Result(
        scheme=STATUTORY,
        subject=subject,
        value=stated["Result"],
        academic_year=int(year) - 1,
        stage=stage,
        component=stated.get("Component"),
        method=stated.get("Method"),
        qualifier=stated.get("ResultQualifier"),
        status=stated.get("ResultStatus"),
        assessed_on=reader.read(
            f"{PATH}/ResultDate", stated["ResultDate"], lambda text: fields.read_past(text, context.today)
        )
        if "ResultDate" in stated
        else None,
    )
    flags, off_the_scale = _looked_at(
        stage,
        subject,
        result.component,
        result.method,
        result.qualifier,
        result.status,
        result.value,
        result.academic_year,
    )
    for field, found, message in flags:
        reader.flag(field, found, message)
    if off_the_scale:
        reader.wrong(f"{PATH}/Result", result.value, off_the_scale)
        return None
    return result


_SETS = {
    "Subject": result_sets.ASSESSMENT_SUBJECT,
    "Component": result_sets.ASSESSMENT_COMPONENT,
    "Method": result_sets.ASSESSMENT_METHOD,
    "ResultQualifier": result_sets.RESULT_QUALIFIER,
    "ResultStatus": result_sets.RESULT_STATUS,
}


@lru_cache(maxsize=16_384)
def _looked_at(
    stage: str | None,
    subject: str,
    component: str | None,
    method: str | None,
    qualifier: str | None,
    status: str | None,
    value: str,
    academic_year: int,
) -> tuple[tuple[tuple[str, str, str], ...], str | None]:
    """What is to be said of a result, and what its scale accepts, if it is a number outside it.

    To be said are codes that no list has, and a code in place of a value that its scheme does not have.
    The same few hundred results come again and again in a file, so each is looked at once.
    """
    said = []
    day = date(academic_year + 1, FIRST_MONTH - 1, 31)  # the last one of its academic year
    codes = {
        "Subject": subject,
        "Component": component,
        "Method": method,
        "ResultQualifier": qualifier,
        "ResultStatus": status,
    }
    if stage and (flag := result_sets.ASSESSMENT_STAGE.flag(stage, day)):
        said.append(("StageAssessments/KeyStage/Stage", stage, flag.message))
    for tag, code in codes.items():
        if code and (flag := _SETS[tag].flag(code, day)):
            said.append((f"{PATH}/{tag}", code, flag.message))
    meaning = meaning_of(
        Result(
            scheme=STATUTORY,
            subject=subject,
            value=value,
            academic_year=academic_year,
            stage=stage,
            component=component,
            method=method,
            qualifier=qualifier,
        )
    )
    if meaning and meaning.value is None:
        version = meaning.version
        accepted = f"on the scale of {version.title} ({meaning.code}): {version.accepted}"
        if version.is_off(value):
            return tuple(said), accepted
        said.append((f"{PATH}/Result", value, f"not {accepted}"))
    return tuple(said), None

"""What views say of codes that no list has, or not on the day that they are about."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest

from domain import code_flags
from domain.code_flags import flags_of
from domain.errors import Finding, InvalidInput
from domain.particulars import checked
from domain.pupil_record import (
    CarePeriod,
    PremiumPeriod,
    PupilNames,
    PupilRecord,
    SchoolAttended,
    SenPeriod,
)

DAY = date(2026, 3, 2)
NAMES = PupilNames(surname="Rooster", forename="Zoë", date_of_birth=date(2012, 11, 20))
RECORD = PupilRecord(sex="F", date_of_entry=date(2022, 9, 7))

UNKNOWN = PupilRecord(
    sex="Q",
    date_of_entry=date(2022, 9, 7),
    nc_year="99",
    first_language="QQQ",
    ethnicity="ZZZZ",
    sen_provision="Z",
    upn_missing="UN99",
    post_looked_after="Z",
    enrolment_status="Z",
    sen_needs=("MLD", "ZZZ"),
    premium_periods=(PremiumPeriod(start=DAY, reason="ZZZ"),),
    care_periods=(CarePeriod(start=DAY), CarePeriod(start=DAY, kind="ZZ")),
)
EVERY_FIELD = {
    "sex",
    "nc_year",
    "first_language",
    "ethnicity",
    "sen_provision",
    "upn_missing",
    "post_looked_after",
    "enrolment_status",
    "sen_needs.1",
    "premium_periods.0.reason",
    "care_periods.1.kind",
}


def said(record: PupilRecord, left_on: date | None = None, day: date = DAY) -> dict[str, tuple[str, str]]:
    return {flag.field: (flag.found, flag.says) for flag in flags_of(NAMES, record, left_on, day)}


def check_every_coded_field_is_looked_at() -> None:
    assert said(UNKNOWN).keys() == EVERY_FIELD
    assert {says for _, says in said(UNKNOWN).values()} == {"unknown"}


def test_every_coded_field_is_looked_at() -> None:
    check_every_coded_field_is_looked_at()


def test_the_twin_that_forgets_a_field_fails_the_same_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code_flags, "_PLAIN", code_flags._PLAIN[:-1])
    with pytest.raises(AssertionError):
        check_every_coded_field_is_looked_at()


def test_codes_of_the_lists_are_not_flagged() -> None:
    record = msgspec.structs.replace(
        RECORD, nc_year="3", first_language="ENG", ethnicity="WBRI", sen_provision="K", sen_needs=("MLD",)
    )
    assert said(record) == {}
    assert said(RECORD) == {}


def test_each_sen_period_is_looked_at_on_its_first_day() -> None:
    periods = (
        SenPeriod(start=date(2012, 9, 3), end=date(2014, 12, 31), provision="A"),
        SenPeriod(start=date(2016, 1, 4), end=date(2016, 7, 1), provision="P"),
        SenPeriod(start=date(2018, 9, 3), provision="K"),
    )
    record = msgspec.structs.replace(RECORD, sen_periods=periods, sen_provision="K")
    assert said(record) == {
        "sen_periods.1.provision": ("P", "no longer valid (until 2015-08-31; then K)"),
    }
    # On a day of the second period that provision is what is so, and is flagged, too.
    assert said(record, day=date(2016, 2, 1)).keys() == {"sen_provision", "sen_periods.1.provision"}


def test_who_left_in_time_has_no_flag() -> None:
    record = msgspec.structs.replace(RECORD, sen_provision="A")
    assert said(record) == {"sen_provision": ("A", "no longer valid (until 2015-08-31; then K)")}
    assert said(record, left_on=date(2013, 7, 24)) == {}


def test_what_stands_among_the_names_is_flagged_for_those_who_see_names() -> None:
    names = msgspec.structs.replace(NAMES, previous_schools=(SchoolAttended(leaving_reason="ZZ"),))
    assert [flag.field for flag in flags_of(names, RECORD, None, DAY)] == [
        "previous_schools.0.leaving_reason"
    ]
    assert flags_of(None, RECORD, None, DAY) == ()


def refusals(record: PupilRecord, before: PupilRecord | None = None) -> list[Finding]:
    try:
        checked(NAMES, record, (NAMES, before) if before else None)
    except InvalidInput as refused:
        return refused.findings
    return []


A_FROM_2016 = msgspec.structs.replace(RECORD, sen_periods=(SenPeriod(start=date(2016, 1, 4), provision="A"),))


def test_a_sen_period_that_was_not_valid_at_its_start_is_refused_with_its_dates() -> None:
    [finding] = refusals(A_FROM_2016)
    assert (finding.field, finding.found) == ("sen_periods.0.provision", "A from 2016-01-04")
    assert finding.accepted == (
        "A from 2001-09-01 until 2015-08-31; then K, or a SEN provision that was valid on that day"
    )
    early = msgspec.structs.replace(RECORD, sen_periods=(SenPeriod(start=date(2013, 1, 7), provision="K"),))
    [finding] = refusals(early)
    assert finding.accepted.startswith("K from 2014-09-01")
    assert not refusals(
        msgspec.structs.replace(RECORD, sen_periods=(SenPeriod(start=date(2013, 1, 7), provision="A"),))
    )


def test_a_period_that_is_recorded_already_can_be_ended_and_followed() -> None:
    ended = SenPeriod(start=date(2016, 1, 4), end=date(2018, 7, 20), provision="A")
    followed = (ended, SenPeriod(start=date(2018, 9, 3), provision="K"))
    assert not refusals(msgspec.structs.replace(A_FROM_2016, sen_periods=followed), A_FROM_2016)
    moved = (SenPeriod(start=date(2017, 1, 4), provision="A"),)
    assert refusals(msgspec.structs.replace(A_FROM_2016, sen_periods=moved), A_FROM_2016)


def test_a_statement_that_would_begin_such_a_period_is_refused() -> None:
    since = msgspec.structs.replace(
        RECORD, sen_provision="K", sen_periods=(SenPeriod(start=date(2018, 9, 3), provision="K"),)
    )
    [finding] = refusals(msgspec.structs.replace(since, sen_provision="A"), since)
    assert finding.field == "sen_provision"


def test_what_is_recorded_blocks_no_other_change() -> None:
    assert not refusals(msgspec.structs.replace(UNKNOWN, class_name="Elm"), UNKNOWN)
    assert {finding.field for finding in refusals(UNKNOWN)} >= {"ethnicity", "sen_needs.1"}


def test_an_unknown_code_is_refused_as_before() -> None:
    [finding] = refusals(msgspec.structs.replace(UNKNOWN, ethnicity="YYYY"), UNKNOWN)
    assert (finding.field, finding.found) == ("ethnicity", "YYYY")

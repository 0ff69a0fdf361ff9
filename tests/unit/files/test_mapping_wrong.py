"""Mappings that are not as they must be: every place in them is named, with what is accepted there."""

from __future__ import annotations

from typing import Any

import pytest

from domain.errors import Finding, InvalidInput
from domain.files.mapping import Mapping, layout_of, read_mapping
from tests.unit.files.children import TODAY
from tests.unit.files.test_mapping import WHO


def refusals(**mapping: Any) -> dict[str, Finding]:
    with pytest.raises(InvalidInput) as refused:
        layout_of(Mapping(**mapping), TODAY)
    assert all(finding.found and finding.accepted for finding in refused.value.findings)
    return {finding.field: finding for finding in refused.value.findings}


def test_a_mapping_that_is_wrong_everywhere_is_told_so_everywhere() -> None:
    wrong = refusals(
        fields=WHO
        | {
            "shoe_size": "Shoes",
            "nc_year": 3,
            "upn": {"column": "UPN", "colour": "red"},
            "postcode": {"values": {}},
            "date_of_birth": {"column": "DOB", "dates": "day/month"},
            "class_name": {"column": "Class", "dates": "dd/mm/yyyy"},
            "sex": {"column": "Sex", "values": {"Female": "X"}},
            "ethnicity": {"column": "E", "values": {"Other": "ZZZZ"}},
            "gifted": {"column": "G", "empty": "perhaps"},
            "middle_names": " ",
            "sen_needs": {"column": "a", "columns": ["b"]},
            "meals_periods": {"column": "FSM"},
            "free_school_meals": "FSM",
            "possible": "Possible",
        },
        dates="whenever",
        true=("Yes", "On"),
        false=("on",),
        delimiter="~",
        encoding="ebcdic",
    )
    assert wrong.keys() == {
        "mapping.dates",
        "mapping.delimiter",
        "mapping.encoding",
        "mapping.false",
        "mapping.fields.shoe_size",
        "mapping.fields.nc_year",
        "mapping.fields.upn",
        "mapping.fields.postcode.column",
        "mapping.fields.date_of_birth.dates",
        "mapping.fields.class_name.dates",
        "mapping.fields.sex.values.Female",
        "mapping.fields.ethnicity.values.Other",
        "mapping.fields.gifted.empty",
        "mapping.fields.middle_names",
        "mapping.fields.sen_needs.columns",
        "mapping.fields.meals_periods.start",
        "mapping.fields.authorised",
        "mapping.fields.unauthorised",
    }
    assert "surname" in wrong["mapping.fields.shoe_size"].accepted
    assert wrong["mapping.fields.sex.values.Female"].found == "X"
    assert wrong["mapping.fields.sex.values.Female"].accepted == "one of M, F, U, W"
    assert "dd/mm/yyyy" in wrong["mapping.dates"].accepted


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        (
            WHO | {"sen_needs": {"columns": [str(number) for number in range(21)]}},
            "mapping.fields.sen_needs.columns",
        ),
        (
            WHO | {"class_name": {"column": "C", "values": {str(number): "a" for number in range(1001)}}},
            "mapping.fields.class_name.values",
        ),
        ({}, "mapping.fields"),
        ({"surname": "Last", "forename": "First"}, "mapping.fields"),
        ({"upn": "UPN", "surname": "Last"}, "mapping.fields.forename"),
        (
            WHO | {"sen_provision": "S", "sen_periods": {"column": "S", "start": "From"}},
            "mapping.fields.sen_provision",
        ),
    ],
)
def test_fields_that_do_not_go_together(fields: dict[str, Any], place: str) -> None:
    assert place in refusals(fields=fields)


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b"not json", "mapping"),
        (b"[]", "mapping"),
        (b"{}", "mapping"),
        (b'{"fields": []}', "mapping.fields"),
        (b'{"fields": {}, "dates": 3}', "mapping.dates"),
        (b'{"fields": {}, "colour": "red"}', "mapping"),
        (b"\xff", "mapping"),
    ],
)
def test_files_that_hold_no_mapping(content: bytes, place: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_mapping(content)
    assert refused.value.findings[0].field == place

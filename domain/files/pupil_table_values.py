"""What the cells of one row say together: totals in three columns, periods in two or three, lists."""

from __future__ import annotations

from typing import Any

import msgspec

from domain.files.rows import RowReader
from domain.pupil_record import (
    AttendanceTotals,
    CarePeriod,
    Period,
    PremiumPeriod,
    SenPeriod,
)

TOTALS = ("possible", "authorised", "unauthorised")


class Said(msgspec.Struct, frozen=True):
    """What stands in a cell.

    Attributes:
        heading: The column's heading.
        text: What stands there.
        value: What it means; nothing, where it says nothing or is wrong.
    """

    heading: str
    text: str
    value: Any


class KindOfPeriod(msgspec.Struct, frozen=True):
    """How a period stands in columns.

    Attributes:
        made: The struct.
        cell: What the column beside the days holds: the field whose cells it is read as.
        part: The field of the period that it fills; nothing, where it only says whether there is one.
        plain: The plain field that it fills where the row has no days.
    """

    made: type[Period]
    cell: str
    part: str | None
    plain: str | None


PERIODS = {
    "meals_periods": KindOfPeriod(Period, "free_school_meals", None, "free_school_meals"),
    "premium_periods": KindOfPeriod(PremiumPeriod, "premium_reason", "reason", None),
    "sen_periods": KindOfPeriod(SenPeriod, "sen_provision", "provision", "sen_provision"),
    "care_periods": KindOfPeriod(CarePeriod, "in_care", None, "in_care"),
}


def gather(
    said: dict[str, Said], reader: RowReader, academic_year: int
) -> tuple[dict[str, Any], frozenset[str]]:
    """The fields that a row states, and which of them are to be joined to what there is.

    Args:
        said: What each column says, by its place.
        reader: Gets what is wrong.
        academic_year: The year in which the academic year of the totals starts.
    """
    values: dict[str, Any] = {}
    for place, cell in said.items():
        field, numbered, _ = place.partition("#")
        if cell.value is None or "." in place or field in TOTALS:
            continue
        if numbered:
            values[field] = tuple(dict.fromkeys((*values.get(field, ()), *cell.value)))
        else:
            values[field] = cell.value
    joined = set()
    for field, kind in PERIODS.items():
        if (period := _period(said, field, kind, reader, values)) is not None:
            values[field] = (period,)
            joined.add(field)
    totals = _totals(said, reader, academic_year)
    if totals is not None:
        values["attendance"] = totals
    return values, frozenset(joined)


_NOTHING = Said("", "", None)


def _period(
    said: dict[str, Said], field: str, kind: KindOfPeriod, reader: RowReader, values: dict[str, Any]
) -> Period | None:
    """The period that a row states, if it states one; a statement without days fills the plain field."""
    start, end, beside = (said.get(f"{field}.{part}", _NOTHING) for part in ("start", "end", "column"))
    if not (start.text or end.text):
        if beside.value is not None and kind.plain:
            values[kind.plain] = beside.value
        elif beside.value is not None and kind.part:
            return kind.made(**{kind.part: beside.value})
        return None
    if (start.text and start.value is None) or (end.text and end.value is None):
        return None
    if start.value and end.value and end.value < start.value:
        reader.wrong(end.heading, end.text, f"a day that is not before the {start.heading}")
        return None
    if kind.part is None:
        if beside.value is False and end.value is None:
            reader.wrong(beside.heading, beside.text, f"a yes, or an end of what began ({start.heading})")
            return None
        return kind.made(start=start.value, end=end.value)
    if beside.value is None:
        if not beside.text:
            reader.wrong(beside.heading, "", f"a code for what {start.heading or end.heading} is about")
        return None
    return kind.made(start=start.value, end=end.value, **{kind.part: beside.value})


def _totals(said: dict[str, Said], reader: RowReader, academic_year: int) -> AttendanceTotals | None:
    stated = {field: said[field] for field in TOTALS if field in said and said[field].text}
    if not stated:
        return None
    headings = {field: said[field].heading for field in TOTALS if field in said}
    for field in TOTALS:
        if field not in stated:
            together = " and ".join([", ".join(list(headings.values())[:-1]), list(headings.values())[-1]])
            reader.wrong(headings.get(field, field), "", f"{together} together, or none")
    if len(stated) < len(TOTALS) or any(cell.value is None for cell in stated.values()):
        return None
    missed = stated["authorised"].value + stated["unauthorised"].value
    if missed > stated["possible"].value:
        accepted = f"at least as many sessions as were missed, which is {missed}"
        reader.wrong(stated["possible"].heading, stated["possible"].text, accepted)
        return None
    return AttendanceTotals(academic_year=academic_year, **{field: stated[field].value for field in TOTALS})

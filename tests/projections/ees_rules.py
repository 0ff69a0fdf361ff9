"""A checker of pairs for Explore Education Statistics, by DfE's Open Data Standards and its screener.

Written from what those say, and without the code that makes the files: it reads nothing but the two files.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from io import StringIO

UNITS = ("time_period", "time_identifier", "geographic_level", "country_code", "country_name")
META = (
    "col_name",
    "col_type",
    "label",
    "indicator_grouping",
    "indicator_unit",
    "indicator_dp",
    "filter_hint",
    "filter_grouping_column",
)
OPTIONAL_META = ("filter_default",)
GEOGRAPHY = ("region_code", "region_name")
MIXABLE = ({"Autumn term", "Spring term", "Summer term"}, {"Academic year"}, {"Autumn and spring term"})
INDICATOR_UNITS = {"", "%", "pp", "£", "£m", "numberstring"}
SYMBOLS = {"c", "z", "x", "low", "u"}
TALKS_OF_A_PLACE = re.compile(
    r"(^(country|sch|prov|inst|estab|reg|la|local|rsc|pfa|pcon|lep|mca|oa|ward|mat)"
    r".*(name|code|urn|ukprn|number|upin|id)$)|(^(school|schools|name|code|number|id|region|la|ward|mat)$)"
)
CHARACTERISTICS_IN_NAMES = re.compile("male|asian|chinese|black|white|english|british|irish|arab|roma")

Rows = list[dict[str, str]]


def problems(name: str, data: bytes, metadata: bytes) -> list[str]:
    """What is wrong with a pair.

    Args:
        name: The name of the data file.
        data: What it holds.
        metadata: What the file of metadata holds.
    """
    found = [] if re.fullmatch(r"[a-z0-9_-]{1,50}\.csv", name) else [f"{name} is no name for a file"]
    columns, rows, wrong = _read(data)
    meta_columns, meta, wrong_meta = _read(metadata)
    found += wrong + wrong_meta
    if found:
        return found
    found += [f"the data lacks {each}" for each in UNITS if each not in columns]
    found += [f"the metadata lacks {each}" for each in META if each not in meta_columns]
    found += [f"metadata has no column {each}" for each in meta_columns if each not in META + OPTIONAL_META]
    if found:
        return found
    found += _of_columns(columns, rows, meta)
    if found:
        return found
    found += _of_times(rows)
    found += _of_places(columns, rows)
    found += _of_filters(rows, meta)
    found += _of_indicators(rows, meta)
    return found


def _read(content: bytes) -> tuple[list[str], Rows, list[str]]:
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return [], [], ["it is not in UTF-8"]
    lines = list(csv.reader(StringIO(text, newline="")))
    if len(lines) < 2:
        return [], [], ["there are no rows"]
    columns, *rest = lines
    if any(len(line) != len(columns) for line in rest):
        return [], [], ["rows are longer or shorter than the heading"]
    if len(set(columns)) != len(columns):
        return [], [], ["a column is there twice"]
    return columns, [dict(zip(columns, line, strict=True)) for line in rest], []


def _of_columns(columns: list[str], rows: Rows, meta: Rows) -> Iterator[str]:
    for each in columns:
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,49}", each):
            yield f"{each} is not in snake case"
        if not any(row[each] for row in rows):
            yield f"{each} is empty"
        if each not in UNITS + GEOGRAPHY and TALKS_OF_A_PLACE.search(each):
            yield f"{each} would be taken for a place"
    described = {row["col_name"] for row in meta} | {row["filter_grouping_column"] for row in meta} - {""}
    yield from (f"there is no column {each}" for each in sorted(described - set(columns)))
    for each in columns:
        if each not in UNITS + GEOGRAPHY and each not in described and len({row[each] for row in rows}) > 1:
            yield f"{each} is not in the metadata"
    for name in ("col_name", "label"):
        again = [value for value, times in Counter(row[name] for row in meta).items() if times > 1]
        yield from (f"{name} {value} is there twice" for value in again)
    for row in meta:
        if row["col_name"] in UNITS + GEOGRAPHY:
            yield f"{row['col_name']} is no filter and no indicator"
        if not 0 < len(row["label"]) <= 100:
            yield f"{row['col_name']} has no label, or a long one"
        if any(cell != cell.strip() for cell in row.values()):
            yield f"{row['col_name']} has white space at an end"
        if row["col_type"] not in {"Filter", "Indicator"}:
            yield f"{row['col_name']} is a {row['col_type']}"


def _of_times(rows: Rows) -> Iterator[str]:
    identifiers = {row["time_identifier"] for row in rows}
    if not any(identifiers <= allowed for allowed in MIXABLE):
        yield f"times that do not mix, or are none: {sorted(identifiers)}"
    for period in sorted({row["time_period"] for row in rows}):
        if not re.fullmatch(r"20\d{4}", period) or (int(period[2:4]) + 1) % 100 != int(period[4:]):
            yield f"{period} is not an academic year"


def _of_places(columns: list[str], rows: Rows) -> Iterator[str]:
    levels = {row["geographic_level"] for row in rows}
    if not levels <= {"National", "Regional"}:
        yield f"levels that there are not: {sorted(levels)}"
    if "Regional" in levels and not set(GEOGRAPHY) <= set(columns):
        yield "regions lack their columns"
        return
    if "Regional" not in levels and set(GEOGRAPHY) & set(columns):
        yield "columns of regions, and no regions"
        return
    codes = set()
    for row in rows:
        if (row["country_code"], row["country_name"]) != ("E92000001", "England"):
            yield "a country that is not England"
        region = (row.get("region_code", ""), row.get("region_name", ""))
        if row["geographic_level"] == "National" and any(region):
            yield "a national row of a region"
        if row["geographic_level"] == "Regional":
            codes.add(region)
            if not (re.fullmatch("E1200000[1-9]", region[0]) or region == ("x", "Not available")):
                yield f"{region} is no region"
    if len({code for code, _ in codes}) != len(codes) or len({name for _, name in codes}) != len(codes):
        yield "a region has two codes, or a code two regions"


def _of_filters(rows: Rows, meta: Rows) -> Iterator[str]:
    filters = [row for row in meta if row["col_type"] == "Filter"]
    for row in filters:
        name, group = row["col_name"], row["filter_grouping_column"]
        values = {each[name] for each in rows}
        if len(values) < 2:
            yield f"{name} has one level"
        if any(not value or value != value.strip() or len(value) > 120 for value in values):
            yield f"{name} has entries that are empty, long, or have white space at an end"
        if (row.get("filter_default") or "Total") not in values:
            yield f"{name} has neither a total nor a default"
        if row["indicator_unit"] or row["indicator_dp"] or row["indicator_grouping"]:
            yield f"{name} is a filter, and has something of an indicator's"
        if group:
            if group in {each["col_name"] for each in meta}:
                yield f"{group} groups a filter, and is one"
            if len({each[group] for each in rows}) > len(values):
                yield f"{group} has more levels than {name}"
    key = [*UNITS, *GEOGRAPHY, *(row["col_name"] for row in filters)]
    key += [row["filter_grouping_column"] for row in filters if row["filter_grouping_column"]]
    again = Counter(tuple(row.get(name, "") for name in key) for row in rows)
    if any(times > 1 for times in again.values()):
        yield "rows are there twice"


def _of_indicators(rows: Rows, meta: Rows) -> Iterator[str]:
    indicators = [row for row in meta if row["col_type"] == "Indicator"]
    if not indicators:
        yield "there is no indicator"
    for row in indicators:
        name = row["col_name"]
        if row["indicator_unit"] not in INDICATOR_UNITS:
            yield f"{name} is in {row['indicator_unit']}"
        if not re.fullmatch(r"\d?", row["indicator_dp"]):
            yield f"{name} has no number of places"
        if row["filter_hint"] or row["filter_grouping_column"]:
            yield f"{name} is an indicator, and has something of a filter's"
        if CHARACTERISTICS_IN_NAMES.search(name):
            yield f"{name} has a characteristic in its name"
        for each in sorted({each[name] for each in rows}):
            if each not in SYMBOLS and not re.fullmatch(r"-?\d+(\.\d+)?", each):
                yield f"{name} holds {each!r}, which is neither a figure nor a symbol"

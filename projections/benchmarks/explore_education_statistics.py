"""Released figures in the form of DfE's Explore Education Statistics: pairs of a data file and its metadata.

The rules of the form are DfE's Open Data Standards
(https://dfe-analytical-services.github.io/analysts-guide/statistics-production/ud.html) and those of the
screener that such files must pass (https://github.com/dfe-analytical-services/eesyscreener), both as of 2026:

* `time_identifier` may be mixed among the three terms, but not with "Academic year": so results of terms and
  results of a whole year are files of their own. There is no identifier of half-terms: they are a filter.
* Where characteristics are not crossed, they are one filter, `breakdown`, grouped by `breakdown_topic`;
  regions are rows of the geographic level "Regional".
* A filter is in the metadata if it has two levels or more. It has an entry "Total", or names its default.
* No cell of an indicator is empty: a symbol stands where there is no figure.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from io import StringIO
from typing import Any, NamedTuple

from projections.benchmarks.exporting import Export
from projections.disclosure import UNKNOWN

TOTAL = "Total"
NOT_APPLICABLE, NOT_AVAILABLE = "z", "x"

NAMES = ("benchmarks_terms", "benchmarks_years", "school_distribution_terms", "school_distribution_years")
"""The names of the pairs, without what stands before them where a release was withdrawn."""

ABOUT = "about.txt"

REGION_CODES = {
    "North East": "E12000001",
    "North West": "E12000002",
    "Yorkshire and The Humber": "E12000003",
    "East Midlands": "E12000004",
    "West Midlands": "E12000005",
    "East of England": "E12000006",
    "London": "E12000007",
    "South East": "E12000008",
    "South West": "E12000009",
}
"""The codes of the regions of England (Office for National Statistics, Open Geography Portal)."""

UNKNOWN_REGION = ("x", "Not available")
"""What DfE's standards have stand for a place that is not known."""

TOPICS = {
    "all": TOTAL,
    "sex": "Sex",
    "free_school_meals": "Free school meals",
    "pupil_premium": "Pupil premium",
    "sen": "Special educational needs",
    "eal": "English as an additional language",
    "ethnicity_group": "Ethnic group",
    "in_care": "Looked after",
    "term_of_birth": "Term of birth",
    "school_type": "Type of school",
    "fsm_fifth": "Schools by free school meals",
    "size_band": "Schools by size",
    "similar_schools": "Similar schools",
}
"""What characteristics are called in `breakdown_topic`; regions are places."""

_TIMES = {"autumn": "Autumn term", "spring": "Spring term", "summer": "Summer term", "year": "Academic year"}
_END, _HALF = "End of term", "First half of term"

UNITS = ("time_period", "time_identifier", "geographic_level", "country_code", "country_name")
_REGION = ("region_code", "region_name")

METADATA = (
    "col_name",
    "col_type",
    "label",
    "indicator_grouping",
    "indicator_unit",
    "indicator_dp",
    "filter_hint",
    "filter_grouping_column",
    "filter_default",
)
"""The columns of a metadata file; the last is one that it need not have."""


class _Filter(NamedTuple):
    """A filter: its column, how people read it, what it is grouped by, and what is chosen to begin with."""

    column: str
    label: str
    hint: str
    grouped_by: str = ""
    default: str = ""


_FILTERS = (
    _Filter(
        "point_in_term", "When in the term", "Filter by the end of a term or of its first half", default=_END
    ),
    _Filter("scheme", "Assessment scheme", "Filter by what was assessed with", "point_scale"),
    _Filter("subject", "Subject", "Filter by what was assessed, by the code of the scheme"),
    _Filter("nc_year", "National Curriculum year", "Filter by the year that pupils were in then"),
    _Filter(
        "breakdown", "Pupils or schools", "Filter by pupils' or schools' characteristics", "breakdown_topic"
    ),
    _Filter("decile", "Tenths of schools", "Filter by how many tenths of schools lie below; 5 is the median"),
)


class _Indicator(NamedTuple):
    """An indicator: its column, how people read it, its unit, and how many places it is shown to."""

    column: str
    label: str
    unit: str
    places: int


def files(export: Export) -> dict[str, bytes]:
    """The files of an export, by name: pairs of `NAME.csv` and `NAME.meta.csv`, and `about.txt`.

    A pair that would have no row is left out. Where a release was withdrawn, the names of the files begin
    with `withdrawn_release_` and its number; each row and each indicator's heading says so, too.
    """
    prefix = _prefix(export)
    made: dict[str, bytes] = {}
    for table in ("benchmarks", "school_distribution"):
        for name, of_year in ((f"{table}_terms", False), (f"{table}_years", True)):
            records = [
                record
                for record in export.tables[table].records()
                if (record["assessment_point"] == "year") is of_year
            ]
            if records:
                data, metadata = _pair(records, export)
                made[f"{prefix}{name}.csv"] = data
                made[f"{prefix}{name}.meta.csv"] = metadata
    made[f"{prefix}{ABOUT}"] = _about(export).encode()
    return made


def file_names(export: Export) -> set[str]:
    """The names of all files that an export may have: of the same releases, or of those that stand."""
    names = [ABOUT, *(f"{name}{ending}" for name in NAMES for ending in (".csv", ".meta.csv"))]
    return {f"{prefix}{name}" for prefix in ("", _prefix(export)) for name in names}


def _prefix(export: Export) -> str:
    return "".join(f"withdrawn_release_{release.release}_" for release in export.withdrawn)


def _pair(records: Iterable[Mapping[str, Any]], export: Export) -> tuple[bytes, bytes]:
    """A data file and its metadata file."""
    labels = {
        (each["characteristic"], each["category"]): each["label"]
        for each in export.tables["characteristics"].records()
    }
    indicators = _indicators(export)
    rows: dict[tuple[str, ...], dict[str, str]] = {}
    distribution = False
    for record in records:
        distribution = "decile" in record
        fields = _units(record) | _filters(record, labels)
        row = rows.setdefault(tuple(fields.values()), fields)
        if record["point_scale"]:
            row["point_scale"] = record["point_scale"]
        row[indicators[record["measure"]].column] = _cell(record)
    # What is missing in a distribution is what there is no such figure of; else nobody worked it out then.
    missing = NOT_APPLICABLE if distribution else NOT_AVAILABLE
    measures = [measure for measure in indicators if not (distribution and measure == "pupils")]
    columns = [indicators[measure].column for measure in measures]
    for row in rows.values():
        for column in columns:
            row.setdefault(column, missing)
        if export.warning:
            row["release_state"] = export.warning
    levels = {name: {row[name] for row in rows.values()} for name in next(iter(rows.values()))}
    regional = "Regional" in levels["geographic_level"]
    names = [name for name in levels if regional or name not in _REGION]
    metadata = [
        *_of_filters(levels),
        *(
            {
                "col_name": indicator.column,
                "col_type": "Indicator",
                "label": indicator.label,
                "indicator_grouping": export.warning or "",
                "indicator_unit": indicator.unit,
                "indicator_dp": str(indicator.places),
            }
            for indicator in (indicators[measure] for measure in measures)
        ),
    ]
    return _csv(names, rows.values()), _csv(METADATA, metadata)


def _units(record: Mapping[str, Any]) -> dict[str, str]:
    """When and where a row is about."""
    year = record["academic_year"]
    point = record["assessment_point"]
    region = record["category"] if record.get("characteristic") == "region" else None
    code, name = (
        ("", "")
        if region is None
        else UNKNOWN_REGION
        if region == UNKNOWN
        else (REGION_CODES[region], region)
    )
    return {
        "time_period": f"{year[:4]}{year[-2:]}",
        "time_identifier": _TIMES[point.partition("-")[0]],
        "geographic_level": "National" if region is None else "Regional",
        "country_code": "E92000001",
        "country_name": "England",
        "region_code": code,
        "region_name": name,
    }


def _filters(record: Mapping[str, Any], labels: Mapping[tuple[str, str], str]) -> dict[str, str]:
    """What a row is about besides; results of a year are not told apart by halves of terms."""
    found = {}
    if record["assessment_point"] != "year":
        found["point_in_term"] = _HALF if "-" in record["assessment_point"] else _END
    found |= {
        "point_scale": "No points",
        "scheme": record["scheme"],
        "subject": record["subject"],
        "nc_year": record["nc_year"],
    }
    if "decile" in record:
        return found | {"decile": str(record["decile"])}
    characteristic, category = record["characteristic"], record["category"]
    is_total = characteristic in {"all", "region"}
    return found | {
        "breakdown_topic": TOTAL if is_total else TOPICS.get(characteristic, characteristic),
        "breakdown": TOTAL if is_total else labels[characteristic, category],
    }


def _of_filters(levels: Mapping[str, set[str]]) -> list[dict[str, str]]:
    """The filters' rows of the metadata: those of two levels or more."""
    several = {name for name, values in levels.items() if len(values) > 1}
    found = []
    for each in _FILTERS:
        if each.column not in several:
            continue
        values = levels[each.column]
        found.append(
            {
                "col_name": each.column,
                "col_type": "Filter",
                "label": each.label,
                "filter_hint": each.hint,
                "filter_grouping_column": each.grouped_by if each.grouped_by in several else "",
                "filter_default": "" if TOTAL in values else _default(each, values),
            }
        )
    return found


def _default(each: _Filter, values: set[str]) -> str:
    wanted = {"scheme": "steps", "subject": "MAT", "decile": "5"}.get(each.column, each.default)
    return wanted if wanted in values else min(values, key=lambda value: (len(value), value))


def _indicators(export: Export) -> dict[str, _Indicator]:
    """The indicators, by measure; shares are told in per cent."""
    shares = max(release.share_decimals for release in export.releases) - 2
    means = max(release.mean_decimals or 0 for release in export.releases)
    labels = {each["measure"]: each["label"] for each in export.tables["measures"].records()}
    return {
        "pupils": _Indicator("pupil_count", labels["pupils"], "", 0),
        "below": _Indicator("below_percent", labels["below"], "%", shares),
        "at": _Indicator("at_percent", labels["at"], "%", shares),
        "above": _Indicator("above_percent", labels["above"], "%", shares),
        "mean_points": _Indicator("points_average", labels["mean_points"], "", means),
        "progress": _Indicator("progress_average", labels["progress"], "", means),
    }


def _cell(record: Mapping[str, Any]) -> str:
    if record["value"] is None:
        return str(record["symbol"])
    value = Decimal(record["value"])
    if record["measure"] in {"below", "at", "above"}:
        value = value.scaleb(2)
    return f"{value:f}"


def _csv(names: Sequence[str], rows: Iterable[Mapping[str, str]]) -> bytes:
    """A file in UTF-8, without a byte order mark, lines ended with a line feed."""
    out = StringIO(newline="")
    writer = csv.DictWriter(out, names, restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def _about(export: Export) -> str:
    """What somebody who finds the files should know of them."""
    lines = ["Target Tracker: released benchmarks, in the form of Explore Education Statistics", ""]
    if export.warning:
        lines += [export.warning, *(f"Because: {each.withdrawn_because}" for each in export.withdrawn), ""]
    lines += ["Where the figures come from:"]
    lines += [f"  {year} {point}: release {number}" for number, year, point in export.points]
    for each in export.releases:
        lines += [
            "",
            f"Release {each.release}, of {each.released_at:%d %B %Y}, was made under these rules "
            f"(version {each.rules_version}):",
            *(
                f"  {name.replace('_', ' ')}: {'none' if value is None else value}"
                for name in (
                    "minimum_pupils",
                    "minimum_schools",
                    "dominance_n",
                    "dominance_k",
                    "p_percent",
                    "rounding_base",
                    "zeros",
                    "secondary",
                    "differencing",
                )
                for value in [getattr(each, name)]
            ),
        ]
    lines += ["", "What stands in place of a figure:"]
    lines += [f"  {each['symbol']}: {each['meaning']}" for each in export.tables["symbols"].records()]
    lines += ["", "Subjects stand as the codes of their scheme. Percentages are of the pupils of the row."]
    return "\n".join(lines) + "\n"

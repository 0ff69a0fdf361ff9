"""The schemes that there are, made from their data."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from importlib.resources import files
from types import MappingProxyType
from typing import Any, cast

from domain.codes import steps
from domain.codes.sets import SUBJECT
from domain.schemes.kinds import SUB_STEPS, Levels, MonthBands, Phonics, Scores, Steps
from domain.schemes.scheme import Entered, Measure, Scheme, SchemeVersion, Standing, Value

STEPS = "steps"
EYFS_BANDS = "eyfs-bands"
EYFS_PROFILE = "eyfs-profile"
PHONICS = "phonics"
KS1_TESTS = "ks1-tests"
KS2_TESTS = "ks2-tests"
KS1_TEACHER = "ks1-teacher"
KS2_TEACHER = "ks2-teacher"
MTC = "mtc"
LEVELS = "levels"
STATEMENTS = "statements"

TWO_POINT = "two-point"
"""The scale on which a sublevel is two points apart from the next: 2c 13, 2b 15, 2a 17."""

APS = "aps"
"""The scale of average point scores: a level n counts 6n + 3 with its sublevels, but for those of level 2."""


def _rows(name: str) -> Iterator[dict[str, str]]:
    text = files("domain.schemes.data").joinpath(f"{name}.csv").read_text(encoding="utf-8")
    return csv.DictReader(text.splitlines())


def _number(text: str) -> int | None:
    return int(text) if text else None


def _of(scheme: str, version: str, name: str) -> Iterator[dict[str, str]]:
    """The rows of a file that belong to a version of a scheme."""
    for row in _rows(name):
        if scheme in row["schemes"].split() and version in row["versions"].split():
            yield row


def _listed_values(scheme: str, version: str, scale: str | None) -> list[Value]:
    values = []
    for row in _of(scheme, version, "values"):
        order = _number(row["order"])
        values.append(
            Value(
                value=row["value"],
                description=row["description"],
                ordinal=order,
                standing=cast("Standing | None", row["standing"] or None),
                points={scale: order} if scale and order is not None else {},
            )
        )
    return values


def _steps() -> list[Value]:
    return [
        Value(
            value=step.label,
            description=f"Band {step.band}, {SUB_STEPS[step.label[1:]]}",
            ordinal=step.ordinal,
            points={STEPS: step.ordinal},
        )
        for step in steps.STEPS.values()
    ]


def _bands() -> list[Value]:
    values = []
    for row in _rows("eyfs_bands"):
        first = (int(row["order"]) - 1) * len(SUB_STEPS) + 1
        # Of a band without its step no more is known than that it has begun.
        values.append(_band(row["band"], f"{row['band']} months", first))
        values += [
            _band(f"{row['band']}{step}", f"{row['band']} months, {said}", first + place)
            for place, (step, said) in enumerate(SUB_STEPS.items())
        ]
    return [*values, _band("ELG", "Early learning goal", first + len(SUB_STEPS))]


def _band(value: str, description: str, ordinal: int) -> Value:
    return Value(value=value, description=description, ordinal=ordinal, points={STEPS: ordinal})


def _levels(version: str) -> list[Value]:
    return [
        Value(
            value=row["level"],
            description=f"{row['level'].replace('P', 'P level ')}" if p_level else f"Level {row['level']}",
            ordinal=int(row["order"]),
            points={scale: int(row[scale]) for scale in (TWO_POINT, APS) if row[scale]},
        )
        for row in _rows("levels")
        if (p_level := row["kind"] == "p-level") or version != "p-levels"
    ]


def _subjects() -> list[Measure]:
    return [
        Measure(code=code, description=SUBJECT.describe(code), subject=code)
        for code in SUBJECT
    ]  # fmt: skip


def _measures(scheme: str, version: str) -> list[Measure]:
    return [
        Measure(
            code=row["code"],
            description=row["description"],
            subject=row["subject"],
            component=row["component"] or None,
            stage=row["stage"] or None,
            method=row["method"] or None,
            in_gld=row["in_gld"] == "1",
            ctf_subject=row["ctf_subject"] or None,
            ctf_component=row["ctf_component"] or None,
        )
        for row in _of(scheme, version, "measures")
    ]


def _version(row: dict[str, str]) -> SchemeVersion:
    scheme, name = row["scheme"], row["version"]
    values = _listed_values(scheme, name, row["scale"] or None)
    kind: type[SchemeVersion] = SchemeVersion
    more: dict[str, Any] = {}
    match scheme:
        case "steps":
            kind, values = Steps, _steps()
        case "eyfs-bands":
            kind, values = MonthBands, _bands()
        case "levels":
            kind, values = Levels, [*_levels(name), *values]
        case _ if row["lowest"]:
            kind = Phonics if scheme == PHONICS else Scores
            more = {
                "lowest": int(row["lowest"]),
                "highest": int(row["highest"]),
                "scale": row["scale"],
                "at_from": _number(row["at_from"]),
                "above_from": _number(row["above_from"]),
            }
    version = kind(
        scheme,
        name,
        row["title"],
        Entered(row["entered"]),
        values,
        _measures(scheme, name) or _subjects(),
        first_year=_number(row["first_year"]),
        last_year=_number(row["last_year"]),
        **more,
    )
    if isinstance(version, Phonics):
        version.thresholds = tuple(
            (int(each["first_year"]), _number(each["last_year"]), int(each["threshold"]))
            for each in _rows("phonics_thresholds")
        )
    return version


def _every_scheme() -> Iterator[Scheme]:
    by_name: dict[str, list[SchemeVersion]] = {}
    for row in _rows("schemes"):
        by_name.setdefault(row["scheme"], []).append(_version(row))
    return map(Scheme, by_name.values())


SCHEMES: Mapping[str, Scheme] = MappingProxyType({scheme.name: scheme for scheme in _every_scheme()})
"""Every scheme by its name, in which schools enter results."""

ACCEPTED = f"one of {', '.join(SCHEMES)}"


def scheme_named(text: str) -> Scheme:
    """The scheme of this name, whatever its letter case.

    Raises:
        ValueError: There is none; the message is what there is.
    """
    scheme = SCHEMES.get(text.strip().lower())
    if scheme is None:
        raise ValueError(ACCEPTED)
    return scheme

"""Nine schools and two releases, to hold one of them against; and the figures that come of it, by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import httpx

from api.tls import LocalCertificates
from domain.academic_year import Term, academic_year_label
from domain.access import AccessLevel
from projections.benchmarks.publishing import withdraw
from tests.api.conftest import SchoolUnderTest, Served, serving
from tests.application.examples import YEAR, children, csv_of, point_before
from tests.conftest import TestDatabase
from tests.projections.releasing import THEN, assess, release, some_schools

SPRING = point_before(1, Term.SPRING)
SUMMER: dict[str, Any] = {
    "academic_year": academic_year_label(YEAR - 1),
    "assessment_point": "summer",
    "subject": "MAT",
}
"""What is asked, if nothing else is said."""

POINTS = {"2s": 11, "3w": 15, "3s": 17, "4s": 23}
STANDINGS = {"2s": "below", "3w": "at", "3s": "at", "4s": "above"}

OWN = {"2s": 10, "3s": 20, "4s": 8}
"""So many of the own school's children had each value in mathematics in summer, in the order of names."""

OWN_IN_SPRING = {"2s": 13, "3w": 16, "4s": 6}
"""And in spring, when some of them had not come yet."""

OWN_COUNTS = {STANDINGS[value]: number for value, number in OWN.items()}

SMALL = [
    {"below": 12, "at": 15, "above": 9},
    {"below": 11, "at": 14, "above": 11},
    {"below": 9, "at": 17, "above": 10},
]
LARGE = [{"below": 30, "at": 41, "above": 29}] * 2 + [{"below": 24, "at": 38, "above": 37}] * 2
"""What the others had, in schools of forty children and of more than a hundred."""


def in_spring_of(counts: dict[str, int]) -> dict[str, int]:
    """What the same children had in spring: three more were below, and two fewer above."""
    return {
        "below": counts["below"] + 3,
        "at_in_spring": counts["at"] - 1,
        "above": counts["above"] - 2,
    }


BECAUSE = "A school had entered the results of the year before"


@dataclass
class Region:
    """A service with nine schools, after two releases, of which the first was withdrawn."""

    served: Served
    database: TestDatabase
    own: SchoolUnderTest
    nobodys: SchoolUnderTest
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    pupil_ids: dict[str, str] = field(default_factory=dict)

    def ask(
        self, level: AccessLevel = AccessLevel.ADMIN, school: SchoolUnderTest | None = None, **changes: Any
    ) -> httpx.Response:
        """What a member of staff is answered."""
        token = (school or self.own).users[level].token
        asked = {name: value for name, value in (SUMMER | changes).items() if value is not None}
        with self.served.client(token) as client:
            return client.get("/v1/benchmarks/compare", params=asked)


def region_of(database: TestDatabase, certificates: LocalCertificates) -> Iterator[Region]:
    """The region, in a database of its own."""
    with serving(database, certificates) as served:
        region = Region(served, database, served.register(), served.register())
        _enter_own(region)
        small = some_schools(served.services.schools, 3, 40)
        large = some_schools(served.services.schools, 4, 105)
        for each, counts in zip([*small, *large], [*SMALL, *LARGE], strict=True):
            assess(each, "MAT", THEN, **counts)
            assess(each, "MAT", SPRING, **in_spring_of(counts))
        assess(small[0], "REA", THEN, below=12, at=13, above=11)
        release(served.worker_database)
        withdraw(served.worker_database, 1, BECAUSE)
        release(served.worker_database)
        yield region


def _enter_own(region: Region) -> None:
    with region.served.client(region.own.admin.token) as client:
        kept = client.post("/v1/imports", content=csv_of(children(40)))
        assert kept.status_code == 201, kept.text
        position = client.get("/v1/school").json()["position"]
        pupils = client.get("/v1/pupils", params={"limit": 500, "min_position": position}).json()["pupils"]
        region.pupil_ids = {each["surname"]: each["pupil_id"] for each in pupils}
        values = [value for value, number in OWN.items() for _ in range(number)]
        in_spring = [value for value, number in OWN_IN_SPRING.items() for _ in range(number)]
        region.values = {
            "summer": dict(zip(sorted(region.pupil_ids), values, strict=False)),
            "spring": dict(zip(sorted(region.pupil_ids), in_spring, strict=False)),
        }
        for term, of_term in region.values.items():
            for subject in ("MAT", "REA") if term == "summer" else ("MAT",):
                entries = [
                    {"pupil_id": region.pupil_ids[surname], "subject": subject, "value": value}
                    for surname, value in of_term.items()
                ]
                sheet = {"academic_year": YEAR - 1, "term": term, "entries": entries}
                assert client.post("/v1/sheets", json=sheet).status_code == 201


def by_hand(values: dict[str, str], before: dict[str, str]) -> dict[str, tuple[Decimal, int]]:
    """A group's figures, counted from what was entered: each with the number of pupils whom it is of."""
    number = len(values)
    found = {"pupils": (Decimal(number), number)}
    for standing in ("below", "at", "above"):
        counted = sum(STANDINGS[value] == standing for value in values.values())
        found[standing] = (Decimal(counted) / number, number)
    found["mean_points"] = (Decimal(sum(POINTS[value] for value in values.values())) / number, number)
    gains = [POINTS[value] - POINTS[before[name]] for name, value in values.items() if name in before]
    if gains:
        found["progress"] = (Decimal(sum(gains)) / len(gains), len(gains))
    return found


def released_by_hand(schools: list[dict[str, int]]) -> dict[str, str]:
    """What may be told of some schools: counts to multiples of five, shares of these, means of the truth."""

    def five(number: int) -> int:
        return (number + 2) // 5 * 5

    def rounded(number: Decimal, places: str) -> str:
        return f"{number.quantize(Decimal(places), ROUND_HALF_UP).normalize():f}"

    counts = {name: sum(each[name] for each in schools) for name in ("below", "at", "above")}
    told = {name: five(number) for name, number in counts.items()}
    pupils = sum(counts.values())
    points = counts["below"] * 11 + counts["at"] * 17 + counts["above"] * 23
    gains = [gain for each in schools for gain in _gains(each)]
    return (
        {"pupils": str(five(pupils))}
        | {name: rounded(Decimal(number) / sum(told.values()), "0.001") for name, number in told.items()}
        | {
            "mean_points": rounded(Decimal(points) / pupils, "0.1"),
            "progress": rounded(Decimal(sum(gains)) / len(gains), "0.1"),
        }
    )


def _gains(school: dict[str, int]) -> list[int]:
    """What the children of a school gained since spring, of whom those at the top came after it."""
    now = [point for name, point in (("below", 11), ("at", 17), ("above", 23)) for _ in range(school[name])]
    if school == OWN_COUNTS:
        before = [POINTS[value] for value, number in OWN_IN_SPRING.items() for _ in range(number)]
    else:
        counts = in_spring_of(school)
        before = [11] * counts["below"] + [15] * counts["at_in_spring"] + [23] * counts["above"]
    return [then - first for then, first in zip(now, before, strict=False)]

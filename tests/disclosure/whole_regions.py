"""Generated regions that go the whole way: schools that enter children and results, and releases of them.

What is true is counted here from what was entered, without the code under test.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple
from uuid import UUID

import msgspec

from domain.academic_year import Term, When, WholeYear
from domain.application import assessing, importing
from domain.application.assessing import Entry
from domain.application.registration import register
from domain.ledger.persistence import close_shared_database
from domain.pupil_record import PupilNames, PupilRecord
from domain.schemes.catalogue import SCHEMES
from projections.disclosure import ALL, Contribution, Group, Table
from tests.application.conftest import registration, staff
from tests.application.examples import YEAR, child, csv_of, point_before
from tests.conftest import TestDatabase
from tests.disclosure.attacker import Scale
from tests.keys import opened, schools_of

SPRING, SUMMER, TESTS = point_before(1, Term.SPRING), point_before(1), WholeYear(YEAR - 1)
_TIMES: Mapping[str, When] = {"spring": SPRING, "summer": SUMMER, "year": TESTS}
NC_YEAR = "3"
"""Of every child, in the year before this one."""


class What(NamedTuple):
    """What a table is of, as `analytics.benchmarks` names it."""

    point: str
    scheme: str
    subject: str

    @property
    def at(self) -> When:
        at: When = _TIMES[self.point]
        return at

    @property
    def points(self) -> str:
        """The scale on which its values count."""
        return next(iter(SCHEMES[self.scheme].in_year(YEAR - 1).scales))


READING, READING_IN_SPRING = What("summer", "steps", "REA"), What("spring", "steps", "REA")
TEST = What("year", "ks2-tests", "MAT")
EVERY = (READING_IN_SPRING, READING, TEST)


def values_of(what: What) -> dict[str, tuple[str, int | None]]:
    """Every value that is held against what is expected: its standing, and its points, if it has any."""
    version = SCHEMES[what.scheme].in_year(YEAR - 1)
    return {
        value: (standing, version.points(value, what.points))
        for value in version.values
        if (standing := version.standing(value, NC_YEAR, what.at)) is not None
    }


VALUES = {what: values_of(what) for what in EVERY}


def scale_of(what: What) -> Scale:
    """What everybody knows of the scheme."""
    points: dict[str, list[int]] = {"below": [], "at": [], "above": []}
    for standing, each in VALUES[what].values():
        points[standing] += [] if each is None else [each]
    return Scale(
        {name: (min(some), max(some)) for name, some in points.items()},
        frozenset(standing for standing, each in VALUES[what].values() if each is None),
    )


ETHNICITIES = {
    "WBRI": "White",
    "AIND": "Asian or Asian British",
    "BCRB": "Black or Black British",
    "CHNE": "Chinese",
    "OOTH": "Any other ethnic group",
    None: "unknown",
}
BORN = {
    "autumn": date(YEAR - 9, 10, 3),
    "spring": date(YEAR - 8, 2, 3),
    "summer": date(YEAR - 8, 6, 3),
}
SEN = {"N": "none", "K": "support", "E": "plan"}
SAID = {True: "yes", False: "no", None: "unknown"}


@dataclass
class Child:
    """A child: the school's place among the schools, what is recorded, and the values that were entered."""

    school: int
    sex: str = "F"
    meals: bool | None = False
    language: str | None = "ENG"
    ethnicity: str | None = "WBRI"
    sen: str = "N"
    in_care: bool | None = False
    born: str = "autumn"
    values: dict[What, str] = field(default_factory=dict)
    late: bool = False

    def groups(self, region: Region) -> list[Group]:
        """Those that the child is in: of pupils, and of schools."""
        return [
            ALL,
            Group("sex", self.sex if self.sex in "FM" else "unknown"),
            Group("free_school_meals", SAID[self.meals]),
            Group("pupil_premium", "no"),
            Group("sen", SEN[self.sen]),
            Group("eal", SAID[None if self.language is None else self.language != "ENG"]),
            Group("ethnicity_group", ETHNICITIES[self.ethnicity]),
            Group("in_care", SAID[self.in_care]),
            Group("term_of_birth", self.born),
            Group("region", region.regions[self.school]),
            Group("school_type", region.types[self.school] or "unknown"),
            # Of fewer than 15 schools there are no fifths, and none of these is large.
            Group("fsm_fifth", "unknown"),
            Group("size_band", "up-to-100"),
            Group("similar_schools", "unknown/up-to-100"),
        ]


@dataclass
class Region:
    """Schools, where they are and of what type, and their children."""

    regions: Sequence[str]
    types: Sequence[str | None]
    children: list[Child]


Quantities = dict[Group, dict[int, dict[str, int]]]
"""Of each group and school, the quantities that the attacker looks for, by the attacker's names."""


def truth(region: Region, what: What, *, late: bool) -> Quantities:
    """What is true of a table, counted from what was entered.

    Args:
        region: The children, and what was entered of them.
        what: The table.
        late: Whether the late ones have been entered by now.
    """
    found: Quantities = {}
    for each in region.children:
        if what not in each.values or (each.late and not late):
            continue
        standing, points = VALUES[what][each.values[what]]
        before = None
        if what == READING and READING_IN_SPRING in each.values:
            before = VALUES[READING_IN_SPRING][each.values[READING_IN_SPRING]][1]
        for group in each.groups(region):
            sums = found.setdefault(group, {}).setdefault(each.school, {})
            added = {standing: 1}
            if points is not None:
                added |= {f"points {standing}": points, f"scored {standing}": 1}
            if points is not None and before is not None:
                added |= {"progressed": 1, "progress": points - before}
            for name, number in added.items():
                sums[name] = sums.get(name, 0) + number
    return found


def table_of(quantities: Quantities) -> Table:
    """The same as contributions of schools, for what schools learn of one another."""
    return {
        group: {
            UUID(int=school + 1): Contribution(
                sums.get("below", 0),
                sums.get("at", 0),
                sums.get("above", 0),
                sum(sums.get(f"points {name}", 0) for name in ("below", "at", "above")),
                sums.get("progressed", 0),
                sums.get("progress", 0),
            )
            for school, sums in schools.items()
        }
        for group, schools in quantities.items()
    }


def table_of_means(quantities: Quantities) -> Table:
    """Those who have points, in place of those who progressed."""
    names = ("below", "at", "above")
    return {
        group: {
            school: msgspec.structs.replace(
                each,
                progressed=sum(quantities[group][school.int - 1].get(f"scored {name}", 0) for name in names),
                progress=each.points,
            )
            for school, each in schools.items()
        }
        for group, schools in table_of(quantities).items()
    }


def sums_of(quantities: Quantities) -> dict[Group, dict[str, int]]:
    """Of all schools together."""
    found: dict[Group, dict[str, int]] = {}
    for group, schools in quantities.items():
        for sums in schools.values():
            for name, number in sums.items():
                mine = found.setdefault(group, {})
                mine[name] = mine.get(name, 0) + number
    return found


# --- Generated ---


def generated(seed: int, schools: int, pupils: tuple[int, int]) -> Region:
    """A region with so many schools of so many children, some groups of which are tiny.

    Two ethnicities are such that one school has nearly all of one, and two schools of the other; another
    three are tiny. The results of five children come late.
    """
    chance = random.Random(seed)
    children = []
    for school in range(schools):
        for _ in range(chance.randint(*pupils) if school else 25):
            made = Child(
                school,
                chance.choices("FMU", (20, 20, chance.choice((0, 1))))[0],
                chance.choices((False, True, None), (60, 30, chance.choice((0, 1, 4))))[0],
                chance.choices(("ENG", "URD", None), (80, chance.choice((5, 40)), 1))[0],
                sen=chance.choices("NKE", (80, chance.choice((4, 20)), 2))[0],
                in_care=chance.choices((False, True, None), (90, chance.choice((1, 6)), 2))[0],
                born=chance.choices(tuple(BORN), (30, 30, chance.choice((1, 30))))[0],
            )
            for what in EVERY:
                if chance.random() < 0.96:
                    made.values[what] = _value(what, chance)
            children.append(made)
    region = Region(
        [("London", "South West")[chance.random() < 0.4] for _ in range(schools)],
        [chance.choice(("infant", "junior", "primary", None)) for _ in range(schools)],
        children,
    )
    by_school = [[each for each in children if each.school == school] for school in range(schools)]
    _spread(by_school, "CHNE", [21, 1, 1, 1, 1])
    _spread(by_school[1:], "OOTH", [12, 12, 1, 1])
    for code, number in ((None, 6), ("AIND", 4), ("BCRB", 5)):
        _spread(by_school[2:], code, [1] * number)
    for each in chance.sample([each for each in children if each.ethnicity == "WBRI"], 5):
        each.late = True
    return region


def _value(what: What, chance: random.Random) -> str:
    standing = chance.choice(("below", "at", "above"))
    some = [value for value, (each, _) in VALUES[what].items() if each == standing]
    if what == TEST and standing == "below" and chance.random() < 0.4:
        return "B"
    return chance.choice(some)


def _spread(by_school: list[list[Child]], code: str | None, numbers: Iterable[int]) -> None:
    """Gives so many of each school's children an ethnicity; all of them have results."""
    for place, number in enumerate(numbers):
        some = [each for each in by_school[place % len(by_school)] if each.ethnicity == "WBRI"]
        for each in some[:number]:
            each.ethnicity = code
            for what in EVERY:
                each.values.setdefault(what, next(iter(VALUES[what])))


def _each(school: int, sex: str, number: int, *, late: bool = False) -> list[Child]:
    """So many children below, at and above what is expected."""
    return [
        Child(school, sex, late=late, values={READING: value})
        for value in ("3w", "3s", "4b")
        for _ in range(number)
    ]


def growing() -> Region:
    """Seven schools mostly of boys, and seven whose results came late, with two children who are not boys."""
    children = []
    for school in range(14):
        children += _each(school, "M", 4, late=school >= 7)
        children += _each(school, "F", 2 if school < 7 else 0)
    children += [Child(school, "U", values={READING: "3s"}) for school in range(3)]
    children += [Child(10 + place, sex, late=True, values={READING: "3s"}) for place, sex in enumerate("FU")]
    return Region(["London"] * 14, ["primary"] * 14, children)


def catching_up() -> Region:
    """In spring no girl was above what is expected; in summer as many as there are boys."""
    children = []
    for school in range(10):
        for sex in "FM":
            children += _each(school, sex, 1)
    for each in children:
        in_spring = {"3w": "3b", "3s": "3w", "4b": "3w" if each.sex == "F" else "3s"}
        each.values[READING_IN_SPRING] = in_spring[each.values[READING]]
    return Region(["London"] * 10, ["primary"] * 10, children)


# --- Entered ---


class Entered(NamedTuple):
    """A region in a database: each school's login key and teacher, and its children's ids in their order."""

    database: TestDatabase
    region: Region
    login_keys: list[str]
    teachers: list[UUID]
    ids: list[UUID]

    def in_copy(self, database: TestDatabase) -> Entered:
        """The same in a copy of the database."""
        return self._replace(database=database)


def enter(database: TestDatabase, region: Region) -> Entered:
    """Registers the schools, imports their children, and enters the results of all that are not late."""
    schools = schools_of(database.conninfo())
    keys, teachers, ids = [], [], dict[int, UUID]()
    for place, (where, kind) in enumerate(zip(region.regions, region.types, strict=True)):
        asked = registration(str(300_000 + place))
        facts = msgspec.structs.replace(asked.facts, region=where, school_type=kind)
        registered = register(schools, msgspec.structs.replace(asked, facts=facts))
        assert registered.login_key
        keys.append(registered.login_key)
        teachers.append(registered.outcome.result.administrator_id)
        some = [(number, each) for number, each in enumerate(region.children) if each.school == place]
        content = csv_of(_child(number, each) for number, each in some)
        application = opened(schools, registered.login_key)
        report = importing.import_file(application, content, staff(teachers[-1]), dry_run=False)
        brought = [row.pupil_id for row in sorted(report.rows, key=lambda row: row.row)]
        for (number, _), pupil_id in zip(some, brought, strict=True):
            assert pupil_id
            ids[number] = pupil_id
    entered = Entered(database, region, keys, teachers, [ids[number] for number in range(len(ids))])
    _record(entered, late=False)
    return entered


def enter_late(entered: Entered) -> None:
    """Enters the results of those that are late."""
    _record(entered, late=True)


def _child(number: int, each: Child) -> tuple[PupilNames, PupilRecord]:
    names, record = child(number, date_of_birth=BORN[each.born])
    return names, msgspec.structs.replace(
        record,
        sex=each.sex,
        free_school_meals=each.meals,
        first_language=each.language,
        ethnicity=each.ethnicity,
        sen_provision=each.sen,
        in_care=each.in_care,
    )


def _record(entered: Entered, *, late: bool) -> None:
    schools = schools_of(entered.database.conninfo())
    try:
        for place, (key, teacher) in enumerate(zip(entered.login_keys, entered.teachers, strict=True)):
            application = opened(schools, key)
            for what in EVERY:
                entries = [
                    Entry(pupil_id, what.subject, each.values[what])
                    for pupil_id, each in zip(entered.ids, entered.region.children, strict=True)
                    if each.school == place and each.late == late and what in each.values
                ]
                if entries:
                    assessing.record(application, what.at, entries, staff(teacher), scheme=what.scheme)
    finally:
        close_shared_database(entered.database.conninfo())

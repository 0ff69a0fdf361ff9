"""A made-up primary school, Reception to Year 6: the same for the same seed and day.

Shares are those of England's primary schools in the school census, rounded: 25 % eligible for free school
meals, 14 % with SEN support, 4 % with an education, health and care plan, 94 % attendance, under 1 % in care.
What goes together in real schools goes together here, through one ability that nobody is told of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time, timedelta
from random import Random

import msgspec

from domain.academic_year import academic_year_of
from domain.assessment import Result
from domain.codes.upn import make_upn
from domain.files.ctf_writer import CtfPupil, CtfSchool, write_ctf
from domain.files.pupil_csv_writer import write_pupil_csv
from domain.pupil import AttendanceTotals, PupilNames, PupilRecord
from domain.school import SchoolFacts
from scripts.demonstration.made_up_results import Judgement, Learner, judgements_of, statutory_results_of
from scripts.demonstration.name_lists import CLASSES_OF_ONE, CLASSES_OF_TWO, ORIGINS

NC_YEARS = ("R", "1", "2", "3", "4", "5", "6")

FREE_SCHOOL_MEALS = 0.25
SEN_SUPPORT = 0.14
SEN_PLANS = 0.04
IN_CARE = 0.007
GIFTED = 0.05
ATTENDANCE = 0.94
CAME_LATER = 0.12
"""The share of pupils who joined after the beginning of Reception, with a UPN from elsewhere."""

SESSIONS_IN_YEAR = 380
"""Half days that a school is open in an academic year."""


class MadeUpPupil(msgspec.Struct, frozen=True, kw_only=True):
    """A child who does not exist.

    Attributes:
        names: Who the child would be.
        record: Everything else that the school keeps.
        results: Statutory results, for the Common Transfer File.
        judgements: Termly judgements, for the class sheets, the oldest first.
    """

    names: PupilNames
    record: PupilRecord
    results: tuple[Result, ...]
    judgements: tuple[Judgement, ...]


class MadeUpSchool(msgspec.Struct, frozen=True, kw_only=True):
    """A school that does not exist.

    Attributes:
        facts: What would be publicly known of it.
        day: The day on which it is as described.
        pupils: Its pupils, by year and class.
    """

    facts: SchoolFacts
    day: date
    pupils: tuple[MadeUpPupil, ...]

    def pupil_csv(self) -> bytes:
        """The pupils as a Target Tracker import file."""
        return write_pupil_csv((pupil.names, pupil.record) for pupil in self.pupils)

    def ctf(self) -> bytes:
        """The pupils and their statutory results as a Common Transfer File."""
        facts = self.facts
        source = CtfSchool(
            la=facts.local_authority, establishment=facts.establishment, urn=facts.urn, name=facts.name
        )
        return write_ctf(
            source,
            academic_year_of(self.day),
            [CtfPupil(names=p.names, record=p.record, results=p.results) for p in self.pupils],
            datetime.combine(self.day, time(8, 30)),
        )


def make_school(facts: SchoolFacts, day: date, *, seed: int, classes_in_year: int = 2) -> MadeUpSchool:
    """Makes a school up.

    Args:
        facts: What would be publicly known of it; its numbers go into the UPNs.
        day: The day on which it is as described.
        seed: Another seed makes other children.
        classes_in_year: Two classes of 30 a year, or one of 12 to 30.

    Raises:
        ValueError: A school has one class a year, or two.
    """
    if classes_in_year not in {1, 2}:
        raise ValueError("one class a year, or two")
    # A text, because a tuple's hash may differ from run to run.
    chance = Random(f"{seed} {facts.urn}")  # noqa: S311 - made-up children, not secrets
    places = _places(chance, classes_in_year)
    learners = [_learner(chance, nc_year, day) for nc_year, _ in places]
    _give_needs(chance, learners)
    records = _records(chance, places, learners, day)
    people = _names(chance, learners, records, facts, day)
    return MadeUpSchool(
        facts=facts,
        day=day,
        pupils=tuple(
            MadeUpPupil(
                names=names,
                record=record,
                results=statutory_results_of(chance, learner, day),
                judgements=judgements_of(chance, learner, record.date_of_entry, day),
            )
            for names, record, learner in zip(people, records, learners, strict=True)
        ),
    )


def _places(chance: Random, classes_in_year: int) -> list[tuple[str, str]]:
    """The NC year and class of each pupil."""
    classes = CLASSES_OF_TWO if classes_in_year == 2 else CLASSES_OF_ONE
    return [
        (nc_year, class_name)
        for nc_year in NC_YEARS
        for class_name in classes[nc_year]
        for _ in range(30 if classes_in_year == 2 else chance.randint(12, 30))
    ]


def _learner(chance: Random, nc_year: str, day: date) -> Learner:
    first_day_of_birth = date(academic_year_of(day) - 5 - NC_YEARS.index(nc_year), 9, 1)
    born = first_day_of_birth + timedelta(days=chance.randrange(365))
    older = (born - first_day_of_birth).days / 365
    # A child born in September is nearly a year older than one of the same class born in August.
    return Learner(
        nc_year=nc_year,
        date_of_birth=born,
        ability=chance.gauss(0.25 - 0.5 * older, 0.97),
        origin=chance.choices(ORIGINS, [origin.weight for origin in ORIGINS])[0],
    )


def _give_needs(chance: Random, learners: list[Learner]) -> None:
    """Gives plans and support to shares of the pupils, the likelier the harder they find learning."""
    ranked = _ranked(chance, learners, lambda learner: -1.2 * learner.ability)
    plans, support = round(SEN_PLANS * len(ranked)), round(SEN_SUPPORT * len(ranked))
    for place, learner in enumerate(ranked[: plans + support]):
        learner.sen_provision = "E" if place < plans else "K"


def _ranked(
    chance: Random, learners: Iterable[Learner], likelihood: Callable[[Learner], float]
) -> list[Learner]:
    """The pupils, the likeliest first; a good deal is chance."""
    return sorted(learners, key=lambda learner: -(likelihood(learner) + chance.gauss(0, 1)))


def _records(
    chance: Random, places: list[tuple[str, str]], learners: list[Learner], day: date
) -> list[PupilRecord]:
    number = len(learners)

    def first(share: float, likelihood: Callable[[Learner], float]) -> set[int]:
        chosen = _ranked(chance, learners, likelihood)[: int(share * number)]
        return {id(learner) for learner in chosen}

    meals = first(FREE_SCHOOL_MEALS, lambda learner: -0.6 * learner.ability)
    gifted = first(GIFTED, lambda learner: 2 * learner.ability)
    in_care = first(IN_CARE, lambda _: 0)
    records = []
    for (nc_year, class_name), learner in zip(places, learners, strict=True):
        origin = learner.origin
        entered = _entered(chance, nc_year, day)
        records.append(
            PupilRecord(
                sex="M" if chance.random() < 0.51 else "F",
                date_of_entry=entered,
                nc_year=nc_year,
                class_name=class_name,
                free_school_meals=id(learner) in meals,
                first_language=chance.choices(*_weighted(origin.languages))[0],
                ethnicity=chance.choices(*_weighted(origin.ethnicities))[0],
                sen_provision=learner.sen_provision,
                in_care=id(learner) in in_care,
                gifted=id(learner) in gifted,
                attendance=_attendance(chance, entered, day),
            )
        )
    return records


def _weighted(weights: Mapping[str, int]) -> tuple[list[str], list[int]]:
    return list(weights), list(weights.values())


def _first_school_day(academic_year: int) -> date:
    """The first weekday from 3 September on."""
    third = date(academic_year, 9, 3)
    return third + timedelta(days=(7 - third.weekday()) % 7 if third.weekday() >= 5 else 0)


def _entered(chance: Random, nc_year: str, day: date) -> date:
    began = min(_first_school_day(academic_year_of(day) - NC_YEARS.index(nc_year)), day)
    if chance.random() >= CAME_LATER:
        return began
    later = began + timedelta(days=chance.randint(0, (day - began).days))
    return max(later - timedelta(days=max(0, later.weekday() - 4)), began)


def _attendance(chance: Random, entered: date, day: date) -> AttendanceTotals:
    academic_year = academic_year_of(day)
    began, ended = _first_school_day(academic_year), date(academic_year + 1, 7, 21)
    here = (min(day, ended) - max(entered, began)).days
    possible = max(0, round(SESSIONS_IN_YEAR * here / (ended - began).days))
    # Most children miss little and a few miss much: the mean of this distribution is its parameter.
    missed = min(possible, round(possible * chance.expovariate(1 / (1 - ATTENDANCE))))
    unauthorised = sum(chance.random() < 0.25 for _ in range(missed))
    return AttendanceTotals(
        academic_year=academic_year,
        possible=possible,
        authorised=missed - unauthorised,
        unauthorised=unauthorised,
    )


def _names(
    chance: Random, learners: list[Learner], records: list[PupilRecord], facts: SchoolFacts, day: date
) -> list[PupilNames]:
    taken: set[tuple[str, str, date]] = set()
    serials: dict[tuple[int, int], int] = {}
    people = []
    for learner, record in zip(learners, records, strict=True):
        origin = learner.origin
        forenames = origin.girls if record.sex == "F" else origin.boys
        # Enough pairs for every child of a class to be drawn anew until nobody else is the same.
        while (
            person := (chance.choice(origin.surnames), chance.choice(forenames), learner.date_of_birth)
        ) in taken:
            pass
        taken.add(person)
        began = academic_year_of(day) - NC_YEARS.index(learner.nc_year)
        establishment = int(facts.establishment)
        if record.date_of_entry > _first_school_day(began):
            establishment = chance.randint(9000, 9899)
        serial = serials[establishment, began] = serials.get((establishment, began), 0) + 1
        people.append(
            PupilNames(
                surname=person[0],
                forename=person[1],
                date_of_birth=learner.date_of_birth,
                upn=make_upn(int(facts.local_authority), establishment, began, serial),
                postcode=_postcode(chance, facts),
            )
        )
    return people


AREAS = {
    "East of England": "CM",
    "London": "SW",
    "West Midlands": "DY",
    "Yorkshire and The Humber": "HD",
}
"""Postcode areas of the regions in which schools are made up."""


def _postcode(chance: Random, facts: SchoolFacts) -> str:
    """A postcode of a district that no area has: nobody lives there."""
    letters = "ABDEFGHJLNPQRSTUWXYZ"
    inward = f"{chance.randint(1, 9)}{chance.choice(letters)}{chance.choice(letters)}"
    return f"{AREAS.get(facts.region, 'CM')}{96 + chance.randrange(3)} {inward}"

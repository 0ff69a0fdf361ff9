"""Generated regions: schools, their pupils, and the table that these make; and a release of it."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from typing import NamedTuple
from uuid import UUID

from projections.disclosure import ALL, Contribution, Group, Table


class Pupil(NamedTuple):
    """One pupil: where, how they stand, and what they are."""

    school: int
    standing: int
    points: int
    gain: int | None
    kinds: Mapping[str, str]


CATEGORIES: Mapping[str, tuple[str, ...]] = {
    "sex": ("F", "M", "unknown"),
    "free_school_meals": ("no", "yes", "unknown"),
    "in_care": ("no", "yes"),
    "ethnicity_group": ("asian", "black", "mixed", "other", "white", "unknown"),
}
SCHOOLS: Mapping[str, tuple[str, ...]] = {
    "region": ("East", "North", "South"),
    "fsm_fifth": ("1", "2", "3"),
    "size_band": ("large", "medium", "small"),
}

LOWEST, HIGHEST = 0, 36
BANDS = ((0, 11), (12, 13), (14, 36))
"""The points of those below, at and above what is expected."""


def region(seed: int, schools: int, pupils: tuple[int, int]) -> list[Pupil]:
    """A region with so many schools, of so many pupils each, some groups of which are tiny."""
    chance = random.Random(seed)
    tilt = {name: [chance.choice((1, 1, 3, 12, 60)) for _ in each] for name, each in CATEGORIES.items()}
    standings = [chance.choice((1, 4, 10)) for _ in BANDS]
    found = []
    for school in range(schools):
        kinds = {name: chance.choice(each) for name, each in SCHOOLS.items()}
        kinds["similar_schools"] = f"{kinds['fsm_fifth']}/{kinds['size_band']}"
        for _ in range(chance.randint(*pupils) * (8 if chance.random() < 0.06 else 1)):
            standing = chance.choices((0, 1, 2), standings)[0]
            found.append(
                Pupil(
                    school,
                    standing,
                    chance.randint(*BANDS[standing]),
                    chance.randint(-1, 4) if chance.random() < 0.8 else None,
                    kinds | {name: chance.choices(each, tilt[name])[0] for name, each in CATEGORIES.items()},
                )
            )
    return found


def school_id(number: int) -> UUID:
    return UUID(int=number + 1)


def table_of(pupils: Iterable[Pupil]) -> Table:
    """The table that these pupils make, with every category of a pupil, and those of schools that exist."""
    sums: dict[Group, dict[UUID, list[int]]] = {ALL: {}}
    for name, categories in CATEGORIES.items():
        sums.update({Group(name, each): {} for each in categories})
    for pupil in pupils:
        for group in (ALL, *(Group(name, category) for name, category in pupil.kinds.items())):
            row = sums.setdefault(group, {}).setdefault(school_id(pupil.school), [0] * 6)
            row[pupil.standing] += 1
            row[3] += pupil.points
            if pupil.gain is not None:
                row[4] += 1
                row[5] += pupil.gain
    return {
        group: {school: Contribution(*row) for school, row in schools.items()}
        for group, schools in sums.items()
    }

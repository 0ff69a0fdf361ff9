"""`command`: a whole command (load a pupil, decide, append) beside the library's stock `Application`."""

from __future__ import annotations

import random
from collections.abc import Iterator

from domain.application import pupils
from domain.application.school_application import SchoolApplication
from domain.events import OPERATOR
from domain.particulars import PupilParticulars
from scripts.measuring.ground import Ground, made_up_child, new_school
from scripts.measuring.measure import Figure, figure, rate_of_threads
from scripts.measuring.stock import StockSchool, environment

THREADS = 8
SCHOOLS = 16
PUPILS = 400
EVENTS_BEFORE = 10
EVENTS_AFTER = 20
SECONDS = 4.0


def measure(ground: Ground) -> Iterator[Figure]:
    """Measures the figure: each thread changes pupils of its own, who have 10 to 20 events behind them."""
    schools = ground.schools()
    applications = [new_school(schools) for _ in range(SCHOOLS)]
    ours = [[_Ours(random.choice(applications)) for _ in range(PUPILS)] for _ in range(THREADS)]  # noqa: S311
    our_rate = rate_of_threads(lambda thread: random.choice(ours[thread]).change(), THREADS, SECONDS)  # noqa: S311

    with StockSchool(env=environment(ground.superuser, create=True)) as stock:
        theirs = [[_Theirs(stock) for _ in range(PUPILS)] for _ in range(THREADS)]
        limit = rate_of_threads(lambda thread: random.choice(theirs[thread]).change(), THREADS, SECONDS)  # noqa: S311
    yield figure(
        "command", our_rate, "commands/s", limit,
        "the eventsourcing library's own Application, the same command", least_ratio=3.0,
    )  # fmt: skip


class _Ours:
    """A pupil of ours, to be changed over and over."""

    def __init__(self, school: SchoolApplication) -> None:
        self.school = school
        self.pupil_id = pupils.admit(school, *made_up_child(1), OPERATOR).result.pupil_id
        self.version = 1
        while self.version < EVENTS_BEFORE:
            self.change()

    def change(self) -> int:
        if self.version >= EVENTS_AFTER:
            return 0
        changes = PupilParticulars(class_name=f"Class {self.version}")
        # Opened for this command alone, as for a request, with nothing at hand from the last one.
        school = self.school.opened_with(self.school.keys.school)
        self.version = pupils.change(school, self.pupil_id, changes, self.version, OPERATOR).result.version
        return 1


class _Theirs:
    """A pupil of the library's, to be changed over and over."""

    def __init__(self, school: StockSchool) -> None:
        self.school = school
        self.pupil_id = school.admit()
        self.version = 1
        while self.version < EVENTS_BEFORE:
            self.change()

    def change(self) -> int:
        if self.version >= EVENTS_AFTER:
            return 0
        self.school.change(self.pupil_id, f"Class {self.version}")
        self.version += 1
        return 1

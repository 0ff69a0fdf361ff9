"""`open`: a whole school's pupils, both compartments opened, beside the same rows left sealed."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from statistics import median

from domain.application.importing import import_file
from domain.events import OPERATOR
from domain.ledger.database import Database
from projections import pupils
from projections.runner import Worker
from scripts.measuring.ground import Ground, new_school
from scripts.measuring.imports import PUPILS, made_up_file
from scripts.measuring.measure import Figure, figure

ROUNDS = 101


def measure(ground: Ground) -> Iterator[Figure]:
    """Measures the figure: what a request of somebody with both keys costs, from the statement to the views.

    The time of the processor in this process alone counts, so that the database's does not hide it.
    """
    schools = ground.schools()
    school = new_school(schools)
    import_file(school, made_up_file(), OPERATOR, dry_run=False)
    with Database(ground.worker) as database:
        Worker(database, ground.service_keys).run_until_idle()
    with schools.database.bound_to(school.school_id) as connection:

        def opened() -> None:
            # Opened for this request alone, with no key of a child at hand.
            keys = schools.opened(school.keys.school).keys
            assert len(pupils.find(connection, keys, limit=None)) == PUPILS

        def sealed() -> None:
            asked = dict.fromkeys(("pupil_id", "nc_year", "class_id", "on_roll", "after", "limit"))
            rows = connection.execute(pupils.SQL["find"], {**asked, "school": school.school_id}, binary=True)
            assert len(rows.fetchall()) == PUPILS

        ours, limit = processor_milliseconds(opened), processor_milliseconds(sealed)
    yield figure(
        f"open, a school of {PUPILS} pupils", ours, "ms", limit,
        "the same rows read, and nothing opened", most_value=5,
    )  # fmt: skip


def processor_milliseconds(work: Callable[[], object]) -> float:
    """Milliseconds of the processor that a piece of work takes in this process, the median of some rounds.

    They follow one another as requests do, and what they leave is collected among them as it is there.
    """
    work()
    taken = []
    gc.collect()
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        taken.append(time.process_time() - began)
    return 1000 * median(taken)

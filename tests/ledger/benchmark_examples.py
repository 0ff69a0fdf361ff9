"""Made-up examples of the events of benchmark releases, and of the fields that they brought to others."""

from __future__ import annotations

from datetime import date

from domain.academic_year import Term
from domain.benchmarks import BenchmarksReleased, BenchmarksWithdrawn, CountedUpTo
from domain.events import OPERATOR, SYSTEM, Event
from domain.ledger.operators_stream import RELEASES
from domain.pupil import PupilAdmitted, PupilChanged, PupilSnapshot
from domain.pupil_record import PupilNames, PupilRecord
from domain.school import SchoolFacts, SchoolRegistered
from tests.ledger.example_ids import IMPORT, PUPIL, SCHOOL, TEACHER

BENCHMARK_EXAMPLES: tuple[Event, ...] = (
    BenchmarksReleased(
        originator_id=RELEASES,
        originator_version=1,
        actor=OPERATOR,
        release=1,
        proposal=IMPORT,
        points=("2024/25:autumn", "2024/25:year"),
        rules={"version": 1, "minimum_pupils": 10, "secondary": 1},
        schools=(CountedUpTo(SCHOOL, 4711),),
        proposal_digest="0f" * 32,
        figures_digest="f0" * 32,
    ),
    BenchmarksWithdrawn(
        originator_id=RELEASES,
        originator_version=2,
        actor=OPERATOR,
        release=1,
        because="Three schools had entered the results of the year before",
    ),
)

BENCHMARK_LATER: dict[str, Event] = {
    "school.registered.1 typed": SchoolRegistered(
        originator_id=SCHOOL,
        originator_version=1,
        actor=OPERATOR,
        facts=SchoolFacts(
            name="Elm Lane Infant School",
            urn="100001",
            local_authority="881",
            establishment="2001",
            region="East of England",
            school_type="infant",
        ),
        agreement_from=date(2026, 9, 1),
        official_email="office@elmlane.example",
    ),
    "pupil.admitted.1 born": PupilAdmitted(
        originator_id=PUPIL,
        originator_version=1,
        actor=TEACHER,
        names=PupilNames(surname="Exempel", forename="Robin", date_of_birth=date(2018, 2, 28)),
        record=PupilRecord(sex="F", date_of_entry=date(2022, 9, 5)),
        term_of_birth=Term.SPRING,
    ),
    "pupil.changed.1 born": PupilChanged(
        originator_id=PUPIL,
        originator_version=2,
        actor=TEACHER,
        names=PupilNames(surname="Exempel", forename="Robin", date_of_birth=date(2018, 5, 28)),
        term_of_birth=Term.SUMMER,
    ),
    "pupil.snapshot.1 born": PupilSnapshot(
        originator_id=PUPIL,
        originator_version=2,
        actor=SYSTEM,
        names=PupilNames(surname="Exempel", forename="Robin", date_of_birth=date(2018, 5, 28)),
        record=PupilRecord(sex="F", date_of_entry=date(2022, 9, 5)),
        term_of_birth=Term.SUMMER,
    ),
}
"""Examples of fields that joined their classes, as in :mod:`tests.ledger.later_examples`."""

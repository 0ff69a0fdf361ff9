"""Events: what each field belongs to, whom an event is about, and what stands in place of what is sealed."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, cast, get_type_hints
from uuid import UUID

import pytest

from domain.errors import DoesNotOpen, KeyNotHeld
from domain.events import (
    ERASED,
    OPERATOR,
    REGISTRY,
    SEALED,
    Compartment,
    Event,
    Names,
    Open,
    Record,
    Registry,
    Sealed,
    is_sealed,
)
from domain.identifiers import new_id
from tests.ledger.examples import EVENT_CLASSES, EXAMPLES

# What stands in place of what is sealed.


@pytest.mark.parametrize(
    ("value", "said", "shown"),
    [(SEALED, "not at hand", "SEALED"), (ERASED, "destroyed", "ERASED")],
    ids=["sealed", "erased"],
)
def test_what_looks_into_a_sealed_value_is_told(value: Any, said: str, shown: str) -> None:
    assert is_sealed(value)
    assert repr(value) == str(value) == f"{value}" == shown
    for name in ("surname", "upper", "isoformat", "applied_to", "_private"):
        with pytest.raises(KeyNotHeld, match=said) as caught:
            getattr(value, name)
        assert isinstance(caught.value, DoesNotOpen)


@pytest.mark.parametrize("value", [SEALED, ERASED], ids=repr)
def test_a_sealed_value_is_nothing_that_it_could_be_taken_for(value: Any) -> None:
    for taken_for in (None, "", "SEALED", 0, False, (), Sealed(destroyed=False)):
        assert value != taken_for
    for use in (len, list, int, lambda it: it[0], lambda it: it + "", lambda it: it < it):
        with pytest.raises(TypeError):
            use(value)
    assert value  # It is not known to be nothing.


@pytest.mark.parametrize("value", [None, "", "SEALED", 0, (), Compartment.NAMES], ids=repr)
def test_what_is_not_sealed(value: object) -> None:
    assert not is_sealed(value)


# Compartments.


@pytest.mark.parametrize("cls", EVENT_CLASSES, ids=lambda cls: cls.name)
def test_who_acted_and_whom_it_is_about_is_open(cls: type[Event]) -> None:
    homes = cls.compartments()
    assert homes["actor"] is Compartment.OPEN
    assert cls.subject_field in cls.__struct_fields__
    assert homes.get(cls.subject_field, Compartment.OPEN) is Compartment.OPEN


def test_what_is_personal_is_not_open() -> None:
    """Only these fields tell nothing of anybody; whoever adds one has to say here that it does not."""
    open_fields = {
        f"{cls.name}.{field}"
        for cls in EVENT_CLASSES
        for field, home in cls.compartments().items()
        if home is Compartment.OPEN and field != "actor"
    }
    assert open_fields == {
        "access.refused.at",
        "access.refused.permission",
        "access.refused.route",
        "access.refused.session_id",
        "access.refused.staff_id",
        "access.refused.times",
        "assessment.corrected.assessment_id",
        "assessment.corrected.from_file",
        "assessment.corrected.pupil_id",
        "assessment.recorded.assessment_id",
        "assessment.recorded.pupil_id",
        "assessment.voided.assessment_id",
        "assessment.voided.pupil_id",
        "attendance.marked.pupil_id",
        "attendance.totalled.pupil_id",
        "attendance.totals-voided.pupil_id",
        "benchmarks.released.figures_digest",
        "benchmarks.released.points",
        "benchmarks.released.proposal",
        "benchmarks.released.proposal_digest",
        "benchmarks.released.release",
        "benchmarks.released.rules",
        "benchmarks.released.schools",
        "benchmarks.withdrawn.because",  # published with the release, for everybody to read
        "benchmarks.withdrawn.release",
        "import.completed.changed",
        "import.completed.created",
        "import.completed.format",
        "import.completed.import_id",
        "import.completed.left",
        "import.completed.results",
        "import.completed.unchanged",
        "key.issued.key_id",
        "key.issued.origin",
        "key.issued.school_id",
        "key.revoked.key_id",
        "key.revoked.leaked",
        "key.used.key_id",
        "login.failed.key_id",
        "login.failed.reason",
        "login.failed.staff_id",
        "note.changed.note_id",
        "note.changed.pupil_id",
        "note.removed.note_id",
        "note.removed.pupil_id",
        "note.written.note_id",
        "note.written.pupil_id",
        "observation.changed.observation_id",
        "observation.changed.pupil_id",
        "observation.made.observation_id",
        "observation.made.pupil_id",
        "observation.photograph-added.observation_id",
        "observation.photograph-added.photograph",
        "observation.photograph-added.pupil_id",
        "observation.photograph-withdrawn.observation_id",
        "observation.photograph-withdrawn.photograph_id",
        "observation.photograph-withdrawn.pupil_id",
        "observation.withdrawn.observation_id",
        "observation.withdrawn.pupil_id",
        "password-reset.requested.key_id",
        "password-reset.requested.sent",
        "password-reset.requested.staff_id",
        "password-reset.used.key_id",
        "password-reset.used.staff_id",
        "permission.given.permission_id",
        "permission.given.school_id",
        "permission.revoked.permission_id",
        "permission.revoked.school_id",
        "permission.used.permission_id",
        "permission.used.pupils",
        "permission.used.release_id",
        "permission.used.school_id",
        "pupil.admitted.source",
        "pupil.changed.source",
        "pupil.concern-closed.concern_id",
        "pupil.concern-opened.concern_id",
        "pupil.erased.reason",
        "records.read.lost",
        "records.read.reads",
        "records.read.session_id",
        "records.read.staff_id",
        "school.assessment-point-closed.academic_year",
        "school.assessment-point-closed.school_id",
        "school.assessment-point-closed.term",
        "school.assessment-point-opened.academic_year",
        "school.assessment-point-opened.school_id",
        "school.assessment-point-opened.term",
        "school.assessment-points-chosen.division",
        "school.assessment-points-chosen.from_year",
        "school.assessment-points-chosen.school_id",
        "school.registered.agreement_from",
        "school.registered.facts",
        "school.statement-withdrawn.school_id",
        "school.statement-withdrawn.statement_id",
        "session.closed.reason",
        "session.closed.session_id",
        "session.closed.staff_id",
        "session.opened.key_id",
        "session.opened.session_id",
        "session.opened.staff_id",
        "statement.registered.school_id",
        "statement.registered.statement_id",
        "statement.withdrawn.school_id",
        "statement.withdrawn.statement_id",
        "target.removed.pupil_id",
        "target.removed.target_id",
        "target.set.pupil_id",
        "target.set.target_id",
    }


def test_free_text_lies_with_the_names() -> None:
    """People write names into it, and the service by itself opens every record."""
    codes = {
        "observation.changed.subject_code",
        "observation.made.subject_code",
        "staff.added.password_verifier",
        "staff.password-set.password_verifier",
        "pupil.left.reason_code",  # one of a list
        "permission.given.class_name",  # as in every record
        "permission.given.nc_year",
        "pupil.snapshot.leaving_reason",
    }
    texts = {
        f"{cls.name}.{field}"
        for cls in EVENT_CLASSES
        for field, home in cls.compartments().items()
        if home is Compartment.RECORD and get_type_hints(cls)[field] in {str, str | None}
    }
    assert texts - codes == {"school.registered.official_email"}  # The address of an office.


# Whom an event is about.


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_an_event_is_about_somebody(example: Event) -> None:
    assert example.subject == getattr(example, example.subject_field)
    assert isinstance(example.subject, UUID)


def test_whose_keys_are_made_with_an_event() -> None:
    founding = {cls.name for cls in REGISTRY.classes.values() if cls.founds}
    assert founding == {"school.registered", "staff.added", "pupil.admitted"}


def test_an_event_of_a_log_is_about_whom_it_says() -> None:
    registry = Registry()

    @registry.event("child.praised")
    class Praised(Event, frozen=True, kw_only=True):
        subject_field: ClassVar[str] = "child_id"

        child_id: Open[UUID]
        by: Names[str]

    log, child = new_id(), new_id()
    praised = Praised(originator_id=log, originator_version=1, actor=OPERATOR, child_id=child, by="the cook")
    assert praised.subject == child


def test_whom_it_is_about_must_be_said_openly() -> None:
    """Otherwise nobody could find the key that says whose key it is."""

    class Sealing(Event, frozen=True, kw_only=True):
        subject_field: ClassVar[str] = "child_id"

        child_id: Record[UUID]

    class Missing(Event, frozen=True, kw_only=True):
        subject_field: ClassVar[str] = "child_id"

        by: Names[str]

    for cls in (Sealing, Missing):
        registry = Registry()
        with pytest.raises(TypeError, match=f"{cls.__name__} does not say openly"):
            registry.event("child.praised")(cast("type[Event]", cls))
        assert registry.classes == {}


def test_another_annotation_is_no_compartment() -> None:
    class Praised(Event, frozen=True, kw_only=True):
        by: Annotated[str, "names"]

    with pytest.raises(TypeError, match=r"Praised\.by"):
        Registry().event("child.praised")(Praised)

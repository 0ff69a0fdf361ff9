"""What is not opened is handed on, told from what was erased, and never read as if it were a value."""

from __future__ import annotations

from typing import Any, cast

import msgspec
import pytest

from domain.errors import KeyNotHeld
from domain.events import ERASED, SEALED, Compartment, Event, is_sealed
from domain.ledger.mapper import EventMapper
from domain.pupil import PupilAdmitted, PupilChanged
from domain.vault.keyring import Keyring, SchoolKeys, WrappedSubjectKeys
from tests.keys import keyring_of
from tests.ledger.example_ids import SCHOOL
from tests.ledger.examples import EXAMPLES

ADMITTED = next(example for example in EXAMPLES if isinstance(example, PupilAdmitted))
CHANGED = next(example for example in EXAMPLES if isinstance(example, PupilChanged))


def rings(example: Event) -> tuple[Keyring, Keyring, Keyring]:
    """One that holds everything, one without the names key, and one after the subject was erased."""
    everything = keyring_of(SchoolKeys.new(SCHOOL), *{example.subject} - {SCHOOL})
    without_names = Keyring(everything.school.without_names())
    without_names.give([example.subject], [cast("WrappedSubjectKeys", everything.made(example.subject))])
    return everything, without_names, Keyring(everything.school)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_without_the_names_key_the_rest_is_handed_on(example: Event) -> None:
    everything, without_names, _ = rings(example)
    stored = EventMapper(everything).to_stored_event(example)
    read = EventMapper(without_names).to_domain_event(stored)
    for field, home in example.compartments().items():
        if home is Compartment.NAMES:
            assert getattr(read, field) is SEALED
        else:
            assert getattr(read, field) == getattr(example, field)
    assert (read.originator_id, read.originator_version, read.subject) == (
        example.originator_id,
        example.originator_version,
        example.subject,
    )


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_of_somebody_who_was_erased_what_is_open_stays(example: Event) -> None:
    everything, _, erased = rings(example)
    read = EventMapper(erased).to_domain_event(EventMapper(everything).to_stored_event(example))
    for field, home in example.compartments().items():
        if home is Compartment.OPEN:
            assert getattr(read, field) == getattr(example, field)
        else:
            assert getattr(read, field) is ERASED


def test_erased_is_told_only_by_whoever_could_have_opened_it() -> None:
    """Without the school's names key nobody can tell whether a name is still there to be opened."""
    everything, _, _ = rings(ADMITTED)
    stored = EventMapper(everything).to_stored_event(ADMITTED)
    read = EventMapper(Keyring(everything.school.without_names())).to_domain_event(stored)
    assert isinstance(read, PupilAdmitted)
    assert is_sealed(read.names)
    assert repr(read.names) == "SEALED"
    assert repr(read.record) == "ERASED"


def test_a_compartment_in_which_nothing_was_said_is_not_sealed() -> None:
    """So that a change of the record alone leaves the names as they were, for those who cannot open them."""
    everything, without_names, erased = rings(CHANGED)
    stored = EventMapper(everything).to_stored_event(msgspec.structs.replace(CHANGED, names=None))
    for ring in (everything, without_names, erased):
        read = EventMapper(ring).to_domain_event(stored)
        assert isinstance(read, PupilChanged)
        assert read.names is None


def test_what_looks_into_a_sealed_value_is_told_so() -> None:
    everything, without_names, erased = rings(ADMITTED)
    stored = EventMapper(everything).to_stored_event(ADMITTED)
    for ring, said in ((without_names, "not at hand"), (erased, "destroyed")):
        read = EventMapper(ring).to_domain_event(stored)
        assert isinstance(read, PupilAdmitted)
        with pytest.raises(KeyNotHeld, match=said):
            read.names.surname.upper()


@pytest.mark.parametrize("value", [SEALED, ERASED], ids=repr)
def test_what_is_sealed_cannot_be_written_as_if_it_were_a_value(value: Any) -> None:
    """Neither in place of a whole compartment nor within it."""
    everything, _, _ = rings(ADMITTED)
    for names in (value, msgspec.structs.replace(ADMITTED.names, surname=value)):
        with pytest.raises(TypeError):
            EventMapper(everything).to_stored_event(msgspec.structs.replace(ADMITTED, names=names))


@pytest.mark.parametrize("which", [1, 2], ids=["without the names key", "erased"])
def test_nothing_personal_is_written_without_its_key(which: int) -> None:
    with pytest.raises(KeyNotHeld):
        EventMapper(rings(ADMITTED)[which]).to_stored_event(ADMITTED)

"""A pupil as folded from events of which some, or parts of some, cannot be read."""

from __future__ import annotations

from datetime import date
from itertools import product
from typing import Any

import msgspec
import pytest

from domain.errors import Conflict, Erased, KeyNotHeld
from domain.events import ERASED, OPERATOR, SEALED, Event, is_sealed
from domain.identifiers import new_id
from domain.pupil import (
    ErasureReason,
    Pupil,
    PupilChanged,
    PupilErased,
    PupilLeft,
    PupilNames,
    PupilRecord,
    PupilReturned,
    RecordChange,
    admit,
    change,
    erase,
    fold,
)

ID = new_id()
NAMES = PupilNames(surname="Exempel", forename="Zoë", date_of_birth=date(2016, 2, 29))
RECORD = PupilRecord(sex="F", date_of_entry=date(2020, 9, 3), nc_year="4")

ADMITTED = admit(ID, NAMES, RECORD, OPERATOR)
PLACE: dict[str, Any] = {"originator_id": ID, "actor": OPERATOR}


def pupil_after(*events: Event) -> Pupil:
    pupil = fold(None, events)
    assert pupil is not None
    return pupil


def without(event: Event, *fields: str, value: object = SEALED) -> Event:
    """The event as somebody reads it who cannot open some of its fields."""
    return msgspec.structs.replace(event, **dict.fromkeys(fields, value))


MOVED_UP = PupilChanged(**PLACE, originator_version=2, record=RecordChange(nc_year="5"))
MARRIED = PupilChanged(
    **PLACE, originator_version=2, names=msgspec.structs.replace(NAMES, surname="Exempel-Lund")
)


def test_without_names_the_rest_of_a_pupil_is_as_it_is() -> None:
    both = PupilChanged(**PLACE, originator_version=2, names=MARRIED.names, record=MOVED_UP.record)
    pupil = pupil_after(without(ADMITTED, "names"), without(both, "names"))
    assert is_sealed(pupil.names)
    assert pupil.record == msgspec.structs.replace(RECORD, nc_year="5")
    assert (pupil.version, pupil.on_roll, pupil.erased) == (2, True, False)


def test_a_change_of_the_record_leaves_names_as_they_are() -> None:
    assert pupil_after(ADMITTED, MOVED_UP).names is NAMES
    assert is_sealed(pupil_after(without(ADMITTED, "names"), MOVED_UP).names)


@pytest.mark.parametrize(
    ("admitted", "changed"),
    list(product([ADMITTED, without(ADMITTED, "record")], [MOVED_UP, without(MOVED_UP, "record")])),
    ids=["neither", "the change", "what was before", "both"],
)
def test_a_record_is_sealed_where_any_of_it_is(admitted: Event, changed: Event) -> None:
    """A record of which some changes are not known is not one to be taken for the child's."""
    pupil = pupil_after(admitted, changed)
    assert is_sealed(pupil.record) is not (admitted is ADMITTED and changed is MOVED_UP)


def test_it_is_not_known_whether_a_child_with_a_sealed_record_is_there() -> None:
    left = PupilLeft(**PLACE, originator_version=2, left_on=date(2025, 4, 4))
    pupil = pupil_after(without(ADMITTED, "record"), without(left, "left_on"))
    assert is_sealed(pupil.left_on)
    returned = PupilReturned(**PLACE, originator_version=3, returned_on=date(2025, 9, 2))
    assert pupil_after(without(ADMITTED, "record"), without(left, "left_on"), returned).left_on is None


def test_nothing_is_decided_on_names_that_are_sealed() -> None:
    pupil = pupil_after(without(ADMITTED, "names"))
    with pytest.raises(KeyNotHeld):
        change(pupil, NAMES, RECORD, OPERATOR)


# Erasure.


@pytest.mark.parametrize("reason", ErasureReason)
def test_an_erased_pupil_is_nothing_but_that(reason: ErasureReason) -> None:
    erased = erase(pupil_after(ADMITTED), reason, OPERATOR)
    assert isinstance(erased, PupilErased)
    assert (erased.originator_version, erased.reason) == (2, reason)
    pupil = pupil_after(without(ADMITTED, "names", "record", value=ERASED), erased)
    assert (pupil.version, pupil.erased) == (2, True)
    with pytest.raises(KeyNotHeld, match="destroyed"):
        _ = pupil.names.surname
    with pytest.raises(KeyNotHeld, match="destroyed"):
        _ = pupil.record.sex


def test_nobody_is_erased_twice() -> None:
    pupil = pupil_after(ADMITTED, PupilErased(**PLACE, originator_version=2, reason=ErasureReason.MISTAKE))
    with pytest.raises(Erased):
        erase(pupil, ErasureReason.REQUEST, OPERATOR)


def test_nobody_is_erased_who_was_never_there() -> None:
    with pytest.raises(Conflict):
        fold(None, [PupilErased(**PLACE, originator_version=1, reason=ErasureReason.MISTAKE)])

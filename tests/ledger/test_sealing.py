"""Sealing: a part opens in its place and with its key, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar, NamedTuple, cast
from uuid import UUID

import msgspec
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from eventsourcing.persistence import MapperDeserialisationError, StoredEvent
from hypothesis import example as explicitly
from hypothesis import given, settings
from hypothesis import strategies as st

import domain.ledger.mapper
from domain.errors import DoesNotOpen
from domain.events import (
    OPERATOR,
    Compartment,
    Event,
    Names,
    Open,
    Record,
    Registry,
)
from domain.ledger.mapper import EventMapper, split
from domain.ledger.sealing import (
    GENERATION_SIZE,
    OVERHEAD,
    SealingKey,
    generation_of,
    place_of_event,
    place_of_row,
    seal,
    unseal,
)
from domain.vault.keyring import Keyring, SchoolKeys
from tests.keys import keyring_of
from tests.ledger.example_ids import PUPIL, SCHOOL, STAFF

SEALABLE = (Compartment.NAMES, Compartment.RECORD)


V1, V2 = Registry(), Registry()


class _Said(Event, frozen=True, kw_only=True):
    """Something that was said of a child; each part is read wherever it is put, if only it opens."""

    subject_field: ClassVar[str] = "about"

    about: Open[UUID]
    who: Names[str | None] = None
    what: Record[str | None] = None


@V1.event("child.said")
class Said(_Said, frozen=True, kw_only=True):
    pass


@V1.event("child.written")
class Written(_Said, frozen=True, kw_only=True):
    pass


@V2.event("child.said", version=2)
class SaidLater(_Said, frozen=True, kw_only=True):
    pass


OTHER_SCHOOL = UUID("01890000-0000-7000-8000-00000000000b")
CHILD, OTHER_CHILD = PUPIL, STAFF
LOG = UUID("01890000-0000-7000-8000-00000000000c")
OTHER_LOG = UUID("01890000-0000-7000-8000-00000000000d")

ONE_KEY, LATER_KEY = bytes(range(32)), bytes(range(1, 33))


def same_keys(school_id: UUID) -> Keyring:
    """A school in which everybody has the same keys in both compartments, and another one later.

    So it is the place alone that keeps a part from opening elsewhere.
    """
    keyring = Keyring(SchoolKeys.new(school_id))
    for subject in (CHILD, OTHER_CHILD):
        wraps = [
            keyring.wrapped(subject, 1, ONE_KEY, ONE_KEY),
            keyring.wrapped(subject, 2, LATER_KEY, LATER_KEY),
        ]
        keyring.give([subject], wraps)
    return keyring


class World(NamedTuple):
    """An event that is stored where it belongs, and whoever might read it elsewhere."""

    here: EventMapper
    later: EventMapper
    elsewhere: EventMapper
    stored: StoredEvent

    def as_it_is(self, mapper: EventMapper, **changes: Any) -> Event:
        """Reads the event after changes to its originator, version, topic or state."""
        place = {
            "originator_id": self.stored.originator_id,
            "originator_version": self.stored.originator_version,
            "topic": self.stored.topic,
            "state": self.stored.state,
            **changes,
        }
        return mapper.to_domain_event(StoredEvent(**place))

    def with_parts(self, **parts: bytes | None) -> bytes:
        """The state with some of its parts exchanged."""
        return msgspec.msgpack.encode(split(self.stored.state)._replace(**parts))


def world() -> World:
    here = EventMapper(same_keys(SCHOOL), V1)
    said = Said(originator_id=LOG, originator_version=2, actor=OPERATOR, about=CHILD, who="Zoë", what="K")
    return World(
        here,
        EventMapper(here.keys, V2),
        EventMapper(same_keys(OTHER_SCHOOL), V1),
        here.to_stored_event(said),
    )


def open_part_about(subject: UUID) -> bytes:
    """The open part of an event about somebody."""
    return msgspec.msgpack.encode({"actor": {"kind": "operator"}, "about": subject.bytes})


MOVES: dict[str, Callable[[World], Event]] = {
    "another version of the event": lambda w: w.as_it_is(w.here, originator_version=3),
    "another originator": lambda w: w.as_it_is(w.here, originator_id=OTHER_LOG),
    "another topic": lambda w: w.as_it_is(w.here, topic="child.written.1"),
    "another version of the topic": lambda w: w.as_it_is(w.later, topic="child.said.2"),
    "the names compartment": lambda w: w.as_it_is(
        w.here, state=w.with_parts(names=split(w.stored.state).record)
    ),
    "the record compartment": lambda w: w.as_it_is(
        w.here, state=w.with_parts(record=split(w.stored.state).names)
    ),
    "another school": lambda w: w.as_it_is(w.elsewhere),
}
"""Where a sealed part may be copied to."""


def check_no_part_opens_elsewhere(move: Callable[[World], Event]) -> None:
    """Copies an event, or a part of it, somewhere else and reads it there, with the very same key.

    Raises:
        AssertionError: It opens.
    """
    there = world()
    assert isinstance(there.as_it_is(there.here), Said)
    message = None
    try:
        move(there)
    except MapperDeserialisationError as error:
        message = str(error)
    assert message is not None, "it opens elsewhere"
    assert message.endswith("DoesNotOpen")
    assert "Zoë" not in message


@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
def test_a_part_that_was_copied_elsewhere_does_not_open(move: Callable[[World], Event]) -> None:
    check_no_part_opens_elsewhere(move)


@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
def test_without_its_place_it_would(move: Callable[[World], Event], monkeypatch: pytest.MonkeyPatch) -> None:
    """The sabotaged twin: sealing without associated data."""
    monkeypatch.setattr(domain.ledger.mapper, "place_of_event", lambda *_: b"")
    with pytest.raises(AssertionError, match="it opens elsewhere"):
        check_no_part_opens_elsewhere(move)


@pytest.mark.parametrize("home", SEALABLE, ids=lambda home: home.value)
def test_what_is_said_of_one_child_does_not_open_for_another(home: Compartment) -> None:
    """It is the keys that tell subjects apart: an event of one log is about whom its open part says."""
    mapper = EventMapper(keyring_of(SchoolKeys.new(SCHOOL), CHILD, OTHER_CHILD), V1)
    said = Said(originator_id=LOG, originator_version=2, actor=OPERATOR, about=CHILD, who="Zoë", what="K")
    stored = mapper.to_stored_event(said)
    parts = split(stored.state)
    only = {each.value: getattr(parts, each.value) if each is home else None for each in SEALABLE}
    state = msgspec.msgpack.encode([open_part_about(CHILD), only["names"], only["record"]])
    mapper.to_domain_event(StoredEvent(LOG, 2, stored.topic, state))
    moved = msgspec.msgpack.encode([open_part_about(OTHER_CHILD), only["names"], only["record"]])
    with pytest.raises(MapperDeserialisationError, match="DoesNotOpen"):
        mapper.to_domain_event(StoredEvent(LOG, 2, stored.topic, moved))


@pytest.mark.parametrize("generation", [0, 2, 3, 0xFFFF])
def test_another_generation_of_the_key_does_not_open_it(generation: int) -> None:
    """Nor does one that there never was make it look as if the child had been erased."""
    there = world()
    names = cast("bytes", split(there.stored.state).names)
    assert generation_of(names) == 2
    there = there._replace(
        stored=EventMapper(_only_first(there.here.keys), V1).to_stored_event(there.as_it_is(there.here))
    )
    names = cast("bytes", split(there.stored.state).names)
    assert generation_of(names) == 1
    there.as_it_is(there.here)
    moved = generation.to_bytes(GENERATION_SIZE) + names[GENERATION_SIZE:]
    with pytest.raises(MapperDeserialisationError, match="DoesNotOpen"):
        there.as_it_is(there.here, state=there.with_parts(names=moved))


def _only_first(keys: Any) -> Keyring:
    """The same keys, before there were later ones."""
    keyring = Keyring(keys.school)
    keyring.give([CHILD], [keyring.wrapped(CHILD, 1, ONE_KEY, ONE_KEY)])
    return keyring


DAMAGED = world()
_NAMES = cast("bytes", split(DAMAGED.stored.state).names)


@settings(deadline=None)
@given(position=st.integers(0, len(_NAMES) - 1), change=st.integers(1, 255))
def test_a_damaged_octet_is_refused(position: int, change: int) -> None:
    damaged = bytearray(_NAMES)
    damaged[position] ^= change
    with pytest.raises(MapperDeserialisationError, match="DoesNotOpen"):
        DAMAGED.as_it_is(DAMAGED.here, state=DAMAGED.with_parts(names=bytes(damaged)))


@settings(deadline=None)
@given(
    kept=st.one_of(
        st.integers(0, len(_NAMES) - 1).map(lambda length: _NAMES[:length]),
        st.integers(1, len(_NAMES)).map(lambda start: _NAMES[start:]),
        st.binary(min_size=1, max_size=20).map(lambda more: _NAMES + more),
    )
)
@explicitly(b"")
@explicitly(_NAMES[: OVERHEAD - 1])
@explicitly(_NAMES[:OVERHEAD])
def test_what_is_cut_or_lengthened_is_refused(kept: bytes) -> None:
    with pytest.raises(MapperDeserialisationError, match="DoesNotOpen"):
        DAMAGED.as_it_is(DAMAGED.here, state=DAMAGED.with_parts(names=kept))


# The same of any two places.

IDS = st.sampled_from([SCHOOL, PUPIL, STAFF])
EVENT_PLACES = st.tuples(
    st.just(place_of_event),
    st.tuples(
        IDS,
        IDS,
        st.sampled_from([0, 1, 2, 256, 2**63 - 1]),
        st.sampled_from(["pupil.left.1", "pupil.left.11", "pupil.left", ""]),
        st.sampled_from(SEALABLE),
    ),
)
ROW_PLACES = st.tuples(
    st.just(place_of_row),
    st.tuples(
        IDS,
        st.sampled_from(["projections.pupils", "projections.pupil", ""]),
        st.sampled_from([b"", b"s", PUPIL.bytes, PUPIL.bytes + bytes(8), STAFF.bytes + bytes(8)]),
    ),
)
PLACES = EVENT_PLACES | ROW_PLACES

Place = tuple[Callable[..., bytes], tuple[Any, ...]]


def check_two_places(mine: Place, other: Place, place: Callable[[Place], bytes]) -> None:
    """Seals for one place and opens in the other, with one key.

    Raises:
        AssertionError: It opens in another place, or does not open in its own.
    """
    key = SealingKey(1, AESGCM(ONE_KEY))
    sealed = seal(key, b"part", place(mine))
    try:
        opens = unseal(key.cipher, sealed, place(other)) == b"part"
    except DoesNotOpen:
        opens = False
    assert opens == (mine == other)


@settings(deadline=None)
@given(mine=PLACES, other=PLACES)
@explicitly(
    mine=(place_of_row, (SCHOOL, "projections.pupil", b"s")),
    other=(place_of_row, (SCHOOL, "projections.pupils", b"")),
)
def test_a_part_opens_in_its_place_alone(mine: Place, other: Place) -> None:
    check_two_places(mine, other, lambda place: place[0](*place[1]))


def pairs_that_differ() -> Iterator[tuple[Place, Place]]:
    """Two places of each kind that differ in one thing only."""
    event = (SCHOOL, PUPIL, 1, "pupil.left.1", Compartment.NAMES)
    for index, other in enumerate((STAFF, STAFF, 2, "pupil.left.2", Compartment.RECORD)):
        yield (place_of_event, event), (place_of_event, (*event[:index], other, *event[index + 1 :]))
    row = (SCHOOL, "projections.pupils", b"row")
    for index, other in enumerate((STAFF, "projections.other", b"another")):
        yield (place_of_row, row), (place_of_row, (*row[:index], other, *row[index + 1 :]))


@pytest.mark.parametrize(("mine", "other"), list(pairs_that_differ()), ids=range(8))
def test_the_check_of_two_places_finds_sealing_without_associated_data(mine: Place, other: Place) -> None:
    """The sabotaged twin."""
    check_two_places(mine, other, lambda place: place[0](*place[1]))
    with pytest.raises(AssertionError):
        check_two_places(mine, other, lambda place: b"")

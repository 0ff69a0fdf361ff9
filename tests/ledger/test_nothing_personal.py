"""Nothing that is not open can be read in what is stored: no name, no result, no flag."""

from __future__ import annotations

from datetime import date, timedelta
from enum import Enum
from itertools import count
from typing import Any, cast
from uuid import UUID

import msgspec
import pytest
from eventsourcing.persistence import StoredEvent

from domain.events import (
    OPERATOR,
    Compartment,
    Event,
    Record,
    Registry,
)
from domain.ledger.mapper import EventMapper, split
from domain.ledger.sealing import (
    GENERATION_SIZE,
)
from domain.vault.keyring import SchoolKeys
from tests.keys import keyring_of, mapper_for_anybody
from tests.ledger.example_ids import PUPIL, SCHOOL
from tests.ledger.examples import EXAMPLES

PERSONAL = [
    example
    for example in EXAMPLES
    if {Compartment.NAMES, Compartment.RECORD} & set(example.compartments().values())
]
"""The examples of events in which there is something to be sealed."""


def sealed_fields(event: Event) -> list[str]:
    """The fields of an event that are not open."""
    return [field for field, home in event.compartments().items() if home is not Compartment.OPEN]


class Canaries:
    """Puts something in place of every value that can be looked for in bytes."""

    def __init__(self) -> None:
        self.planted: list[bytes] = []
        self._numbers = count(1)

    def planted_in(self, value: Any) -> Any:
        """The same value, with a canary for every text, date and number in it, all the way down."""
        number = next(self._numbers)
        match value:
            case bool() | Enum() | UUID() | None:
                return value
            case msgspec.UnsetType():
                return value
            case str():
                return self._planted(f"canary-{number:03d}-Zoë", f"canary-{number:03d}".encode())
            case bytes():
                digest = f"canary-{number:03d}".encode()
                return self._planted(digest, digest)
            case date():
                day = date(1871, 1, 1) + timedelta(number)
                return self._planted(day, day.isoformat().encode())
            case int():
                large = int.from_bytes(b"canary") << 8 | number
                return self._planted(large, large.to_bytes(7))
            case tuple():
                return tuple(self.planted_in(item) for item in value)
            case msgspec.Struct():
                fields = {name: self.planted_in(getattr(value, name)) for name in value.__struct_fields__}
                return type(value)(**fields)
            case _:
                raise TypeError(f"no canary for a {type(value).__name__}")

    def _planted(self, value: Any, written: bytes) -> Any:
        self.planted.append(written)
        return value


def check_nothing_personal_is_readable(mapper: EventMapper, example: Event) -> None:
    """Stores an event with canaries in its sealed fields and looks for them, and for the fields' names.

    Raises:
        AssertionError: Something that is not open can be read in what is stored.
    """
    canaries = Canaries()
    fields = {field: canaries.planted_in(getattr(example, field)) for field in sealed_fields(example)}
    event = msgspec.structs.replace(example, **fields)
    assert canaries.planted, f"there is nothing to look for in {example.name}"
    # They are there to be found, where nothing is sealed.
    plain = msgspec.msgpack.encode(event)
    assert all(canary in plain for canary in canaries.planted)

    stored = mapper.to_stored_event(event)
    assert mapper.to_domain_event(stored) == event
    found = [canary for canary in canaries.planted if canary in stored.state]
    # A flag is too small to be looked for, but not its name, without which it says nothing.
    found += [field.encode() for field in fields if msgspec.msgpack.encode(field) in stored.state]
    assert not found, f"{event.name} can be read: {found}"


@pytest.mark.parametrize("example", PERSONAL, ids=lambda example: example.name)
def test_nothing_personal_can_be_read_in_what_is_stored(example: Event) -> None:
    check_nothing_personal_is_readable(mapper_for_anybody(SCHOOL), example)


class ForgetfulMapper(EventMapper):
    """A mapper that writes one field into the open part, where it would be read without any key."""

    forgotten: str

    def to_stored_event(self, domain_event: Any) -> StoredEvent:
        stored = super().to_stored_event(domain_event)
        parts = split(stored.state)
        open_part = msgspec.msgpack.decode(parts.open or b"\x80")
        open_part[self.forgotten] = getattr(domain_event, self.forgotten)
        state = msgspec.msgpack.encode([msgspec.msgpack.encode(open_part), parts.names, parts.record])
        return StoredEvent(stored.originator_id, stored.originator_version, stored.topic, state)


@pytest.mark.parametrize(
    ("example", "field"),
    [(example, field) for example in PERSONAL for field in sealed_fields(example)],
    ids=lambda value: value.name if isinstance(value, Event) else value,
)
def test_a_mapper_that_forgets_one_field_is_found_out(example: Event, field: str) -> None:
    """The sabotaged twin, for every field that is sealed."""
    forgetful = ForgetfulMapper(mapper_for_anybody(SCHOOL).keys)
    forgetful.forgotten = field
    with pytest.raises(AssertionError, match="can be read"):
        check_nothing_personal_is_readable(forgetful, example)


def test_a_forgotten_flag_is_found_out() -> None:
    """A value that no canary can stand for is found by the name of its field."""
    registry = Registry()

    @registry.event("child.asked")
    class Asked(Event, frozen=True, kw_only=True):
        meals: Record[bool]
        by: Record[str]

    asked = Asked(originator_id=PUPIL, originator_version=1, actor=OPERATOR, meals=True, by="the office")
    keys = keyring_of(SchoolKeys.new(SCHOOL), PUPIL)
    check_nothing_personal_is_readable(EventMapper(keys, registry), asked)
    forgetful = ForgetfulMapper(keys, registry)
    forgetful.forgotten = "meals"
    with pytest.raises(AssertionError, match="can be read"):
        check_nothing_personal_is_readable(forgetful, asked)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_an_event_with_nothing_in_a_compartment_has_no_part_there(example: Event) -> None:
    parts = split(mapper_for_anybody(SCHOOL).to_stored_event(example).state)
    said = {home for field, home in example.compartments().items() if getattr(example, field) is not None}
    assert {home for home, part in zip(Compartment, parts, strict=True) if part is not None} == said


def test_sealing_the_same_twice_gives_nothing_away() -> None:
    mapper = mapper_for_anybody(SCHOOL)
    first, second = (split(mapper.to_stored_event(PERSONAL[0]).state) for _ in range(2))
    for one, other in zip(first[1:], second[1:], strict=True):
        assert (one is None) is (other is None)
        assert one is None or one[GENERATION_SIZE:] != cast("bytes", other)[GENERATION_SIZE:]

"""The mapper: every event is read as it was written, at every version, or refused without a word of it."""

from __future__ import annotations

import types
from enum import Enum
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin, get_type_hints
from uuid import UUID

import msgspec
import pytest
from eventsourcing.persistence import MapperDeserialisationError, StoredEvent
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.events import ERASED, OPERATOR, SEALED, Compartment, Event, Names, Open, Record, Registry
from domain.ledger.mapper import EventMapper, split
from domain.ledger.sealing import place_of_event, seal
from domain.vault.keyring import Keyring, SchoolKeys
from tests.keys import keyring_of, mapper_for_anybody
from tests.ledger.example_ids import SCHOOL
from tests.ledger.examples import EVENT_CLASSES, EXAMPLES
from tests.ledger.golden import opened_parts

MAPPER = mapper_for_anybody(SCHOOL)


# Strategies from types.


def values_of(hint: Any) -> st.SearchStrategy[Any]:
    """Values of the types that events are made of."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return values_of(arguments[0])
    if origin in {Union, types.UnionType}:
        return st.one_of([values_of(argument) for argument in arguments])
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is tuple and arguments[1:] == (...,):
        return st.lists(values_of(arguments[0]), max_size=3).map(tuple)
    if origin is dict:
        return st.dictionaries(*map(values_of, arguments), max_size=3)
    if hint is msgspec.UnsetType:
        return st.just(msgspec.UNSET)
    if hint is int:
        return st.integers(-(2**63), 2**63 - 1)
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        hints = get_type_hints(hint)
        fields = {name: values_of(hints[name]) for name in hint.__struct_fields__}
        if issubclass(hint, Event):
            fields["originator_version"] = st.integers(0, 2**63 - 1)
        return st.builds(hint, **fields)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return st.sampled_from(hint)
    return st.from_type(hint)


# What there is.


@pytest.mark.parametrize("cls", EVENT_CLASSES, ids=lambda cls: cls.name)
def test_every_field_has_a_compartment(cls: type[Event]) -> None:
    placing = {"originator_id", "originator_version"}
    assert cls.compartments().keys() == set(cls.__struct_fields__) - placing
    assert cls.compartments()["actor"] is Compartment.OPEN


def test_there_are_event_classes() -> None:
    assert len(EVENT_CLASSES) >= 16
    assert {cls.name.partition(".")[0] for cls in EVENT_CLASSES} >= {"school", "staff", "pupil", "assessment"}


@pytest.mark.parametrize("cls", EVENT_CLASSES, ids=lambda cls: cls.name)
@settings(deadline=None)
@given(data=st.data())
def test_every_event_is_read_as_it_was_written(cls: type[Event], data: st.DataObject) -> None:
    event = data.draw(values_of(cls))
    stored = MAPPER.to_stored_event(event)
    assert (stored.originator_id, stored.originator_version) == (
        event.originator_id,
        event.originator_version,
    )
    assert stored.topic == f"{cls.name}.{cls.version}"
    assert MAPPER.to_domain_event(stored) == event
    # Sealing is random: what is sealed is the same each time.
    again = MAPPER.to_stored_event(event)
    assert opened_parts(MAPPER.keys, event.subject, again) == opened_parts(MAPPER.keys, event.subject, stored)
    assert MAPPER.subject_of(stored) == event.subject


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: event.name)
def test_each_field_lies_in_its_compartment_alone(event: Event) -> None:
    stored = MAPPER.to_stored_event(event)
    parts = dict(zip(Compartment, split(stored.state), strict=True))
    plain = opened_parts(MAPPER.keys, event.subject, stored)
    for compartment, part in parts.items():
        fields = {field for field, home in event.compartments().items() if home is compartment}
        opened = MAPPER.open_part(stored, event.subject, compartment, part)
        assert opened.keys() == fields
        assert all(opened[field] == getattr(event, field) for field in fields)
        assert set(msgspec.msgpack.decode(plain[compartment] or b"\x80")) <= fields


def test_a_name_is_registered_once() -> None:
    registry = Registry()
    registry.event("door.opened")(type("Opened", (Event,), {}, frozen=True, kw_only=True))
    with pytest.raises(TypeError, match=r"door\.opened"):
        registry.event("door.opened")(type("Other", (Event,), {}, frozen=True, kw_only=True))


def test_a_field_without_a_compartment_is_refused() -> None:
    class Opened(Event, frozen=True, kw_only=True):
        door: str

    with pytest.raises(TypeError, match=r"Opened\.door"):
        Registry().event("door.opened")(Opened)


def test_a_field_cannot_hide_the_name_or_version() -> None:
    hiding = msgspec.defstruct("Hiding", [("version", Open[int])], bases=(Event,), frozen=True, kw_only=True)
    with pytest.raises(TypeError, match="'version'"):
        Registry().event("door.opened")(cast("type[Event]", hiding))


# Old versions.

V1, V3 = Registry(), Registry()


@V1.event("child.enrolled", 1)
class EnrolledV1(Event, frozen=True, kw_only=True):
    """The first version: one name, and the year as a number."""

    full_name: Names[str]
    year: Record[int]


@V3.event("child.enrolled", 3)
class EnrolledV3(Event, frozen=True, kw_only=True):
    """The third: two names since version 2, the year as a code since version 3, and a language."""

    forename: Names[str]
    surname: Names[str]
    nc_year: Record[str]
    language: Record[str]
    by_file: Open[bool] = False


@V3.upcast("child.enrolled", 1, Compartment.NAMES)
def _two_names(part: dict[str, Any]) -> dict[str, Any]:
    forename, surname = part["full_name"].split(" ")
    return {"forename": forename, "surname": surname}


@V3.upcast("child.enrolled", 1, Compartment.RECORD)
def _language(part: dict[str, Any]) -> dict[str, Any]:
    return {**part, "language": "ENG"}


@V3.upcast("child.enrolled", 2, Compartment.RECORD)
def _year_as_code(part: dict[str, Any]) -> dict[str, Any]:
    return {"nc_year": "R" if part["year"] == 0 else str(part["year"]), "language": part["language"]}


CHILD = UUID("01890000-0000-7000-8000-000000000005")
KEYS = keyring_of(SchoolKeys.new(SCHOOL), CHILD)


def enrolled_at_first() -> StoredEvent:
    """An event as the first version wrote it."""
    return EventMapper(KEYS, V1).to_stored_event(
        EnrolledV1(originator_id=CHILD, originator_version=1, actor=OPERATOR, full_name="Zoë Exempel", year=0)
    )


def test_an_old_version_is_brought_up_to_date_compartment_by_compartment() -> None:
    stored = enrolled_at_first()
    assert stored.topic == "child.enrolled.1"
    assert EventMapper(KEYS, V3).to_domain_event(stored) == EnrolledV3(
        originator_id=CHILD,
        originator_version=1,
        actor=OPERATOR,
        forename="Zoë",
        surname="Exempel",
        nc_year="R",
        language="ENG",
    )
    # One compartment alone is brought up to date without the other.
    part = split(stored.state).record
    opened = EventMapper(KEYS, V3).open_part(stored, CHILD, Compartment.RECORD, part)
    assert opened == {"nc_year": "R", "language": "ENG"}


def test_an_old_version_is_brought_up_to_date_around_what_is_sealed() -> None:
    """A step never sees a sealed part, and what it would have made of it is sealed, under the new names."""
    stored = enrolled_at_first()
    wrapped = KEYS.made(CHILD)
    assert wrapped
    without_names = Keyring(KEYS.school.without_names())
    without_names.give([CHILD], [wrapped])
    event = EventMapper(without_names, V3).to_domain_event(stored)
    assert isinstance(event, EnrolledV3)
    assert {field for field in event.__struct_fields__ if getattr(event, field) is SEALED} == {
        "forename",
        "surname",
    }
    assert (event.nc_year, event.language, event.by_file) == ("R", "ENG", False)

    erased = EventMapper(Keyring(KEYS.school), V3).to_domain_event(stored)
    assert isinstance(erased, EnrolledV3)
    assert {field for field in erased.__struct_fields__ if getattr(erased, field) is ERASED} == {
        "forename",
        "surname",
        "nc_year",
        "language",
    }
    assert erased.actor == OPERATOR


def sealed_state(topic: str, version: int, **parts: object) -> bytes:
    """A state put together by hand, with the parts sealed for their place."""
    encode = msgspec.msgpack.encode
    sealed = [
        seal(
            KEYS.to_seal(CHILD, home),
            encode(parts[home.value]),
            place_of_event(SCHOOL, CHILD, version, topic, home),
        )
        for home in (Compartment.NAMES, Compartment.RECORD)
    ]
    return encode([encode(parts["open"]), *sealed])


def test_a_version_in_between_takes_only_the_later_steps() -> None:
    state = sealed_state(
        "child.enrolled.2",
        1,
        open={"actor": {"kind": "operator"}},
        names={"forename": "Zoë", "surname": "Exempel"},
        record={"year": 4, "language": "POL"},
    )
    event = EventMapper(KEYS, V3).to_domain_event(StoredEvent(CHILD, 1, "child.enrolled.2", state))
    assert isinstance(event, EnrolledV3)
    assert (event.forename, event.surname, event.nc_year, event.language) == ("Zoë", "Exempel", "4", "POL")


# What cannot be read.

SECRET = "Zoë Exempel"
STORED = EventMapper(KEYS, V1).to_stored_event(
    EnrolledV1(originator_id=CHILD, originator_version=3, actor=OPERATOR, full_name=SECRET, year=4)
)


def refusal(mapper: EventMapper, topic: str, state: bytes) -> str:
    """The message with which something is refused."""
    with pytest.raises(MapperDeserialisationError) as caught:
        mapper.to_domain_event(StoredEvent(STORED.originator_id, 3, topic, state))
    assert caught.value.__suppress_context__
    return str(caught.value)


@pytest.mark.parametrize(
    "topic",
    [
        "child.removed.1",
        "child.enrolled.4",
        "child.enrolled.0",
        "child.enrolled.-1",
        "child.enrolled.",
        "child.enrolled.one",
        "child.enrolled",
        "",
        "domain.pupil:PupilAdmitted",
    ],
)
def test_an_unknown_type_or_version_is_refused(topic: str) -> None:
    message = refusal(EventMapper(KEYS, V3), topic, STORED.state)
    assert repr(topic) in message
    assert str(STORED.originator_id) in message
    assert "Exempel" not in message


NEVER_RIGHT = (
    b"",
    b"\xc1",
    b"\x93",
    b"\x93\xc0\xc0",
    b"\x92\xc0\xc0",
    b"\x94\xc0\xc0\xc0\xc0",
    b"\x93\xc0\xc0\xc0",
    b"\x93" + b"\x91" * 3000,
    b"\x80",
    msgspec.msgpack.encode([b"", b"", b""]),
    msgspec.msgpack.encode([SECRET.encode()] * 3),
    msgspec.msgpack.encode([b"\x80", b"\x80", b"\x80"]),
    msgspec.msgpack.encode([b"\x91" * 3000 + b"\xc0"] * 3),
    msgspec.msgpack.encode([msgspec.msgpack.encode({"actor": SECRET})] * 3),
    msgspec.msgpack.encode([msgspec.msgpack.encode([SECRET])] * 3),
    msgspec.msgpack.encode([SECRET, SECRET, SECRET]),
)


@pytest.mark.parametrize("state", NEVER_RIGHT, ids=range(len(NEVER_RIGHT)))
@pytest.mark.parametrize("registry", [V1, V3], ids=["as it is", "to be upcast"])
def test_damaged_bytes_are_refused_without_what_they_hold(registry: Registry, state: bytes) -> None:
    assert "Exempel" not in refusal(EventMapper(KEYS, registry), "child.enrolled.1", state)


WRONG_INSIDE: tuple[object, ...] = (
    SECRET,
    [SECRET],
    {"full_name": [SECRET], "year": SECRET},
    {SECRET: SECRET},
    {"full_name": "Zoë-Exempel", "year": [SECRET]},
    msgspec.Raw(b"\x91" * 3000 + b"\xc0"),
    msgspec.Raw(b"\xc1"),
)
"""What may stand in a part that opens, and should not."""


@pytest.mark.parametrize("inside", WRONG_INSIDE, ids=range(len(WRONG_INSIDE)))
@pytest.mark.parametrize("registry", [V1, V3], ids=["as it is", "to be upcast"])
def test_a_part_that_opens_but_is_wrong_is_refused_without_what_it_holds(
    registry: Registry, inside: object
) -> None:
    state = sealed_state(STORED.topic, 3, open={"actor": {"kind": "operator"}}, names=inside, record=inside)
    assert "Exempel" not in refusal(EventMapper(KEYS, registry), STORED.topic, state)


@settings(deadline=None)
@given(
    cut=st.integers(0, len(STORED.state)),
    position=st.integers(0, len(STORED.state) - 1),
    octet=st.integers(0, 255),
    registry=st.sampled_from([V1, V3]),
)
def test_any_damage_is_refused_or_read_but_raises_nothing_else(
    cut: int, position: int, octet: int, registry: Registry
) -> None:
    state = bytearray(STORED.state)
    state[position] = octet
    for damaged in (bytes(state), STORED.state[:cut]):
        try:
            EventMapper(KEYS, registry).to_domain_event(
                StoredEvent(STORED.originator_id, 3, STORED.topic, damaged)
            )
        except MapperDeserialisationError as error:
            assert "Exempel" not in str(error)  # noqa: PT017 - it may be read, too
